using System.Diagnostics.CodeAnalysis;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Ledger;

/// <summary>What everybody may see of an epoch (docs/spec/vault.md, section 2): well-formed, not verified.</summary>
public sealed class EpochRecord
{
    /// <summary>Of the sealed head key: nonce, PKCS #8 (48), tag.</summary>
    public const int SealedHeadKeySize = 12 + 48 + AeadKey.TagSize;

    /// <summary>Of the sealed account key of the epoch before: nonce, key, tag.</summary>
    public const int SealedPreviousSize = 12 + AeadKey.Size + AeadKey.TagSize;

    private const int CommitmentSize = 32;
    private const int PublicSize = 18 + AccountNumber.Size + sizeof(uint) + Ed25519PublicKey.Size + CommitmentSize;

    private readonly byte[] _bytes;

    private EpochRecord(byte[] bytes) => _bytes = bytes;

    private static ReadOnlySpan<byte> Label => "cloister epoch v1\0"u8;

    public ReadOnlyMemory<byte> Bytes => _bytes;

    public AccountNumber Account => AccountNumber.Read(_bytes.AsSpan(18, AccountNumber.Size));

    public uint Epoch => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(28));

    /// <summary>Verifies the heads of this epoch and the record of the next.</summary>
    public Ed25519PublicKey HeadKey => new(_bytes.AsSpan(32, Ed25519PublicKey.Size));

    /// <summary>32 bytes that the epoch's account key has and no other.</summary>
    public ReadOnlyMemory<byte> KeyCommitment => _bytes.AsMemory(64, CommitmentSize);

    /// <summary>The additional data of what is sealed in the record: all that stands before it.</summary>
    public ReadOnlyMemory<byte> AssociatedData => _bytes.AsMemory(0, PublicSize);

    public ReadOnlyMemory<byte> SealedHeadKey => _bytes.AsMemory(PublicSize, SealedHeadKeySize);

    /// <summary>Empty in epoch 1.</summary>
    public ReadOnlyMemory<byte> SealedPrevious => _bytes.AsMemory(PublicSize + SealedHeadKeySize, Epoch == 1 ? 0 : SealedPreviousSize);

    /// <summary>What the signature covers.</summary>
    public ReadOnlyMemory<byte> SignedBytes => _bytes.AsMemory(0, _bytes.Length - Ed25519PrivateKey.SignatureSize);

    /// <summary>Whether it is the first epoch, signed by its own key.</summary>
    public bool IsFirst() => Epoch == 1 && IsSignedBy(HeadKey);

    /// <summary>Whether it is the epoch after <paramref name="previous"/>, of the same account and signed by that one's key.</summary>
    public bool Follows(EpochRecord previous) => previous.Epoch < uint.MaxValue && Epoch == previous.Epoch + 1 && Account == previous.Account && IsSignedBy(previous.HeadKey);

    private bool IsSignedBy(Ed25519PublicKey key) => key.Verify(SignedBytes.Span, _bytes.AsSpan(_bytes.Length - Ed25519PrivateKey.SignatureSize));

    /// <summary>What <see cref="AssociatedData"/> of a record will be, for who is about to seal and sign it.</summary>
    public static byte[] Begin(AccountNumber account, uint epoch, Ed25519PublicKey headKey, ReadOnlySpan<byte> keyCommitment)
    {
        byte[] bytes = new byte[PublicSize];
        var writer = new WireWriter(bytes);
        writer.Bytes(Label);
        account.Write(writer.Take(AccountNumber.Size));
        writer.UInt32BigEndian(epoch);
        writer.Bytes(headKey.Bytes);
        writer.Bytes(keyCommitment);
        return bytes;
    }

    /// <summary>Reads all of <paramref name="bytes"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EpochRecord? record, out WireError error)
    {
        var reader = new WireReader(bytes);
        reader.Expect("label", Label);
        reader.Bytes("account", AccountNumber.Size);
        uint epoch = reader.UInt32BigEndian("epoch");
        if (epoch == 0)
        {
            reader.Refuse("epoch", 1, 0);
        }
        reader.Bytes("head public key", Ed25519PublicKey.Size);
        reader.Bytes("key commitment", CommitmentSize);
        reader.Bytes("sealed head key", SealedHeadKeySize);
        reader.Bytes("sealed previous", epoch == 1 ? 0 : SealedPreviousSize);
        reader.Bytes("signature", Ed25519PrivateKey.SignatureSize);
        reader.ExpectEnd("epoch record");
        error = reader.Error;
        record = reader.Failed ? null : new(bytes.ToArray());
        return record is not null;
    }
}
