using System.Buffers.Binary;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Vault.Keys;

/// <summary>The bytes around an item's ciphertext (docs/spec/vault.md, section 5).</summary>
internal static class ItemFormat
{
    public const byte FormatVersion = 1;
    public const int NonceSize = 24;
    public const int CommitmentSize = 32;
    public const int HeaderSize = 1 + sizeof(uint) + NonceSize + CommitmentSize;
    public const int AssociatedSize = 17 + AccountNumber.Size + Identity.Size + sizeof(ulong) + sizeof(uint);

    public static ReadOnlySpan<byte> Label => "cloister item v1\0"u8;

    /// <summary>The sealed length of a content.</summary>
    public static int SealedLength(int content) => HeaderSize + Padding.PaddedLength(content) + AeadKey.TagSize;

    /// <summary>What the ciphertext and the commitment are bound to: an item that is swapped, replayed as another version or moved to another account does not open.</summary>
    /// <param name="associated">Receives <see cref="AssociatedSize"/> bytes.</param>
    public static void WriteAssociated(AccountNumber account, Identity item, ulong version, uint epoch, Span<byte> associated)
    {
        var writer = new WireWriter(associated);
        writer.Bytes(Label);
        account.Write(writer.Take(AccountNumber.Size));
        item.Write(writer.Take(Identity.Size));
        writer.UInt64BigEndian(version);
        writer.UInt32BigEndian(epoch);
    }

    /// <summary>The epoch that it says it was sealed under; null where it is not of this format.</summary>
    public static uint? Epoch(ReadOnlySpan<byte> sealedItem) =>
        sealedItem.Length >= HeaderSize + AeadKey.TagSize && sealedItem.Length <= SealedChange.MaxSize && sealedItem[0] == FormatVersion ? BinaryPrimitives.ReadUInt32BigEndian(sealedItem[1..]) : null;

    public static ReadOnlySpan<byte> Nonce(ReadOnlySpan<byte> sealedItem) => sealedItem.Slice(1 + sizeof(uint), NonceSize);

    public static ReadOnlySpan<byte> Commitment(ReadOnlySpan<byte> sealedItem) => sealedItem.Slice(1 + sizeof(uint) + NonceSize, CommitmentSize);

    public static ReadOnlySpan<byte> Ciphertext(ReadOnlySpan<byte> sealedItem) => sealedItem[HeaderSize..];
}
