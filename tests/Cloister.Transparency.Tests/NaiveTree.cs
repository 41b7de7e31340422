namespace Cloister.Transparency.Tests;

/// <summary>RFC 6962, section 2.1, as it is written there: every hash from the leaves up, every time.</summary>
internal sealed class NaiveTree(IReadOnlyList<TreeHash> leaves)
{
    public TreeHash Root => Hash(0, leaves.Count);

    public TreeHash Hash(int start, int end) =>
        start == end ? TreeHash.Empty : end - start == 1 ? leaves[start] : TreeHash.OfNode(Hash(start, start + Split(end - start)), Hash(start + Split(end - start), end));

    public TreeHash? Read(int level, long index) => (index + 1) << level <= leaves.Count ? Hash((int)(index << level), (int)((index + 1) << level)) : null;

    public List<TreeHash> Path(int index, int start, int end)
    {
        if (end - start == 1)
        {
            return [];
        }
        int middle = start + Split(end - start);
        return index < middle ? [.. Path(index, start, middle), Hash(middle, end)] : [.. Path(index, middle, end), Hash(start, middle)];
    }

    public List<TreeHash> Proof(int old, int start, int end, bool complete)
    {
        if (old == end)
        {
            return complete ? [] : [Hash(start, end)];
        }
        int middle = start + Split(end - start);
        return old <= middle ? [.. Proof(old, start, middle, complete), Hash(middle, end)] : [.. Proof(old, middle, end, false), Hash(start, middle)];
    }

    private static int Split(int size)
    {
        int half = 1;
        while (half * 2 < size)
        {
            half *= 2;
        }
        return half;
    }
}
