using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Channel.Exchanges;
using Nerdbank.Streams;

namespace Cloister.Client;

/// <summary>A sealed session with an appraised enclave. There is no other way to one than <see cref="OpenAsync"/>, which appraises first.</summary>
internal sealed class EnclaveSession : IAsyncDisposable
{
    // A session is not begun, nor used for a new request, this close to the end of what was proved.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    // Longer than an operator keeps its directory.
    private static readonly TimeSpan RenewalPatience = TimeSpan.FromSeconds(3);

    private readonly SealedStream _stream;
    private readonly MultiplexingStream _multiplexer;
    private readonly SemaphoreSlim _slots = new(Exchanges.MaxConcurrent);
    private readonly TimeProvider _time;
    private int _exchanges;
    private bool _retired;

    private EnclaveSession(AppraisedEnclave enclave, SealedStream stream, TimeProvider time)
    {
        (Enclave, _stream, _time) = (enclave, stream, time);
        _multiplexer = Exchanges.Multiplex(stream);
    }

    public AppraisedEnclave Enclave { get; }

    /// <summary>It can carry a new request: it is up, and what was proved still holds.</summary>
    public bool IsFresh => !IsLost && _time.GetUtcNow() < Enclave.ExpiresAt - Margin;

    /// <summary>It ended other than by our own doing.</summary>
    public bool IsLost => _stream.IsLost || _multiplexer.Completion.IsCompleted;

    /// <summary>Fetches the directory, appraises each bundle, and opens a channel to the first enclave that passes.</summary>
    /// <exception cref="EnclaveRefusedException">None passed.</exception>
    /// <exception cref="EnclaveUnreachableException">The operator or every accepted enclave is out of reach.</exception>
    public static async Task<EnclaveSession> OpenAsync(ClientOptions options, HttpClient directory, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenOnceAsync(options, directory, cancellationToken).ConfigureAwait(false);
        }
        catch (EnclaveUnreachableException e) when (e.InnerException is ChannelException)
        {
            // The enclave may have renewed its statement since the directory was made: once more, with whatever it says now.
            await Task.Delay(RenewalPatience, options.Time, cancellationToken).ConfigureAwait(false);
            return await OpenOnceAsync(options, directory, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<EnclaveSession> OpenOnceAsync(ClientOptions options, HttpClient directory, CancellationToken cancellationToken)
    {
        var results = new List<AttestationResult>();
        Exception? unreachable = null;
        foreach (var listed in await EnclaveDirectory.FetchAsync(directory, options.Operator, cancellationToken).ConfigureAwait(false))
        {
            var result = Appraisal.Appraise(listed.Bundle, options.Policy, options.Time.GetUtcNow());
            results.Add(result);
            options.Appraised?.Invoke(result);
            if (!result.TryAccept(out var enclave))
            {
                continue;
            }

            try
            {
                var transport = await WebSocketTransport.ConnectAsync(options.Operator, listed.Name, cancellationToken).ConfigureAwait(false);
                var stream = await SealedStream.OpenAsync(transport, enclave, new Channel.ChannelOptions { Time = options.Time, Shaping = options.Shaping }, cancellationToken).ConfigureAwait(false);
                return new EnclaveSession(enclave, stream, options.Time);
            }
            catch (Exception e) when (e is EnclaveUnreachableException or ChannelException or IOException)
            {
                unreachable = e;
            }
        }
        throw unreachable is null ? new EnclaveRefusedException(results) : new EnclaveUnreachableException("The enclave was accepted, but no channel to it could be opened.", unreachable);
    }

    /// <summary>Waits for one of the session's places and begins an exchange.</summary>
    public async Task<ClientExchange> BeginAsync(CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        Interlocked.Increment(ref _exchanges);
        try
        {
            return new ClientExchange(this, _multiplexer.CreateChannel(), _stream.BeginAnswer());
        }
        catch
        {
            End();
            throw;
        }
    }

    /// <summary>No new requests: the session closes when the ones in progress are done.</summary>
    public void Retire()
    {
        Volatile.Write(ref _retired, true);
        if (Volatile.Read(ref _exchanges) == 0)
        {
            _ = DisposeAsync().AsTask();
        }
    }

    internal void End()
    {
        _slots.Release();
        if (Interlocked.Decrement(ref _exchanges) == 0 && Volatile.Read(ref _retired))
        {
            _ = DisposeAsync().AsTask();
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _multiplexer.DisposeAsync().ConfigureAwait(false);
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It was gone before.
        }
    }
}

/// <summary>One exchange's two directions. Disposing it before the end cancels it.</summary>
internal sealed class ClientExchange(EnclaveSession session, MultiplexingStream.Channel channel, IDisposable answer) : IDisposable
{
    private int _disposed;

    public EnclaveSession Session => session;

    public System.IO.Pipelines.PipeReader Input => channel.Input;

    public System.IO.Pipelines.PipeWriter Output => channel.Output;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            channel.Dispose();
            answer.Dispose();
            session.End();
        }
    }
}
