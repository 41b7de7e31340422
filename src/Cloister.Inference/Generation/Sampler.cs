namespace Cloister.Inference.Generation;

/// <summary>Chooses tokens for one answer. The same seed, rule and logits give the same tokens. What it remembers of the conversation is wiped at its end.</summary>
internal sealed class Sampler : IDisposable
{
    // A token this much less likely than the likeliest would be chosen once in a billion times: it is not looked at.
    private const float Negligible = 21;

    private readonly SamplingRule _rule;
    private readonly Random _random;
    private readonly int[] _counts;   // in the answer
    private readonly bool[] _seen;    // in prompt or answer
    private readonly int[] _tokens;   // candidates
    private readonly double[] _weights;

    /// <param name="rule">How to choose.</param>
    /// <param name="vocabulary">How many tokens there are.</param>
    /// <param name="prompt">Tokens that the repetition penalty looks at from the start.</param>
    public Sampler(SamplingRule rule, int vocabulary, ReadOnlySpan<int> prompt = default)
    {
        _rule = rule;
        _random = rule.Seed is { } seed ? new Random(unchecked((int)(seed ^ (seed >> 32)))) : new Random();
        (_counts, _seen) = (new int[vocabulary], new bool[vocabulary]);
        (_tokens, _weights) = rule.Temperature > 0 ? (new int[vocabulary], new double[vocabulary]) : ([], []);
        foreach (int token in prompt)
        {
            if (token < vocabulary)
            {
                _seen[token] = true;
            }
        }
    }

    /// <param name="logits">One per token of the vocabulary. Overwritten.</param>
    /// <exception cref="ModelException">The likeliest is not a number.</exception>
    public int Choose(Span<float> logits)
    {
        Penalise(logits);
        int best = ArgMax(logits);
        if (!float.IsFinite(logits[best]))
        {
            throw new ModelException("The model computes numbers that are not finite.");
        }
        int token = _rule.Temperature <= 0 ? best : Draw(logits, best);
        _counts[token]++;
        _seen[token] = true;
        return token;
    }

    public void Dispose()
    {
        Array.Clear(_counts);
        Array.Clear(_seen);
        Array.Clear(_tokens);
        Array.Clear(_weights);
    }

    private void Penalise(Span<float> logits)
    {
        if (_rule is { RepetitionPenalty: 1, FrequencyPenalty: 0, PresencePenalty: 0 })
        {
            return;
        }
        for (int token = 0; token < logits.Length; token++)
        {
            if (_seen[token])
            {
                logits[token] = logits[token] > 0 ? logits[token] / _rule.RepetitionPenalty : logits[token] * _rule.RepetitionPenalty;
            }
            if (_counts[token] > 0)
            {
                logits[token] -= _counts[token] * _rule.FrequencyPenalty + _rule.PresencePenalty;
            }
        }
    }

    private int Draw(ReadOnlySpan<float> logits, int best)
    {
        int count = 0;
        for (int token = 0; token < logits.Length; token++)
        {
            float distance = (logits[best] - logits[token]) / _rule.Temperature;
            if (token == best || distance < Negligible)
            {
                (_tokens[count], _weights[count]) = (token, token == best ? 1 : Math.Exp(-distance));
                count++;
            }
        }

        int kept = Keep(count);
        double at = _random.NextDouble() * Sum(kept);
        for (int i = 0; i < kept - 1; i++)
        {
            if ((at -= _weights[i]) < 0)
            {
                return _tokens[i];
            }
        }
        return _tokens[kept - 1];
    }

    // Top-k, then top-p over what is left, then min-p relative to the likeliest. At least one token stays.
    private int Keep(int count)
    {
        // The likeliest first. Which of equals is first is the same every time: the sort gets the same numbers in the same order.
        _weights.AsSpan(0, count).Sort(_tokens.AsSpan(0, count), static (left, right) => right.CompareTo(left));
        int kept = _rule.TopK > 0 ? Math.Min(_rule.TopK, count) : count;
        if (_rule.TopP < 1)
        {
            double wanted = _rule.TopP * Sum(kept), sum = 0;
            int nucleus = 0;
            while (nucleus < kept && sum < wanted)
            {
                sum += _weights[nucleus++];
            }
            kept = Math.Max(nucleus, 1);
        }
        while (kept > 1 && _weights[kept - 1] < _rule.MinP * _weights[0])
        {
            kept--;
        }
        return kept;
    }

    private double Sum(int count)
    {
        double sum = 0;
        foreach (double weight in _weights.AsSpan(0, count))
        {
            sum += weight;
        }
        return sum;
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int token = 1; token < logits.Length; token++)
        {
            if (logits[token] > logits[best] || float.IsNaN(logits[best]))
            {
                best = token;
            }
        }
        return best;
    }
}
