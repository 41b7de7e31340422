namespace Cloister.Inference.Tokenization;

/// <summary>Byte-pair encoding of one piece of text: of all neighbours that may be joined, the pair of the lowest rank first, the leftmost among equals.</summary>
internal sealed class BytePairs(Dictionary<(string, string), int> ranks)
{
    /// <summary>Joins <paramref name="symbols"/> until nothing more can be. Takes n log n: a piece may be a whole document.</summary>
    public List<string> Join(List<string> symbols)
    {
        int count = symbols.Count;
        var (previous, next) = (new int[count], new int[count]);
        var candidates = new PriorityQueue<(int Left, string First, string Second), (int Rank, int Position)>();

        void Offer(int left)
        {
            if (left >= 0 && next[left] < count && ranks.TryGetValue((symbols[left], symbols[next[left]]), out int rank))
            {
                candidates.Enqueue((left, symbols[left], symbols[next[left]]), (rank, left));
            }
        }

        for (int i = 0; i < count; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
        }
        for (int i = 0; i < count - 1; i++)
        {
            Offer(i);
        }

        while (candidates.TryDequeue(out var pair, out _))
        {
            // Its symbols may have been joined to others since.
            int right = pair.Left < count ? next[pair.Left] : count;
            if (right >= count || !ReferenceEquals(symbols[pair.Left], pair.First) || !ReferenceEquals(symbols[right], pair.Second))
            {
                continue;
            }

            symbols[pair.Left] = pair.First + pair.Second;
            symbols[right] = "";
            next[pair.Left] = next[right];
            if (next[right] < count)
            {
                previous[next[right]] = pair.Left;
            }
            Offer(previous[pair.Left]);
            Offer(pair.Left);
        }

        symbols.RemoveAll(symbol => symbol.Length == 0);
        return symbols;
    }
}
