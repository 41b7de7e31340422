using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cloister.Channel;
using Cloister.Primitives;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>What the enclave is at this moment: the key that sessions open to, the hash of the statement that names it, and the bundle that proves it.</summary>
public sealed record EnclaveIdentity(X25519PrivateKey ChannelKey, ReadOnlyMemory<byte> StatementHash, ReadOnlyMemory<byte> Bundle);

/// <summary>How the enclave's door is set up.</summary>
public sealed record SealedServerOptions
{
    /// <summary>Where the operator's carrier connects.</summary>
    public required EndPoint Endpoint { get; init; }

    /// <summary>
    /// Asked at the start of each connection, so that a renewed identity counts from then on. Sessions to the ones before are
    /// accepted for as long as a client may hold their statements; a key that is disposed no longer.
    /// </summary>
    public required Func<EnclaveIdentity> Identity { get; init; }

    /// <summary>Its shaping is the floor.</summary>
    public required ChannelOptions Channel { get; init; }

    /// <summary>Connections at once; one more is closed unread.</summary>
    public required int MaxSessions { get; init; }

    /// <summary>The longest request content, in bytes.</summary>
    public required long MaxRequestBytes { get; init; }

    /// <summary>Requests in progress at once over all sessions; one more is answered 503.</summary>
    public int MaxRequests { get; init; } = 1024;
}

/// <summary>The enclave's only door: ASP.NET Core requests out of sealed exchanges (docs/spec/exchanges.md). Kestrel is not here.</summary>
/// <remarks>Whatever a connection does ends that connection and nothing else. Nothing of it is logged; <see cref="Counters"/> has all that is counted.</remarks>
public sealed class SealedServer : IServer
{
    private readonly SealedServerOptions _options;
    private readonly Door _door;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _sessions;

    public SealedServer(SealedServerOptions options) => (_options, _door) = (options, new Door(options));

    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>Where it listens, once started: the port where the options said 0.</summary>
    public EndPoint? LocalEndpoint => _listener?.LocalEndPoint;

    /// <summary>Connections open now.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    public DoorCounters Counters => _door.Counters;

    /// <summary>Answers kept now: in progress and resumable, or waiting for a client that was cut off.</summary>
    internal int KeptAnswers => _door.Answers.Count;

    /// <exception cref="SocketException">The endpoint is taken or not allowed.</exception>
    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull
    {
        _listener = new Socket(_options.Endpoint.AddressFamily, SocketType.Stream, _options.Endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listener.Bind(_options.Endpoint);
        _listener.Listen(512);
        _accepting = AcceptAsync(_listener, application);
        return Task.CompletedTask;
    }

    /// <summary>Closes the door, then every session with an authenticated close.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        _listener?.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Keys).WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener?.Dispose();
        _door.Dispose();
    }

    private async Task AcceptAsync<TContext>(Socket listener, IHttpApplication<TContext> application) where TContext : notnull
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stopping.Token);
                var connection = ServeAsync(socket, application);
                if (!connection.IsCompleted)
                {
                    _connections.TryAdd(connection, 0);
                    _ = connection.ContinueWith(static (ended, all) => ((ConcurrentDictionary<Task, byte>)all!).TryRemove(ended, out _), _connections, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The peer was gone before it was accepted, or descriptors ran out: the next one may fare better.
                await Task.Delay(TimeSpan.FromMilliseconds(50), _options.Channel.Time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync<TContext>(Socket socket, IHttpApplication<TContext> application) where TContext : notnull
    {
        if (Interlocked.Increment(ref _sessions) <= _options.MaxSessions)
        {
            try
            {
                socket.NoDelay = socket.ProtocolType is ProtocolType.Tcp;
                var connection = new NetworkStream(socket, ownsSocket: true);
                if (await GreetAsync(connection) is var (stream, identity))
                {
                    await using (stream)
                    {
                        var session = new ServedSession(identity, stream.HandshakeHash);
                        await new SealedSession<TContext>(stream, session, application, _door).RunAsync(_stopping.Token);
                    }
                }
            }
            catch (Exception)
            {
                // The carrier or the client went away or misbehaved, or the identity was just wiped. There is nobody to tell.
            }
        }
        else
        {
            _door.Counters.Count(DoorCounter.ConnectionsRefused);
        }
        socket.Dispose();
        Interlocked.Decrement(ref _sessions);
    }

    // docs/spec/channel.md, section 4, and docs/spec/operator.md: the first byte says what the connection is for.
    private async Task<(SealedStream, EnclaveIdentity)?> GreetAsync(NetworkStream connection)
    {
        using var patience = new CancellationTokenSource(_options.Channel.HandshakeTimeout, _options.Channel.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stopping.Token);
        var kind = new byte[1];
        int read = await connection.ReadAsync(kind, limit.Token);

        var identities = _door.Identities.Candidates();
        switch (read == 0 ? default : (CarrierKind)kind[0])
        {
            case CarrierKind.Bundle:
                _door.Counters.Count(DoorCounter.Bundles);
                await connection.WriteAsync(identities[0].Bundle, limit.Token);
                return null;

            case CarrierKind.Session:
                var accepted = await ShakeHandsAsync(connection, identities, limit.Token);
                _door.Counters.Count(accepted is null ? DoorCounter.HandshakesFailed : DoorCounter.Sessions);
                return accepted;

            default:
                _door.Counters.Count(DoorCounter.HandshakesFailed);
                return null;
        }
    }

    // The client's first message opens under the one identity that it was made for, and under no other.
    private async Task<(SealedStream, EnclaveIdentity)?> ShakeHandsAsync(NetworkStream connection, EnclaveIdentity[] identities, CancellationToken cancellationToken)
    {
        var transport = new FirstMessage(new FramedTransport(connection));
        foreach (var identity in identities)
        {
            try
            {
                transport.Rewind();
                var stream = await SealedStream.AcceptAsync(transport, identity.ChannelKey, identity.StatementHash, _options.Channel, cancellationToken);
                transport.Keep();
                return (stream, identity);
            }
            catch (ChannelException e) when (e.Fault is ChannelFault.Unauthentic)
            {
                // Made for another identity, perhaps for the next one in the list.
            }
            catch (ChannelException)
            {
                return null;
            }
        }
        return null;
    }

    private enum CarrierKind : byte { Session = 1, Bundle = 2 }
}
