using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Vault.Heads;

/// <summary>The tree of all items (docs/spec/vault.md, section 7), held as the roots of its 4,096 subtrees. Immutable, so that what the operator shows can be tried and thrown away.</summary>
/// <remarks>
/// A device keeps these roots and the <see cref="Subtree"/>s beside them. To take changes, it loads the subtrees that they fall into (<see cref="PrefixOf"/>), and
/// stores the changed ones and the changed parts of the roots (<see cref="PartOf"/>) with the changes, all or nothing.
/// </remarks>
public sealed class ItemTree
{
    /// <summary>By which items are told into subtrees: a million items make 244 in each.</summary>
    public const int PrefixBits = 12;

    /// <summary>How many subtrees there are.</summary>
    public const int Subtrees = 1 << PrefixBits;

    /// <summary>The roots as a device keeps them come in so many parts, of 2,306 bytes each: a change touches one.</summary>
    public const int Parts = 64;

    private const byte Version = 1;
    private const int NodeSize = sizeof(uint) + SHA256.HashSizeInBytes;
    private const int InPart = Subtrees / Parts;

    private readonly Node[] _roots;

    // The nodes above, as in a heap: 1 is the tree's root, those of n are 2n and 2n + 1, and the subtrees follow the last. Made when first asked for.
    private readonly Lazy<Node[]> _above;

    private ItemTree(Node[] roots, Func<Node[]> above) => (_roots, _above) = (roots, new(above));

    public static ItemTree Empty { get; } = Of(new Node[Subtrees]);

    /// <summary>Tombstones included.</summary>
    public ulong Leaves => _above.Value[1].Leaves;

    /// <summary>32 bytes.</summary>
    public ReadOnlyMemory<byte> Root => _above.Value[1].Hash.ToArray();

    /// <summary>Which subtree an item falls into: its first 12 bits.</summary>
    public static int PrefixOf(Identity item)
    {
        Span<byte> bytes = stackalloc byte[Identity.Size];
        item.Write(bytes);
        return BinaryPrimitives.ReadUInt16BigEndian(bytes) >> (16 - PrefixBits);
    }

    /// <summary>Which part of the roots as they are kept holds a subtree's.</summary>
    public static int PartOf(int prefix) => prefix / InPart;

    /// <summary>With these subtrees instead of those of the same prefix. Hashes what is above them and nothing else.</summary>
    public ItemTree With(IReadOnlyCollection<Subtree> changed)
    {
        var roots = (Node[])_roots.Clone();
        foreach (var subtree in changed)
        {
            roots[subtree.Prefix] = new((uint)subtree.Leaves.Length, subtree.Root);
        }
        return _above.IsValueCreated ? new(roots, () => Mend(roots, [.. changed.Select(subtree => subtree.Prefix)])) : Of(roots);
    }

    /// <summary>A part as a device keeps it.</summary>
    public byte[] PartToBytes(int part)
    {
        byte[] bytes = new byte[2 + (InPart * NodeSize)];
        var writer = new WireWriter(bytes);
        writer.UInt8(Version);
        writer.UInt8((byte)part);
        foreach (var node in _roots.AsSpan(part * InPart, InPart))
        {
            writer.UInt32BigEndian(node.Leaves);
            node.Hash.Write(writer.Take(SHA256.HashSizeInBytes));
        }
        return bytes;
    }

    /// <summary>Reads all parts, in order; an empty one holds nothing. They are the device's own: whether they belong to the subtrees beside them is not seen here.</summary>
    public static bool TryParse(IReadOnlyList<ReadOnlyMemory<byte>> parts, [NotNullWhen(true)] out ItemTree? tree, out WireError error)
    {
        var roots = new Node[Subtrees];
        error = parts.Count == Parts ? default : new(WireFault.WrongValue, "parts", 0, Parts, parts.Count);
        for (int part = 0; part < parts.Count && error.Fault is WireFault.None; part++)
        {
            error = parts[part].IsEmpty ? default : Read(parts[part].Span, part, roots.AsSpan(part * InPart, InPart));
        }
        tree = error.Fault is WireFault.None ? Of(roots) : null;
        return tree is not null;
    }

    private static WireError Read(ReadOnlySpan<byte> bytes, int part, Span<Node> roots)
    {
        var reader = new WireReader(bytes);
        reader.Expect("version", [Version]);
        int found = reader.UInt8("part");
        if (found != part)
        {
            reader.Refuse("part", part, found);
        }
        var nodes = reader.Bytes("nodes", roots.Length * NodeSize);
        for (int at = 0; !nodes.IsEmpty; at++, nodes = nodes[NodeSize..])
        {
            uint leaves = BinaryPrimitives.ReadUInt32BigEndian(nodes);
            var hash = nodes[sizeof(uint)..NodeSize];
            if (leaves > Subtree.MaxLeaves || (leaves == 0 && hash.ContainsAnyExcept((byte)0)))
            {
                reader.Refuse("leaves", Subtree.MaxLeaves, leaves);
            }
            roots[at] = new(leaves, NodeHash.Read(hash));
        }
        reader.ExpectEnd("part");
        return reader.Error;
    }

    private static ItemTree Of(Node[] roots) => new(roots, () =>
    {
        var above = new Node[Subtrees];
        for (int at = Subtrees - 1; at > 0; at--)
        {
            above[at] = Above(above, roots, at);
        }
        return above;
    });

    private Node[] Mend(Node[] roots, List<int> changed)
    {
        var above = (Node[])_above.Value.Clone();
        for (var level = changed.Select(prefix => (prefix + Subtrees) / 2).ToHashSet(); level.Count > 0 && !level.Contains(0); level = [.. level.Select(at => at / 2)])
        {
            foreach (int at in level)
            {
                above[at] = Above(above, roots, at);
            }
        }
        return above;
    }

    private static Node Above(Node[] above, Node[] roots, int at) =>
        2 * at < Subtrees ? Node.Above(above[2 * at], above[(2 * at) + 1]) : Node.Above(roots[(2 * at) - Subtrees], roots[(2 * at) + 1 - Subtrees]);

    // A leaf that is alone keeps its own hash all the way up, as the specification has it.
    private readonly record struct Node(uint Leaves, NodeHash Hash)
    {
        public static Node Above(Node left, Node right) =>
            left.Leaves + right.Leaves <= 1 ? (left.Leaves == 1 ? left : right) : new(left.Leaves + right.Leaves, NodeHash.Of(left.Hash, right.Hash));
    }
}
