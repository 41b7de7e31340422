using System.Collections.Immutable;

namespace Cloister.Transparency;

/// <summary>Tiles of hashes that somebody fetched, and the proofs they give. Proofs from wrong tiles do not verify; nothing else is promised of them.</summary>
public sealed class TileSet
{
    private readonly Dictionary<(int Level, long Index), TreeHash[]> _tiles = [];

    /// <summary>Adds a tile. False where its bytes are not as many hashes as its width says.</summary>
    public bool TryAdd(TilePath tile, ReadOnlySpan<byte> bytes)
    {
        if (tile.Level < 0 || tile.Width is < 1 or > TilePath.FullWidth || bytes.Length != tile.Width * TreeHash.Size)
        {
            return false;
        }

        var hashes = new TreeHash[tile.Width];
        for (int i = 0; i < hashes.Length; i++)
        {
            hashes[i] = new(bytes.Slice(i * TreeHash.Size, TreeHash.Size));
        }
        if (!_tiles.TryGetValue((tile.Level, tile.Index), out var before) || before.Length < hashes.Length)
        {
            _tiles[(tile.Level, tile.Index)] = hashes; // a wider one replaces a partial one
        }
        return true;
    }

    /// <summary>Reads hashes from the tiles added so far.</summary>
    public HashReader Reader => Read;

    /// <summary>The tiles that an inclusion proof needs, at their widths in a tree of this size.</summary>
    public static ImmutableArray<TilePath> ForInclusion(long index, long size) => Needed(size, reader => InclusionProof.TryMake(reader, index, size, out _));

    /// <summary>The tiles that a consistency proof needs.</summary>
    public static ImmutableArray<TilePath> ForConsistency(long oldSize, long newSize) => Needed(newSize, reader => ConsistencyProof.TryMake(reader, oldSize, newSize, out _));

    /// <summary>The tiles that a root needs: the tree's right edge.</summary>
    public static ImmutableArray<TilePath> ForRoot(long size) => Needed(size, reader => Subtrees.TryHash(reader, 0, size, out _));

    // Plays the making of a proof and writes down what it asks for.
    private static ImmutableArray<TilePath> Needed(long size, Action<HashReader> make)
    {
        var needed = new SortedSet<(int Level, long Index)>();
        make((level, index) =>
        {
            var (tileLevel, within) = (level / TilePath.Height, level % TilePath.Height);
            needed.Add((tileLevel, index << within >> TilePath.Height));
            return TreeHash.Empty;
        });
        return [.. needed.Select(tile => TilePath.InTree(tile.Level, tile.Index, size))];
    }

    private TreeHash? Read(int level, long index)
    {
        var (tileLevel, within) = (level / TilePath.Height, level % TilePath.Height);
        long first = index << within;
        if (!_tiles.TryGetValue((tileLevel, first >> TilePath.Height), out var hashes))
        {
            return null;
        }

        int start = (int)(first % TilePath.FullWidth), count = 1 << within;
        return start + count <= hashes.Length ? Root(hashes.AsSpan(start, count)) : null;
    }

    private static TreeHash Root(ReadOnlySpan<TreeHash> hashes) =>
        hashes.Length == 1 ? hashes[0] : TreeHash.OfNode(Root(hashes[..(hashes.Length / 2)]), Root(hashes[(hashes.Length / 2)..]));
}
