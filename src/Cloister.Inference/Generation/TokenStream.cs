namespace Cloister.Inference.Generation;

/// <summary>The tokens of one answer, one after another. The prompt stays the caller's.</summary>
/// <param name="decoder">The model.</param>
/// <param name="turn">One step at a time for all conversations. Those that wait are served in the order in which they came, so nobody waits longer than one step of each other.</param>
/// <param name="prompt">What is read before the first token.</param>
/// <param name="rule">How a token is chosen.</param>
internal sealed class TokenStream(OnnxDecoder decoder, SemaphoreSlim turn, ReadOnlyMemory<int> prompt, SamplingRule rule) : IDisposable
{
    // A step of reading: short enough that cancelling and other conversations do not wait long for it.
    private const int PrefillTokens = 128;

    private readonly Sampler _sampler = new(rule, decoder.Vocabulary, prompt.Span);
    private readonly KeyValueCache _cache = decoder.Begin();
    private readonly int[] _last = new int[1];
    private ReadOnlyMemory<int> _unread = prompt;
    private float[] _logits = [];

    /// <summary>The next token. Once this has thrown, the stream is at its end.</summary>
    public async ValueTask<int> NextAsync(CancellationToken cancellationToken)
    {
        while (_unread.Length > 0)
        {
            await StepAsync(Math.Min(PrefillTokens, _unread.Length), cancellationToken).ConfigureAwait(false);
        }
        _last[0] = _sampler.Choose(_logits);
        _unread = _last;
        return _last[0];
    }

    /// <summary>Wipes what it knows of the conversation.</summary>
    public void Dispose()
    {
        _cache.Dispose();
        _sampler.Dispose();
        Array.Clear(_logits);
        Array.Clear(_last);
    }

    private async Task StepAsync(int count, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Off the caller's thread: it may have better things to do than matrices.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            decoder.Step(_cache, _unread.Span[..count], ref _logits, cancellationToken);
            _unread = _unread[count..];
        }
        finally
        {
            turn.Release();
        }
    }
}
