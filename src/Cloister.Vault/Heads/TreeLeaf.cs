using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Ledger;

namespace Cloister.Vault.Heads;

/// <summary>An item in the tree (docs/spec/vault.md, section 7): which, which version, and the leaf's hash, which says what it holds.</summary>
public readonly struct TreeLeaf : IEquatable<TreeLeaf>
{
    /// <summary>Of a leaf as it is kept, in bytes.</summary>
    public const int Size = Identity.Size + sizeof(ulong) + SHA256.HashSizeInBytes;

    internal TreeLeaf(Identity item, ulong version, NodeHash hash) => (Item, Version, Hash) = (item, version, hash);

    public Identity Item { get; }

    public ulong Version { get; }

    internal NodeHash Hash { get; }

    /// <summary>The leaf that a change makes, tombstones included. It hashes the sealed bytes.</summary>
    public static TreeLeaf Of(SealedChange change) => Of(change.Item, change.Version, change.Hash());

    /// <param name="item">Which.</param>
    /// <param name="version">From 1.</param>
    /// <param name="sealedHash">SHA-256 of the sealed item, or 32 zeros for a tombstone.</param>
    public static TreeLeaf Of(Identity item, ulong version, ReadOnlySpan<byte> sealedHash)
    {
        Span<byte> bytes = stackalloc byte[1 + Identity.Size + sizeof(ulong) + SHA256.HashSizeInBytes];
        bytes[0] = 0;
        item.Write(bytes[1..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[17..], version);
        sealedHash.CopyTo(bytes[25..]);
        return new(item, version, NodeHash.Of(bytes));
    }

    public bool Equals(TreeLeaf other) => Item == other.Item && Version == other.Version && Hash == other.Hash;

    public override bool Equals(object? obj) => obj is TreeLeaf other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Item, Version);

    public static bool operator ==(TreeLeaf left, TreeLeaf right) => left.Equals(right);

    public static bool operator !=(TreeLeaf left, TreeLeaf right) => !left.Equals(right);
}
