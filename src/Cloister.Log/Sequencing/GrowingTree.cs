using System.Collections.Immutable;
using System.Numerics;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>A log's tree in memory: its right edge, and the hashes that proofs of entries not yet published need. Not thread-safe; as large for ten million entries as for ten.</summary>
internal sealed class GrowingTree
{
    private const int MaxLayers = 8; // ours to choose: more are made one

    private readonly TreeFrontier _frontier;
    private readonly SortedDictionary<int, List<TreeHash>> _edges; // for each level of tiles the hashes of its partial tile
    private readonly List<ReadOnlyMemory<byte>> _bundle; // the entries of the partial bundle

    // Full subtrees: those at the published tree's edge, and all that were completed since. A layer does not change once somebody may read it.
    private ImmutableArray<Dictionary<(int Level, long Index), TreeHash>> _layers = [];

    private GrowingTree(TreeFrontier frontier, SortedDictionary<int, List<TreeHash>> edges, List<ReadOnlyMemory<byte>> bundle)
    {
        (_frontier, _edges, _bundle) = (frontier, edges, bundle);
        ForgetNodes();
    }

    public long Size => _frontier.Size;

    public TreeHash Root => _frontier.Root;

    /// <summary>Reads the edge of a recorded tree back.</summary>
    /// <exception cref="LogStoppedException">The tiles do not give the recorded root.</exception>
    public static async Task<GrowingTree> RestoreAsync(ITileStore store, Checkpoint recorded, CancellationToken cancellation)
    {
        var (edges, tiles) = (new SortedDictionary<int, List<TreeHash>>(), new TileSet());
        for (int level = 0; recorded.Size >> (level * TilePath.Height) > 0; level++)
        {
            if (EdgeOf(level, recorded.Size) is { } path)
            {
                byte[] bytes = await store.ReadHashesAsync(path, cancellation) ?? throw Damaged($"{path} is missing");
                tiles.TryAdd(path, bytes);
                edges[level] = [.. bytes.Chunk(TreeHash.Size).Select(hash => new TreeHash(hash))];
            }
        }

        var subtrees = ImmutableArray.CreateBuilder<TreeHash>();
        for (long start = 0; start < recorded.Size;)
        {
            int level = BitOperations.Log2((ulong)(recorded.Size - start));
            subtrees.Add(tiles.Reader(level, start >> level) ?? throw Damaged("a tile is missing"));
            start += 1L << level;
        }
        if (!TreeFrontier.TryRestore(recorded.Size, subtrees.ToArray(), out var frontier) || frontier.Root != recorded.Root)
        {
            throw Damaged("they give another root");
        }
        return new(frontier, edges, await ReadBundleAsync(store, recorded.Size, edges.GetValueOrDefault(0) ?? [], cancellation));
    }

    /// <summary>Appends entries, and gives every tile and bundle that the tree of the new size has and the old one had not.</summary>
    public List<TileBytes> Append(IEnumerable<(TreeHash Leaf, ReadOnlyMemory<byte> Entry)> entries)
    {
        var tiles = new List<TileBytes>();
        var nodes = new Dictionary<(int, long), TreeHash>();
        var grown = new SortedSet<int>();
        bool any = false;
        foreach (var (leaf, entry) in entries)
        {
            any = true;
            _bundle.Add(entry);
            if (_bundle.Count == TilePath.FullWidth)
            {
                tiles.Add(Bundle(_frontier.Size / TilePath.FullWidth));
                _bundle.Clear();
            }
            _frontier.Append(leaf, (level, index, hash) =>
            {
                nodes[(level, index)] = hash;
                if (level % TilePath.Height == 0)
                {
                    Grow(level / TilePath.Height, index, hash, tiles);
                    grown.Add(level / TilePath.Height);
                }
            });
        }

        _layers = _layers.Length < MaxLayers ? [.. _layers, nodes] : [_layers.Add(nodes).SelectMany(layer => layer).ToDictionary()];

        // What is partial now.
        foreach (int level in grown.Where(level => _edges[level].Count > 0))
        {
            tiles.Add(Tile(level, (Size >> (level * TilePath.Height)) / TilePath.FullWidth));
        }
        if (any && _bundle.Count > 0)
        {
            tiles.Add(Bundle(Size / TilePath.FullWidth));
        }
        return tiles;
    }

    /// <summary>Hashes for proofs in the tree as it is: of the entries since the last publishing, and of growth since it. Safe to read while the tree grows.</summary>
    public HashReader Nodes
    {
        get
        {
            var layers = _layers;
            return (level, index) =>
            {
                foreach (var layer in layers)
                {
                    if (layer.TryGetValue((level, index), out var hash))
                    {
                        return hash;
                    }
                }
                return null;
            };
        }
    }

    /// <summary>The tree is published: proofs of its entries are read from its tiles from now on. <see cref="Nodes"/> taken before stay as they were.</summary>
    public void ForgetNodes()
    {
        var edge = new Dictionary<(int, long), TreeHash>();
        long start = 0;
        foreach (var subtree in _frontier.Subtrees)
        {
            int level = BitOperations.Log2((ulong)(Size - start));
            edge[(level, start >> level)] = subtree;
            start += 1L << level;
        }
        _layers = [edge];
    }

    private void Grow(int level, long index, TreeHash hash, List<TileBytes> tiles)
    {
        if (!_edges.TryGetValue(level, out var edge))
        {
            _edges[level] = edge = new List<TreeHash>(TilePath.FullWidth);
        }
        edge.Add(hash);
        if (edge.Count == TilePath.FullWidth)
        {
            tiles.Add(Tile(level, index / TilePath.FullWidth));
            edge.Clear();
        }
    }

    private TileBytes Tile(int level, long index)
    {
        var edge = _edges[level];
        var bytes = new byte[edge.Count * TreeHash.Size];
        for (int i = 0; i < edge.Count; i++)
        {
            edge[i].CopyTo(bytes.AsSpan(i * TreeHash.Size));
        }
        return new(new TilePath(level, index, edge.Count), bytes);
    }

    private TileBytes Bundle(long index) => new(new TilePath(TilePath.EntriesLevel, index, _bundle.Count), EntryBundle.Encode(_bundle));

    private static async Task<List<ReadOnlyMemory<byte>>> ReadBundleAsync(ITileStore store, long size, List<TreeHash> leaves, CancellationToken cancellation)
    {
        if (EdgeOf(TilePath.EntriesLevel, size) is not { } path)
        {
            return [];
        }
        byte[] bytes = await store.ReadAsync(path, cancellation) ?? throw Damaged($"{path} is missing");
        return EntryBundle.TryDecode(bytes, path.Width, out var entries, out _) && entries.Select(entry => TreeHash.OfLeaf(entry)).SequenceEqual(leaves)
            ? [.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)]
            : throw Damaged($"{path} has other entries");
    }

    private static TilePath? EdgeOf(int level, long size)
    {
        long hashes = size >> (Math.Max(level, 0) * TilePath.Height);
        return hashes % TilePath.FullWidth == 0 ? null : TilePath.InTree(level, hashes / TilePath.FullWidth, size);
    }

    private static LogStoppedException Damaged(string how) => new(LogFault.TreeDamaged, $"The tiles do not give the recorded root: {how}.");
}
