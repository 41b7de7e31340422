namespace Cloister.Enclave.SealedServer;

/// <summary>The session that a request came in: a feature of its context.</summary>
/// <param name="Identity">The one that the client opened it to, which may not be the newest any more.</param>
/// <param name="HandshakeHash">The session's name, 32 bytes.</param>
internal sealed record ServedSession(EnclaveIdentity Identity, ReadOnlyMemory<byte> HandshakeHash)
{
    // A machine answers a few questions a second, for all sessions together.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long? _asked;

    /// <summary>False where this session's machine was asked for evidence less than five seconds ago.</summary>
    public bool MayAsk(TimeProvider time)
    {
        lock (_gate)
        {
            bool may = _asked is not { } asked || time.GetElapsedTime(asked) >= Pause;
            _asked = may ? time.GetTimestamp() : _asked;
            return may;
        }
    }
}
