using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Ledger;

/// <summary>The state of an account after a batch of changes (docs/spec/vault.md, section 7).</summary>
/// <param name="Account">Whose.</param>
/// <param name="Epoch">Whose head key signs it.</param>
/// <param name="Sequence">Counts batches from 1.</param>
/// <param name="Previous">SHA-256 of the head before, 32 bytes; zeros for the first.</param>
/// <param name="Root">Of the tree of all items, 32 bytes.</param>
/// <param name="Leaves">How many items it has, tombstones included.</param>
/// <param name="Device">Which device wrote the batch.</param>
public sealed record Head(AccountNumber Account, uint Epoch, ulong Sequence, ReadOnlyMemory<byte> Previous, ReadOnlyMemory<byte> Root, ulong Leaves, Identity Device)
{
    /// <summary>Of the bytes that are signed.</summary>
    public const int Size = 127;

    internal static ReadOnlySpan<byte> Label => "cloister head v1\0"u8;

    /// <summary>What is signed, and hashed into the next head.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        var writer = new WireWriter(bytes);
        writer.Bytes(Label);
        Account.Write(writer.Take(AccountNumber.Size));
        writer.UInt32BigEndian(Epoch);
        writer.UInt64BigEndian(Sequence);
        Previous.Span.CopyTo(writer.Take(SHA256.HashSizeInBytes));
        Root.Span.CopyTo(writer.Take(SHA256.HashSizeInBytes));
        writer.UInt64BigEndian(Leaves);
        Device.Write(writer.Take(Identity.Size));
        return bytes;
    }
}

/// <summary>A head with its signature: well-formed, not verified.</summary>
public sealed class SignedHead
{
    /// <summary>In bytes.</summary>
    public const int Size = Head.Size + Ed25519PrivateKey.SignatureSize;

    private readonly byte[] _bytes;

    private SignedHead(Head head, byte[] bytes) => (Head, _bytes) = (head, bytes);

    public Head Head { get; }

    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>What the next head calls <see cref="Head.Previous"/>: SHA-256 of what is signed.</summary>
    public byte[] Hash() => SHA256.HashData(_bytes.AsSpan(0, Head.Size));

    public bool IsSignedBy(Ed25519PublicKey headKey) => headKey.Verify(_bytes.AsSpan(0, Head.Size), _bytes.AsSpan(Head.Size));

    /// <summary>Puts a signature of <see cref="Head.ToBytes"/> behind it.</summary>
    /// <exception cref="ArgumentException">The signature is not 64 bytes long.</exception>
    public static SignedHead Join(Head head, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != Ed25519PrivateKey.SignatureSize)
        {
            throw new ArgumentException("An Ed25519 signature has 64 bytes.", nameof(signature));
        }
        return new(head, [.. head.ToBytes(), .. signature]);
    }

    /// <summary>Reads exactly 191 bytes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedHead? signed, out WireError error)
    {
        var reader = new WireReader(bytes);
        signed = Read(ref reader);
        reader.ExpectEnd("head");
        error = reader.Error;
        signed = reader.Failed ? null : signed;
        return signed is not null;
    }

    internal static SignedHead? Read(ref WireReader reader)
    {
        reader.Expect("label", Head.Label);
        var account = reader.Bytes("account", AccountNumber.Size);
        uint epoch = reader.UInt32BigEndian("epoch");
        ulong sequence = reader.UInt64BigEndian("sequence");
        byte[] previous = reader.Bytes("previous", SHA256.HashSizeInBytes).ToArray();
        byte[] root = reader.Bytes("root", SHA256.HashSizeInBytes).ToArray();
        ulong leaves = reader.UInt64BigEndian("leaves");
        var device = reader.Bytes("device", Identity.Size);
        var signature = reader.Bytes("signature", Ed25519PrivateKey.SignatureSize);
        if (epoch == 0 || sequence == 0)
        {
            reader.Refuse(epoch == 0 ? "epoch" : "sequence", 1, 0);
        }
        if (sequence == 1 && previous.AsSpan().ContainsAnyExcept((byte)0))
        {
            reader.Refuse("previous", 0, 1);
        }
        return reader.Failed ? null : Join(new Head(AccountNumber.Read(account), epoch, sequence, previous, root, leaves, Identity.Read(device)), signature);
    }
}
