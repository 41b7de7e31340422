using System.Diagnostics.CodeAnalysis;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>Where recent entries are: a publisher that never saw its receipt, and asks again, gets the same index. Bounded, and made of nothing but the log itself.</summary>
internal sealed class RecentEntries
{
    /// <summary>Entries in one generation. Of two generations the older is forgotten as a whole.</summary>
    public const int Generation = 1 << 18;

    // What is read back at a start: enough for those who were cut off.
    private const int ReadBack = 1 << 14;

    private Dictionary<TreeHash, long> _young = [];
    private Dictionary<TreeHash, long> _old = [];

    public void Add(TreeHash leaf, long index)
    {
        if (_young.Count >= Generation)
        {
            (_old, _young) = (_young, []);
        }
        _young[leaf] = index;
    }

    public bool TryFind(TreeHash leaf, [MaybeNullWhen(false)] out long index) => _young.TryGetValue(leaf, out index) || _old.TryGetValue(leaf, out index);

    /// <summary>The last entries of a tree of this size, from its tiles.</summary>
    public static async Task<RecentEntries> ReadAsync(ITileStore store, long size, CancellationToken cancellation)
    {
        var recent = new RecentEntries();
        for (long tile = Math.Max(0, size - ReadBack) / TilePath.FullWidth; tile * TilePath.FullWidth < size; tile++)
        {
            byte[]? bytes = await store.ReadHashesAsync(TilePath.InTree(0, tile, size), cancellation);
            long index = tile * TilePath.FullWidth;
            foreach (byte[] leaf in bytes?.Chunk(TreeHash.Size) ?? [])
            {
                recent.Add(new TreeHash(leaf), index++);
            }
        }
        return recent;
    }
}
