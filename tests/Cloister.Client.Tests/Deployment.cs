using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Enclave.SealedServer;
using Cloister.Primitives;
using Cloister.Simulation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cloister.Client.Tests;

/// <summary>A simulated enclave that serves an application of the test's, behind an operator that the test can turn against its client.</summary>
internal sealed class Deployment : IAsyncDisposable
{
    private static readonly DevelopmentAuthority Authority = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);

    private readonly SealedServer _server;
    private readonly WebApplication _enclave;
    private readonly WebApplication _operator;
    private readonly X25519PrivateKey _key = X25519PrivateKey.Generate();
    private readonly List<WebSocket> _sockets = [];
    private readonly List<Socket> _links = [];

    private Deployment(Action<WebApplication> map, TimeProvider time, ShapingProfile floor)
    {
        var bundle = SimulatedEnclave.Bundle(Authority, _key.PublicKey, time.GetUtcNow());
        Bundle = bundle.ToBytes();
        var identity = new EnclaveIdentity(_key, EnclaveStatement.Hash(bundle.Statement.Span), Bundle);
        _server = new SealedServer(new SealedServerOptions
        {
            Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
            Identity = () => identity,
            Channel = new ChannelOptions { Time = time, Shaping = floor },
            MaxSessions = 100,
            MaxRequestBytes = 1024 * 1024,
        });

        var enclave = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        enclave.Services.AddSingleton<IServer>(_server);
        enclave.Services.AddRoutingCore();
        _enclave = enclave.Build();
        _enclave.UseRouting();
        map(_enclave);

        var carrier = WebApplication.CreateSlimBuilder();
        carrier.Logging.ClearProviders();
        carrier.WebHost.UseUrls("http://127.0.0.1:0");
        _operator = carrier.Build();
        _operator.UseWebSockets();
        _operator.MapGet("/cloister/v1/enclaves", () => Results.Text(JsonSerializer.Serialize(new { enclaves = new[] { new { name = "one", bundle = Convert.ToBase64String(Bundle) } } }), "application/json"));
        _operator.Map("/cloister/v1/enclaves/one/channel", CarryAsync);
    }

    /// <summary>What the operator hands out as the enclave's bundle.</summary>
    public byte[] Bundle { get; set; }

    /// <summary>Called with each message that the operator carries, and the way it goes. It may alter it.</summary>
    public Action<bool, byte[]> Carrying { get; set; } = (_, _) => { };

    /// <summary>Messages that the operator carried so far.</summary>
    public int Carried { get; private set; }

    public int Connections { get; private set; }

    public Uri Address { get; private set; } = null!;

    public AppraisalPolicy Policy { get; } = SimulatedEnclave.Policy(Authority);

    public static async Task<Deployment> StartAsync(Action<WebApplication> map, TimeProvider? time = null, ShapingProfile floor = ShapingProfile.Padded)
    {
        var deployment = new Deployment(map, time ?? TimeProvider.System, floor);
        await deployment._enclave.StartAsync();
        await deployment._operator.StartAsync();
        deployment.Address = new Uri(deployment._operator.Urls.First());
        return deployment;
    }

    public HttpClient Client(ShapingProfile shaping = ShapingProfile.Padded, AppraisalPolicy? policy = null) =>
        new(new SealedHttpHandler(new ClientOptions { Operator = Address, Policy = policy ?? Policy, Shaping = shaping })) { BaseAddress = SealedHttpHandler.EnclaveAddress };

    /// <summary>The operator drops every connection, without a word.</summary>
    public void Cut()
    {
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Abort());
            _sockets.Clear();
        }
    }

    /// <summary>The enclave's side of every connection is reset: what it writes next fails, perhaps before it reads that anything happened.</summary>
    public void Reset()
    {
        lock (_sockets)
        {
            foreach (var link in _links)
            {
                link.LingerState = new LingerOption(true, 0);
                link.Close();
            }
            _links.Clear();
        }
    }

    /// <summary>The operator is there, and does not know the enclave.</summary>
    public bool IsAway { get; set; }

    public async ValueTask DisposeAsync()
    {
        Cut();
        await _operator.DisposeAsync();
        await _enclave.StopAsync();
        await _enclave.DisposeAsync();
        _server.Dispose();
        _key.Dispose();
    }

    private async Task CarryAsync(HttpContext context)
    {
        if (IsAway)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync("cloister.v1");
        lock (_sockets)
        {
            _sockets.Add(socket);
            Connections++;
        }
        using var tcp = new TcpClient();
        await tcp.ConnectAsync((IPEndPoint)_server.LocalEndpoint!);
        tcp.NoDelay = true;
        lock (_sockets)
        {
            _links.Add(tcp.Client);
        }
        await using var link = tcp.GetStream();
        await link.WriteAsync(new byte[] { 1 });
        await using var frames = new FramedTransport(link);
        try
        {
            await await Task.WhenAny(UpAsync(socket, frames), DownAsync(frames, socket));
        }
        catch (Exception e) when (e is IOException or WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    private async Task UpAsync(WebSocket socket, FramedTransport frames)
    {
        var buffer = new byte[70_000];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), default);
            if (received.MessageType is WebSocketMessageType.Close)
            {
                return;
            }
            byte[] message = buffer[..received.Count];
            Carried++;
            Carrying(true, message);
            await frames.SendAsync(message, default);
        }
    }

    private async Task DownAsync(FramedTransport frames, WebSocket socket)
    {
        var buffer = new byte[70_000];
        while (await frames.ReceiveAsync(buffer, default) is > 0 and var length)
        {
            byte[] message = buffer[..length];
            Carried++;
            Carrying(false, message);
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, default);
        }
    }
}
