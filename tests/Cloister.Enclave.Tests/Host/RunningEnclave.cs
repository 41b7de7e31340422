using System.Collections.Immutable;
using System.Net;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Client;
using Cloister.Enclave.Engines;
using Cloister.Operator;
using Cloister.Simulation;
using Cloister.Wire;
using Microsoft.AspNetCore.Builder;

namespace Cloister.Enclave.Tests.Host;

/// <summary>A whole enclave with simulated evidence behind a real operator, and clients that demand its proof.</summary>
internal sealed class RunningEnclave : IAsyncDisposable
{
    private readonly EnclaveHost _enclave;
    private readonly WebApplication _operator;

    private RunningEnclave(EnclaveHost enclave, WebApplication carrier) =>
        (_enclave, _operator) = (enclave, carrier);

    public static DevelopmentAuthority Authority => Program.Machine.Authority;

    public Uri Address => new(_operator.Urls.First());

    public static EvidenceSource Evidence { get; } = new(Hex.Encode(Authority.ChipId.Span), (reportData, _) =>
        Task.FromResult(SimulatedEnclave.Answer(Authority, reportData)));

    public static EnclaveSetup Setup(Engine engine, string? upstream = null) => new()
    {
        Configuration = new EnclaveConfiguration
        {
            Engine = new EngineConfiguration { Kind = engine is UpstreamEngine ? EngineKind.Upstream : EngineKind.Embedded, Upstream = upstream },
            Limits = Api.ApiOnKestrel.Limits,
            ShapingFloor = ShapingFloor.Padded,
            Egress = [],
            Counters = [],
        },
        Engine = engine,
        Models = [],
        Evidence = Evidence,
        Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
    };

    public static async Task<RunningEnclave> StartAsync(EnclaveSetup setup)
    {
        var enclave = await EnclaveHost.StartAsync(setup);
        var carrier = OperatorProgram.Build(
            new OperatorOptions { Listen = "127.0.0.1:0", Enclaves = ImmutableDictionary<string, string>.Empty.Add("one", enclave.Endpoint.ToString()!) },
            _ => { });
        await carrier.StartAsync();
        return new RunningEnclave(enclave, carrier);
    }

    public HttpClient Client(ShapingProfile shaping = ShapingProfile.Padded, Action<AttestationResult>? appraised = null) =>
        new(new SealedHttpHandler(new ClientOptions { Operator = Address, Policy = SimulatedEnclave.Policy(Authority), Shaping = shaping, Appraised = appraised }))
        {
            BaseAddress = SealedHttpHandler.EnclaveAddress,
        };

    public async ValueTask DisposeAsync()
    {
        await _operator.DisposeAsync();
        await _enclave.DisposeAsync();
    }
}
