using System.Numerics;

namespace Cloister.Transparency;

/// <summary>Gives the hash of the full subtree over the leaves [index · 2^level, (index + 1) · 2^level), or null where it is not at hand.</summary>
public delegate TreeHash? HashReader(int level, long index);

/// <summary>Hashes of ranges of leaves, put together from full subtrees.</summary>
internal static class Subtrees
{
    /// <summary>RFC 6962's k: the largest power of two smaller than <paramref name="size"/>, which is at least 2.</summary>
    public static long SplitOf(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    /// <summary>MTH(D[start:end]), where start is a multiple of a power of two that is not smaller than the range's largest full subtree.</summary>
    public static bool TryHash(HashReader hashes, long start, long end, out TreeHash hash)
    {
        var parts = new Stack<TreeHash>();
        while (start < end)
        {
            int level = BitOperations.Log2((ulong)(end - start));
            if (hashes(level, start >> level) is not { } part)
            {
                hash = default;
                return false;
            }
            parts.Push(part);
            start += 1L << level;
        }

        hash = parts.TryPop(out var right) ? right : TreeHash.Empty;
        while (parts.TryPop(out var left))
        {
            hash = TreeHash.OfNode(left, hash);
        }
        return true;
    }
}
