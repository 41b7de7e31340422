using System.Collections.Immutable;
using System.Net;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Client;
using Cloister.Enclave;
using Cloister.Enclave.Engines;
using Cloister.Operator;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Wire;
using Microsoft.AspNetCore.Builder;

namespace Cloister.Journeys;

/// <summary>The parties one by one, for tests that stand between them.</summary>
internal static class Parties
{
    public static DevelopmentAuthority Authority { get; } = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);

    /// <summary>An enclave with the demonstration model, or before a server.</summary>
    public static Task<EnclaveHost> StartEnclaveAsync(Uri? upstream = null, Func<CancellationToken, Task<Publication?>>? publication = null)
    {
        var limits = EnclaveLimits.Usual;
        var (engine, models) = upstream is null ? Demonstration(limits) : (new UpstreamEngine(upstream, limits), []);
        return EnclaveHost.StartAsync(new EnclaveSetup
        {
            Configuration = new EnclaveConfiguration
            {
                Engine = new EngineConfiguration { Kind = upstream is null ? EngineKind.Embedded : EngineKind.Upstream, Upstream = upstream?.ToString() },
                Limits = limits,
                ShapingFloor = ShapingFloor.Padded,
                Egress = [],
                Counters = [],
            },
            Engine = engine,
            Models = models,
            Evidence = new EvidenceSource(Hex.Encode(Authority.ChipId.Span), (reportData, _) => Task.FromResult(SimulatedEnclave.Answer(Authority, reportData))),
            Publication = publication,
            Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
        });
    }

    public static async Task<WebApplication> StartOperatorAsync(EndPoint enclave, OperatorOptions? more = null)
    {
        var program = OperatorProgram.Build((more ?? Anywhere) with { Enclaves = ImmutableDictionary<string, string>.Empty.Add("one", $"{enclave}") }, _ => { });
        await program.StartAsync();
        return program;
    }

    public static OperatorOptions Anywhere { get; } = new() { Listen = "127.0.0.1:0", Enclaves = ImmutableDictionary<string, string>.Empty };

    public static HttpClient Client(Uri carrier, ShapingProfile shaping = ShapingProfile.Padded, AppraisalPolicy? policy = null, TimeSpan? resumePatience = null) =>
        new(new SealedHttpHandler(new ClientOptions { Operator = carrier, Policy = policy ?? SimulatedEnclave.Policy(Authority), Shaping = shaping, ResumePatience = resumePatience ?? TimeSpan.FromSeconds(20) }))
        {
            BaseAddress = SealedHttpHandler.EnclaveAddress,
            Timeout = TimeSpan.FromMinutes(2),
        };

    private static (Engine, ImmutableArray<ServedModel>) Demonstration(EnclaveLimits limits)
    {
        var (model, served) = EmbeddedModel.Load("demonstration", Path.Combine(Repository.Root, "models", "demonstration"), limits);
        return (new EmbeddedEngine([model], limits, TimeProvider.System), [served]);
    }
}
