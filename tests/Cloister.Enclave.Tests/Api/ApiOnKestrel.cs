using Cloister.Attestation;
using Cloister.Enclave.Api;
using Cloister.Enclave.Engines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cloister.Enclave.Tests.Api;

/// <summary>The enclave's API behind an ordinary server, to see that it does not care which one carries it.</summary>
internal sealed class ApiOnKestrel : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Engine _engine;

    private ApiOnKestrel(WebApplication application, Engine engine, Uri address) =>
        (_application, _engine, Client) = (application, engine, new HttpClient { BaseAddress = address });

    public HttpClient Client { get; }

    public static EnclaveLimits Limits { get; } = new() { Sessions = 8, Answers = 2, RequestBytes = 256 * 1024, AnswerTokens = 64 };

    public static Task<ApiOnKestrel> StartAsync(params EmbeddedModel[] models) =>
        StartAsync(new EmbeddedEngine(models, Limits, TimeProvider.System));

    public static async Task<ApiOnKestrel> StartAsync(Engine engine)
    {
        var options = new KestrelServerOptions();
        options.ListenLocalhostOnFreePort();
        var server = new KestrelServer(
            Options.Create(options),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);

        var application = EnclaveApi.Build(engine, server);
        await application.StartAsync();
        return new ApiOnKestrel(application, engine, new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First()));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.DisposeAsync();
        await _engine.DisposeAsync();
    }
}

internal static class KestrelOnLoopback
{
    public static void ListenLocalhostOnFreePort(this KestrelServerOptions options) => options.Listen(System.Net.IPAddress.Loopback, 0);
}
