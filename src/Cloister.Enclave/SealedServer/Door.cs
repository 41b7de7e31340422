namespace Cloister.Enclave.SealedServer;

/// <summary>What all sessions of a server share.</summary>
internal sealed class Door(SealedServerOptions options) : IDisposable
{
    private int _requests;

    public SealedServerOptions Options { get; } = options;

    public KeptAnswers Answers { get; } = new(options.Channel.Time);

    public RequestNames Names { get; } = new(options.Channel.Time);

    public RecentIdentities Identities { get; } = new(options.Identity, options.Channel.Time);

    public DoorCounters Counters { get; } = new();

    /// <summary>A place for a request, which <see cref="Leave"/> gives back; false where all are taken.</summary>
    public bool TryEnter()
    {
        bool entered = Interlocked.Increment(ref _requests) <= Options.MaxRequests;
        if (!entered)
        {
            Leave();
        }
        return entered;
    }

    public void Leave() => Interlocked.Decrement(ref _requests);

    public void Dispose() => Answers.Dispose();
}
