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

    /// <summary>Asked at the start of each connection, so that a renewed identity counts from then on.</summary>
    public required Func<EnclaveIdentity> Identity { get; init; }

    /// <summary>Its shaping is the floor.</summary>
    public required ChannelOptions Channel { get; init; }

    /// <summary>Connections at once; one more is closed unread.</summary>
    public required int MaxSessions { get; init; }

    /// <summary>The longest request content, in bytes.</summary>
    public required long MaxRequestBytes { get; init; }
}

/// <summary>The enclave's only door: ASP.NET Core requests out of sealed exchanges (docs/spec/exchanges.md). Kestrel is not here.</summary>
/// <remarks>Whatever a connection does ends that connection and nothing else. Nothing of it is logged.</remarks>
public sealed class SealedServer(SealedServerOptions options) : IServer
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly AnswerMemory _answers = new(options.Channel.Time);
    private readonly ReplayWindow _replays = new(options.Channel.Time);
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _sessions;

    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>Where it listens, once started: the port where the options said 0.</summary>
    public EndPoint? LocalEndpoint => _listener?.LocalEndPoint;

    /// <summary>Sessions open now.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <exception cref="SocketException">The endpoint is taken or not allowed.</exception>
    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull
    {
        _listener = new Socket(options.Endpoint.AddressFamily, SocketType.Stream, options.Endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listener.Bind(options.Endpoint);
        _listener.Listen(512);
        _accepting = AcceptAsync(_listener, application);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        _listener?.Dispose();
        await _accepting;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener?.Dispose();
        _answers.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync<TContext>(Socket listener, IHttpApplication<TContext> application) where TContext : notnull
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stopping.Token);
                _ = ServeAsync(socket, application);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The peer was gone before it was accepted, or descriptors ran out: the next one may fare better.
                await Task.Delay(TimeSpan.FromMilliseconds(50), options.Channel.Time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync<TContext>(Socket socket, IHttpApplication<TContext> application) where TContext : notnull
    {
        using (socket)
        {
            if (Interlocked.Increment(ref _sessions) <= options.MaxSessions)
            {
                try
                {
                    socket.NoDelay = socket.ProtocolType is ProtocolType.Tcp;
                    await ServeAsync(new NetworkStream(socket), application);
                }
                catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
                {
                    // The carrier or the client went away, or misbehaved. There is nobody to tell.
                }
            }
            Interlocked.Decrement(ref _sessions);
        }
    }

    // docs/spec/channel.md, section 4: the first byte says what the connection is for.
    private async Task ServeAsync<TContext>(NetworkStream stream, IHttpApplication<TContext> application) where TContext : notnull
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        patience.CancelAfter(options.Channel.HandshakeTimeout);
        var kind = new byte[1];
        if (await stream.ReadAsync(kind, patience.Token) == 0)
        {
            return;
        }

        var identity = options.Identity();
        switch ((CarrierKind)kind[0])
        {
            case CarrierKind.Bundle:
                await stream.WriteAsync(identity.Bundle, patience.Token);
                break;

            case CarrierKind.Session:
                await using (var sealedStream = await SealedStream.AcceptAsync(new FramedTransport(stream), identity.ChannelKey, identity.StatementHash, options.Channel, _stopping.Token))
                {
                    await new SealedConnection<TContext>(sealedStream, application, options, _answers, _replays).RunAsync(_stopping.Token);
                }
                break;
        }
    }

    private enum CarrierKind : byte { Session = 1, Bundle = 2 }
}
