using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Channel.Exchanges;

namespace Cloister.Client;

/// <summary>A sealed session with an appraised enclave. There is no other way to one than <see cref="OpenAsync"/>, which appraises first.</summary>
internal sealed class EnclaveSession : IDisposable
{
    // A session is not begun, nor used for a new request, this close to the end of what was proved.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    private readonly Multiplexer _multiplexer;
    private readonly SemaphoreSlim _places = new(Exchanges.MaxConcurrent);
    private readonly TimeProvider _time;
    private int _users = 1;
    private int _disposed;

    private EnclaveSession(string name, AppraisedEnclave enclave, SealedStream stream, TimeProvider time)
    {
        (Name, Enclave, HandshakeHash, _time) = (name, enclave, stream.HandshakeHash, time);
        _multiplexer = Multiplexer.ForClient(stream);
    }

    /// <summary>What the operator calls it.</summary>
    public string Name { get; }

    public AppraisedEnclave Enclave { get; }

    /// <summary>The session's own name, 32 bytes: no other session has it.</summary>
    public ReadOnlyMemory<byte> HandshakeHash { get; }

    /// <summary>It can carry a new request: it is up, and what was proved still holds.</summary>
    public bool IsFresh => !_multiplexer.Completion.IsCompleted && _time.GetUtcNow() < Enclave.ExpiresAt - Margin;

    /// <summary>Fetches the directory, appraises bundles until one passes, and opens a channel to the enclave that it proves.</summary>
    /// <param name="preferred">The name of the one to try first. The others follow in an order of chance, so that clients spread over them.</param>
    /// <exception cref="EnclaveRefusedException">None passed.</exception>
    /// <exception cref="EnclaveUnreachableException">The operator or every accepted enclave is out of reach.</exception>
    public static async Task<EnclaveSession> OpenAsync(ClientOptions options, HttpClient directory, string? preferred, CancellationToken cancellationToken)
    {
        var results = new List<AttestationResult>();
        Exception? unreachable = null;
        var all = await EnclaveDirectory.FetchAsync(directory, options.Operator, cancellationToken).ConfigureAwait(false);
        var follower = new LogFollower(directory, options);
        foreach (var listed in InOrder(all, preferred))
        {
            var result = await follower.AppraiseAsync(listed.Bundle, cancellationToken).ConfigureAwait(false);
            results.Add(result);
            options.Appraised?.Invoke(result);
            if (!result.TryAccept(out var enclave) || options.Time.GetUtcNow() >= enclave.ExpiresAt - Margin)
            {
                continue;
            }

            try
            {
                var transport = await WebSocketTransport.ConnectAsync(options.Operator, listed.Name, cancellationToken).ConfigureAwait(false);
                var stream = await SealedStream.OpenAsync(transport, enclave, new ChannelOptions { Time = options.Time, Shaping = options.Shaping }, cancellationToken).ConfigureAwait(false);
                return new EnclaveSession(listed.Name, enclave, stream, options.Time);
            }
            catch (Exception e) when (e is EnclaveUnreachableException or IOException)
            {
                unreachable = e;
            }
        }
        throw unreachable is null && !results.Any(result => result.IsAccepted)
            ? new EnclaveRefusedException(results)
            : new EnclaveUnreachableException("The enclave was accepted, but no channel to it could be opened.", unreachable);
    }

    /// <summary>Waits for one of the session's places and begins an exchange, which has it until it is over.</summary>
    /// <exception cref="ExchangeException">The session is over. Nothing was sent.</exception>
    public async Task<Exchange> BeginAsync(CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        Interlocked.Increment(ref _users);
        try
        {
            var exchange = _multiplexer.Begin();
            _ = exchange.Completion.ContinueWith(
                static (_, session) => ((EnclaveSession)session!).End(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return exchange;
        }
        catch
        {
            End();
            throw;
        }
    }

    /// <summary>No new requests: the session closes when the ones in progress are done.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Leave();
        }
    }

    private void End()
    {
        _places.Release();
        Leave();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            _ = _multiplexer.DisposeAsync().AsTask();
        }
    }

    private static IEnumerable<ListedEnclave> InOrder(IReadOnlyList<ListedEnclave> all, string? preferred)
    {
        ListedEnclave[] order = [.. all];
        RandomNumberGenerator.Shuffle(order.AsSpan());
        return order.OrderBy(listed => listed.Name != preferred);
    }
}
