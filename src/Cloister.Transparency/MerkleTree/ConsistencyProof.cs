using System.Numerics;

namespace Cloister.Transparency;

/// <summary>Proofs that a tree only grew (RFC 6962, section 2.1.2).</summary>
public static class ConsistencyProof
{
    /// <summary>The most hashes a path can have (tlog-witness, add-checkpoint).</summary>
    public const int MaxLength = 63;

    /// <summary>Whether the old tree is a prefix of the new one (RFC 9162, section 2.1.4.2).</summary>
    /// <param name="path">Empty where the sizes are equal, or the old tree is empty: an empty tree is a prefix of every other.</param>
    public static bool Verify(long oldSize, TreeHash oldRoot, long newSize, TreeHash newRoot, ReadOnlySpan<TreeHash> path)
    {
        if (oldSize < 0 || newSize < oldSize || path.Length > MaxLength)
        {
            return false;
        }
        if (oldSize == newSize)
        {
            return path.IsEmpty && oldRoot == newRoot;
        }
        if (oldSize == 0)
        {
            return path.IsEmpty && oldRoot == TreeHash.Empty;
        }

        // Where the old tree is one full subtree its root is not repeated in the path.
        bool full = BitOperations.IsPow2(oldSize);
        if (path.IsEmpty && !full)
        {
            return false;
        }
        var (oldHash, newHash) = full ? (oldRoot, oldRoot) : (path[0], path[0]);
        int height = BitOperations.TrailingZeroCount(oldSize);
        var (node, last) = ((oldSize - 1) >> height, (newSize - 1) >> height);
        foreach (var sibling in full ? path : path[1..])
        {
            if (last == 0)
            {
                return false;
            }
            if ((node & 1) == 1 || node == last)
            {
                (oldHash, newHash) = (TreeHash.OfNode(sibling, oldHash), TreeHash.OfNode(sibling, newHash));
                while ((node & 1) == 0 && node != 0)
                {
                    (node, last) = (node >> 1, last >> 1);
                }
            }
            else
            {
                newHash = TreeHash.OfNode(newHash, sibling);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot;
    }

    /// <summary>Makes the path from a tree of one size to a tree of another.</summary>
    /// <returns>False where <paramref name="hashes"/> lacks one that is needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The old size is negative or larger than the new one.</exception>
    public static bool TryMake(HashReader hashes, long oldSize, long newSize, out TreeHash[] path)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        path = [];
        if (oldSize == 0 || oldSize == newSize)
        {
            return true;
        }

        // SUBPROOF of section 2.1.2, from the root down, then turned.
        var found = new Stack<TreeHash>();
        var (start, end) = (0L, newSize);
        while (end != oldSize)
        {
            long middle = start + Subtrees.SplitOf(end - start);
            bool left = oldSize <= middle;
            if (!Subtrees.TryHash(hashes, left ? middle : start, left ? end : middle, out var sibling))
            {
                return false;
            }
            found.Push(sibling);
            (start, end) = left ? (start, middle) : (middle, end);
        }
        if (start > 0)
        {
            if (!Subtrees.TryHash(hashes, start, end, out var shared))
            {
                return false;
            }
            found.Push(shared);
        }
        path = [.. found];
        return true;
    }
}
