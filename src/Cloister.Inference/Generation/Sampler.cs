namespace Cloister.Inference.Generation;

/// <summary>Chooses tokens for one answer. The same seed, rule and logits give the same tokens.</summary>
internal sealed class Sampler(SamplingRule rule)
{
    // A token this much less likely than the likeliest would be chosen once in a billion times: it is not looked at.
    private const float Negligible = 21;

    private readonly Random _random = rule.Seed is { } seed ? new Random(unchecked((int)(seed ^ (seed >> 32)))) : new Random();
    private readonly Dictionary<int, int> _counts = [];
    private readonly HashSet<int> _seen = [];

    /// <summary>Tokens that the repetition penalty looks at: those of the prompt.</summary>
    public void Read(IEnumerable<int> prompt) => _seen.UnionWith(prompt);

    /// <param name="logits">One per token of the vocabulary. Overwritten.</param>
    public int Choose(Span<float> logits)
    {
        Penalise(logits);
        int token = rule.Temperature <= 0 ? ArgMax(logits) : Draw(logits);
        _counts[token] = _counts.GetValueOrDefault(token) + 1;
        _seen.Add(token);
        return token;
    }

    private void Penalise(Span<float> logits)
    {
        if (rule.RepetitionPenalty is not 1)
        {
            foreach (int token in _seen)
            {
                logits[token] = logits[token] > 0 ? logits[token] / rule.RepetitionPenalty : logits[token] * rule.RepetitionPenalty;
            }
        }
        if (rule.FrequencyPenalty is not 0 || rule.PresencePenalty is not 0)
        {
            foreach (var (token, count) in _counts)
            {
                logits[token] -= count * rule.FrequencyPenalty + rule.PresencePenalty;
            }
        }
    }

    private int Draw(Span<float> logits)
    {
        float max = logits[ArgMax(logits)];
        var candidates = new List<(int Token, double Weight)>();
        for (int token = 0; token < logits.Length; token++)
        {
            float distance = (max - logits[token]) / rule.Temperature;
            if (distance < Negligible)
            {
                candidates.Add((token, Math.Exp(-distance)));
            }
        }
        candidates.Sort(static (left, right) => right.Weight != left.Weight ? right.Weight.CompareTo(left.Weight) : left.Token.CompareTo(right.Token));

        int kept = Keep(candidates);
        double at = _random.NextDouble() * candidates.Take(kept).Sum(candidate => candidate.Weight);
        foreach (var (token, weight) in candidates.Take(kept))
        {
            if ((at -= weight) < 0)
            {
                return token;
            }
        }
        return candidates[kept - 1].Token;
    }

    // Top-k, then top-p over what is left, then min-p relative to the likeliest. At least one token stays.
    private int Keep(List<(int Token, double Weight)> candidates)
    {
        int kept = rule.TopK > 0 ? Math.Min(rule.TopK, candidates.Count) : candidates.Count;
        if (rule.TopP < 1)
        {
            double wanted = rule.TopP * candidates.Take(kept).Sum(candidate => candidate.Weight);
            int nucleus = 0;
            for (double sum = 0; nucleus < kept && sum < wanted; nucleus++)
            {
                sum += candidates[nucleus].Weight;
            }
            kept = Math.Max(nucleus, 1);
        }
        while (kept > 1 && candidates[kept - 1].Weight < rule.MinP * candidates[0].Weight)
        {
            kept--;
        }
        return kept;
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int token = 1; token < logits.Length; token++)
        {
            if (logits[token] > logits[best])
            {
                best = token;
            }
        }
        return best;
    }
}
