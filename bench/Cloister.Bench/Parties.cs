using System.Collections.Immutable;
using System.Net;
using Cloister.Attestation;
using Cloister.Enclave;
using Cloister.Enclave.Engines;
using Cloister.Operator;
using Cloister.Simulation;
using Cloister.Wire;

namespace Cloister.Bench;

/// <summary>The real enclave and the real operator, each as a party of its own, with simulated evidence.</summary>
internal static class Parties
{
    // As the programs of both do (docs/decisions/0009).
    private static void CompleteInline() => Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

    public static async Task RunEnclaveAsync(string authorityFile, string upstream)
    {
        CompleteInline();
        using var authority = DevelopmentAuthority.Load(File.ReadAllBytes(authorityFile));
        var limits = EnclaveLimits.Usual with { Answers = 256 };
        await using var enclave = await EnclaveHost.StartAsync(new EnclaveSetup
        {
            Configuration = new EnclaveConfiguration
            {
                Engine = new EngineConfiguration { Kind = EngineKind.Upstream, Upstream = upstream },
                Limits = limits,
                ShapingFloor = ShapingFloor.Padded,
                Egress = [],
                Counters = [],
            },
            Engine = new UpstreamEngine(new Uri(upstream), limits),
            Models = [],
            Evidence = new EvidenceSource(Hex.Encode(authority.ChipId.Span), (reportData, _) =>
                Task.FromResult(SimulatedEnclave.Answer(authority, reportData))),
            Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
        });
        await Party.ObeyAsync(enclave.Endpoint.ToString()!);
    }

    public static async Task RunOperatorAsync(string carrier)
    {
        CompleteInline();
        await using var program = OperatorProgram.Build(new OperatorOptions
        {
            Listen = "127.0.0.1:0",
            Enclaves = ImmutableDictionary<string, string>.Empty.Add("bench", carrier),
        }, logging => logging.ClearProviders());
        await program.StartAsync();
        await Party.ObeyAsync(program.Urls.First());
    }
}
