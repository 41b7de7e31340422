using System.Collections.Immutable;
using System.Net.WebSockets;
using Cloister.Operator.Accounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cloister.Operator.Tests;

/// <summary>The real program on Kestrel, on a free port.</summary>
internal sealed class RunningOperator : IAsyncDisposable
{
    private readonly WebApplication _program;

    private RunningOperator(WebApplication program)
    {
        _program = program;
        Address = new Uri(program.Urls.Single());
        Http = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public AccountRoom Accounts => _program.Services.GetRequiredService<AccountRoom>();

    public static Task<RunningOperator> StartAsync(Neighbour enclave, int sessions = 100) => StartAsync(Options(("one", enclave.Address)) with { SessionsPerEnclave = sessions });

    public static async Task<RunningOperator> StartAsync(OperatorOptions options, TimeProvider? time = null, ILoggerProvider? log = null)
    {
        var program = OperatorProgram.Build(options, logging =>
        {
            if (log is not null)
            {
                logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace);
            }
        }, time ?? TimeProvider.System);
        await program.StartAsync();
        return new RunningOperator(program);
    }

    public static OperatorOptions Options(params (string Name, string Address)[] enclaves) => new()
    {
        Listen = "127.0.0.1:0",
        Enclaves = enclaves.ToImmutableDictionary(enclave => enclave.Name, enclave => enclave.Address),
    };

    public async Task<ClientWebSocket> OpenAsync(string name = "one", Action<ClientWebSocketOptions>? configure = null)
    {
        var device = new ClientWebSocket();
        device.Options.AddSubProtocol("cloister.v1");
        device.Options.CollectHttpResponseDetails = true;
        configure?.Invoke(device.Options);
        await device.ConnectAsync(new Uri($"ws://{Address.Authority}/cloister/v1/enclaves/{name}/channel"), CancellationToken.None);
        return device;
    }

    /// <summary>The status with which a channel is refused.</summary>
    public async Task<int> RefusalAsync(string name = "one", Action<ClientWebSocketOptions>? configure = null)
    {
        using var device = new ClientWebSocket();
        device.Options.CollectHttpResponseDetails = true;
        device.Options.AddSubProtocol("cloister.v1");
        configure?.Invoke(device.Options);
        await Assert.ThrowsAsync<WebSocketException>(() => device.ConnectAsync(new Uri($"ws://{Address.Authority}/cloister/v1/enclaves/{name}/channel"), CancellationToken.None));
        return (int)device.HttpStatusCode;
    }

    public Task StopAsync() => _program.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _program.DisposeAsync();
    }
}
