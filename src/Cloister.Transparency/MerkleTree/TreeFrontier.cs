using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Cloister.Transparency;

/// <summary>A tree's right edge: the roots of its full subtrees, all that is needed to append and to know the root. Not thread-safe.</summary>
public sealed class TreeFrontier
{
    private readonly List<TreeHash> _roots = []; // of the full subtrees, largest first, one for each set bit of Size

    /// <summary>Leaves appended so far.</summary>
    public long Size { get; private set; }

    /// <summary>The full subtrees' roots, largest first: enough to go on later.</summary>
    public ImmutableArray<TreeHash> Subtrees => [.. _roots];

    /// <summary>The root of the tree as it is.</summary>
    public TreeHash Root
    {
        get
        {
            if (_roots.Count == 0)
            {
                return TreeHash.Empty;
            }
            var root = _roots[^1];
            for (int i = _roots.Count - 2; i >= 0; i--)
            {
                root = TreeHash.OfNode(_roots[i], root);
            }
            return root;
        }
    }

    /// <summary>Goes on where <see cref="Subtrees"/> stopped. False where their number is not the one that the size asks for.</summary>
    public static bool TryRestore(long size, ReadOnlySpan<TreeHash> subtrees, [NotNullWhen(true)] out TreeFrontier? frontier)
    {
        bool fits = size >= 0 && BitOperations.PopCount((ulong)size) == subtrees.Length;
        frontier = fits ? new TreeFrontier { Size = size } : null;
        frontier?._roots.AddRange(subtrees);
        return fits;
    }

    /// <summary>Appends a leaf's hash.</summary>
    /// <param name="completed">Told of each subtree that the leaf completes: its level (the leaf's own is 0), index and hash, in that order upwards.</param>
    public void Append(TreeHash leaf, Action<int, long, TreeHash>? completed = null)
    {
        var hash = leaf;
        int level = 0;
        completed?.Invoke(level, Size, hash);
        for (long size = Size; (size & 1) == 1; size >>= 1)
        {
            hash = TreeHash.OfNode(_roots[^1], hash);
            _roots.RemoveAt(_roots.Count - 1);
            completed?.Invoke(++level, size >> 1, hash);
        }
        _roots.Add(hash);
        Size++;
    }
}
