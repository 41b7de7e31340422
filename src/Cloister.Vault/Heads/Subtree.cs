using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Vault.Heads;

/// <summary>All leaves whose items begin with the same 12 bits: a 4,096th of the tree, kept and changed as one piece. Immutable.</summary>
public sealed class Subtree
{
    /// <summary>Of one subtree: with two thousand million items in all, counting stays exact.</summary>
    public const int MaxLeaves = 500_000;

    private const byte Version = 1;
    private const int HeaderSize = 1 + sizeof(ushort) + sizeof(uint);

    private readonly ImmutableArray<TreeLeaf> _leaves;
    private readonly Lazy<NodeHash> _hash;

    private Subtree(int prefix, ImmutableArray<TreeLeaf> leaves)
    {
        (Prefix, _leaves) = (prefix, leaves);
        _hash = new(() => Hash(_leaves.AsSpan(), ItemTree.PrefixBits));
    }

    /// <summary>The 12 bits, as a number.</summary>
    public int Prefix { get; }

    /// <summary>In the order of their items.</summary>
    public ImmutableArray<TreeLeaf> Leaves => _leaves;

    internal NodeHash Root => _hash.Value;

    /// <param name="prefix">From 0 to 4,095.</param>
    public static Subtree Empty(int prefix) => new(prefix, []);

    /// <summary>Null where the item is not there.</summary>
    public TreeLeaf? Find(Identity item)
    {
        int at = IndexOf(item);
        return at >= 0 ? _leaves[at] : null;
    }

    /// <summary>With these leaves instead of those of the same items; the last counts where an item comes twice. Hashes nothing yet.</summary>
    /// <exception cref="ArgumentException">A leaf belongs elsewhere, or there are more than <see cref="MaxLeaves"/>.</exception>
    public Subtree With(IEnumerable<TreeLeaf> changed)
    {
        var news = new SortedList<Identity, TreeLeaf>();
        foreach (var leaf in changed)
        {
            news[leaf.Item] = ItemTree.PrefixOf(leaf.Item) == Prefix ? leaf : throw new ArgumentException("A leaf belongs into another subtree.", nameof(changed));
        }
        var leaves = ImmutableArray.CreateBuilder<TreeLeaf>(_leaves.Length + news.Count);
        int old = 0;
        foreach (var leaf in news.Values)
        {
            for (; old < _leaves.Length && _leaves[old].Item < leaf.Item; old++)
            {
                leaves.Add(_leaves[old]);
            }
            old += old < _leaves.Length && _leaves[old].Item == leaf.Item ? 1 : 0;
            leaves.Add(leaf);
        }
        leaves.AddRange(_leaves.AsSpan()[old..]);
        return leaves.Count <= MaxLeaves ? new(Prefix, leaves.DrainToImmutable()) : throw new ArgumentException("A subtree has too many leaves.", nameof(changed));
    }

    /// <summary>As a device keeps it: 56 bytes a leaf.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[HeaderSize + (_leaves.Length * TreeLeaf.Size)];
        var writer = new WireWriter(bytes);
        writer.UInt8(Version);
        writer.UInt16BigEndian((ushort)Prefix);
        writer.UInt32BigEndian((uint)_leaves.Length);
        foreach (var leaf in _leaves)
        {
            leaf.Item.Write(writer.Take(Identity.Size));
            writer.UInt64BigEndian(leaf.Version);
            leaf.Hash.Write(writer.Take(SHA256.HashSizeInBytes));
        }
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Subtree? subtree, out WireError error)
    {
        var reader = new WireReader(bytes);
        reader.Expect("version", [Version]);
        int prefix = reader.UInt16BigEndian("prefix");
        uint count = reader.UInt32BigEndian("count");
        if (prefix >= ItemTree.Subtrees || count > MaxLeaves || count != reader.Remaining / TreeLeaf.Size)
        {
            reader.Refuse("count", reader.Remaining / TreeLeaf.Size, count);
        }
        var leaves = ImmutableArray.CreateBuilder<TreeLeaf>(reader.Failed ? 0 : (int)count);
        for (uint left = count; left > 0 && !reader.Failed; left--)
        {
            var leaf = reader.Bytes("leaf", TreeLeaf.Size);
            if (reader.Failed)
            {
                break;
            }
            var item = Identity.Read(leaf[..Identity.Size]);
            if (ItemTree.PrefixOf(item) != prefix || (leaves.Count > 0 && leaves[^1].Item >= item))
            {
                reader.Refuse("item", prefix, ItemTree.PrefixOf(item));
            }
            leaves.Add(new(item, BinaryPrimitives.ReadUInt64BigEndian(leaf[Identity.Size..]), NodeHash.Read(leaf[(Identity.Size + sizeof(ulong))..])));
        }
        reader.ExpectEnd("subtree");
        error = reader.Error;
        subtree = reader.Failed ? null : new(prefix, leaves.ToImmutable());
        return subtree is not null;
    }

    // The leaves are sorted, so those whose bit is 0 come first. At most 128 deep, however the items were chosen.
    private static NodeHash Hash(ReadOnlySpan<TreeLeaf> leaves, int depth)
    {
        if (leaves.Length <= 1)
        {
            return leaves.IsEmpty ? default : leaves[0].Hash;
        }
        int left = 0;
        for (int high = leaves.Length; left < high;)
        {
            int middle = (left + high) / 2;
            if (leaves[middle].Item.Bit(depth))
            {
                high = middle;
            }
            else
            {
                left = middle + 1;
            }
        }
        return NodeHash.Of(Hash(leaves[..left], depth + 1), Hash(leaves[left..], depth + 1));
    }

    private int IndexOf(Identity item)
    {
        int low = 0;
        for (int high = _leaves.Length - 1; low <= high;)
        {
            int middle = (low + high) / 2;
            int order = _leaves[middle].Item.CompareTo(item);
            if (order == 0)
            {
                return middle;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return -1;
    }
}
