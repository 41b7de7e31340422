using System.Numerics;

namespace Cloister.Transparency;

/// <summary>Proofs that a leaf is in a tree (RFC 6962, section 2.1.1).</summary>
public static class InclusionProof
{
    /// <summary>The most hashes a path can have: a tree has fewer than 2^63 leaves.</summary>
    public const int MaxLength = 63;

    /// <summary>Whether the leaf is at this index of the tree with this size and root (RFC 9162, section 2.1.3.2).</summary>
    /// <param name="path">From the leaf's sibling up. Any other length than the tree's shape asks for is refused.</param>
    public static bool Verify(TreeHash leaf, long index, long size, ReadOnlySpan<TreeHash> path, TreeHash root)
    {
        if (index < 0 || index >= size || path.Length > MaxLength)
        {
            return false;
        }

        var hash = leaf;
        var (node, last) = (index, size - 1);
        foreach (var sibling in path)
        {
            if (last == 0)
            {
                return false; // the path is longer than the tree is high
            }
            if ((node & 1) == 1 || node == last)
            {
                hash = TreeHash.OfNode(sibling, hash);
                int skipped = (node & 1) == 1 ? 0 : BitOperations.TrailingZeroCount(node);
                (node, last) = (node >> skipped, last >> skipped); // a last node without a sibling rises unchanged
            }
            else
            {
                hash = TreeHash.OfNode(hash, sibling);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && hash == root;
    }

    /// <summary>Makes the path for the leaf at <paramref name="index"/> of a tree of this size.</summary>
    /// <returns>False where <paramref name="hashes"/> lacks one that is needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf.</exception>
    public static bool TryMake(HashReader hashes, long index, long size, out TreeHash[] path)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);

        // From the root down, then turned: at each level what lies beside the half that holds the leaf.
        var found = new Stack<TreeHash>();
        var (start, end) = (0L, size);
        while (end - start > 1)
        {
            long middle = start + Subtrees.SplitOf(end - start);
            bool left = index < middle;
            if (!Subtrees.TryHash(hashes, left ? middle : start, left ? end : middle, out var sibling))
            {
                path = [];
                return false;
            }
            found.Push(sibling);
            (start, end) = left ? (start, middle) : (middle, end);
        }
        path = [.. found];
        return true;
    }
}
