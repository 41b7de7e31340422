using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Ledger;

/// <summary>A new version of an item, sealed; or its tombstone, which has no bytes. Docs/spec/accounts.md, section 3.</summary>
/// <param name="Item">Which.</param>
/// <param name="Version">Counts from 1.</param>
/// <param name="Sealed">docs/spec/vault.md, section 5; empty for a tombstone.</param>
public sealed record SealedChange(Identity Item, ulong Version, ReadOnlyMemory<byte> Sealed)
{
    /// <summary>Of a sealed item, in bytes.</summary>
    public const int MaxSize = 1 << 20;

    /// <summary>What stands before the sealed bytes.</summary>
    public const int HeaderSize = Identity.Size + sizeof(ulong) + sizeof(uint);

    public bool IsTombstone => Sealed.IsEmpty;

    /// <summary>What the tree of items holds of it (docs/spec/vault.md, section 7): SHA-256, or 32 zeros for a tombstone.</summary>
    public byte[] Hash() => IsTombstone ? new byte[SHA256.HashSizeInBytes] : SHA256.HashData(Sealed.Span);

    internal int Size => HeaderSize + Sealed.Length;

    internal void Write(ref WireWriter writer)
    {
        Item.Write(writer.Take(Identity.Size));
        writer.UInt64BigEndian(Version);
        writer.UInt32BigEndian((uint)Sealed.Length);
        writer.Bytes(Sealed.Span);
    }

    // The bytes are a view of the source.
    internal static SealedChange Read(ref WireReader reader, ReadOnlyMemory<byte> source)
    {
        var item = reader.Bytes("item", Identity.Size) is { IsEmpty: false } bytes ? Identity.Read(bytes) : default;
        ulong version = reader.UInt64BigEndian("version");
        uint length = reader.UInt32BigEndian("length");
        if (version == 0)
        {
            reader.Refuse("version", 1, 0);
        }
        if (length > MaxSize)
        {
            reader.Refuse("length", MaxSize, length);
        }
        int start = reader.Offset;
        reader.Bytes("sealed", reader.Failed ? 0 : (int)length);
        return new(item, version, reader.Failed ? default : source.Slice(start, (int)length));
    }
}
