using System.Collections.Immutable;
using System.Net;
using Cloister.Attestation;
using Cloister.Enclave;
using Cloister.Enclave.Engines;
using Cloister.Operator;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Wire;
using Microsoft.AspNetCore.Builder;

namespace Cloister.Browser;

/// <summary>The real operator with the published app, the real enclave behind it, and a model that the test speaks for.</summary>
internal sealed class House : IAsyncDisposable
{
    private readonly string _policy = Path.GetTempFileName();
    private EnclaveHost? _enclave;
    private WebApplication? _operator;
    private readonly string _accounts = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private string? _address;

    public static DevelopmentAuthority Authority { get; } = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);

    public static string WebRoot { get; } = Path.Combine(Repository.Root, "artifacts", "web", "wwwroot");

    public required Upstream Model { get; init; }

    public Uri Address => new(_operator!.Urls.Single());

    /// <summary>The same by the name that passkeys are made for.</summary>
    public Uri Home => new($"http://localhost:{Address.Port}/");

    /// <summary>Everything, with the policy that accepts it.</summary>
    /// <param name="between">What stands between operator and enclave: takes the enclave's address and gives the one to use. Null: nothing.</param>
    public static async Task<House> StartAsync(Func<EndPoint, EndPoint>? between = null, AppraisalPolicy? policy = null, Publication? publication = null)
    {
        Assert.SkipUnless(File.Exists(Path.Combine(WebRoot, "index.html")), "The web app is not published: ./test does it, or dotnet publish src/Cloister.Web -c Release -o artifacts/web");
        var house = new House { Model = await Upstream.StartAsync() };
        await File.WriteAllBytesAsync(house._policy, (policy ?? SimulatedEnclave.Policy(Authority)).ToBytes());
        await house.OpenEnclaveAsync(publication);
        await house.OpenOperatorAsync("127.0.0.1:0", between?.Invoke(house._enclave!.Endpoint) ?? house._enclave!.Endpoint);
        return house;
    }

    public async Task CloseOperatorAsync()
    {
        _address = Address.Authority;
        await _operator!.DisposeAsync();
    }

    /// <summary>At the address where it was before.</summary>
    public Task ReopenOperatorAsync() => OpenOperatorAsync(_address!, _enclave!.Endpoint);

    private async Task OpenEnclaveAsync(Publication? publication)
    {
        _enclave = await EnclaveHost.StartAsync(new EnclaveSetup
        {
            Configuration = new EnclaveConfiguration
            {
                Engine = new EngineConfiguration { Kind = EngineKind.Upstream, Upstream = Model.Address.ToString() },
                Limits = EnclaveLimits.Usual,
                ShapingFloor = ShapingFloor.Padded,
                Egress = [],
                Counters = [],
            },
            Engine = new UpstreamEngine(Model.Address, EnclaveLimits.Usual),
            Models = [new ServedModel { Name = "scripted" }],
            Evidence = new EvidenceSource(Hex.Encode(Authority.ChipId.Span), (reportData, _) =>
                Task.FromResult(SimulatedEnclave.Answer(Authority, reportData))),
            Publication = _ => Task.FromResult(publication),
            Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
        });
    }

    private async Task OpenOperatorAsync(string listen, EndPoint enclave)
    {
        Directory.CreateDirectory(_accounts);
        _operator = OperatorProgram.Build(new OperatorOptions
        {
            Listen = listen,
            Enclaves = ImmutableDictionary<string, string>.Empty.Add("one", enclave.ToString()!),
            WebRoot = WebRoot,
            Policy = _policy,
            Accounts = new AccountsOptions { Database = Path.Combine(_accounts, "accounts.db"), Domain = "localhost" },
        }, _ => { });
        await _operator.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _operator!.DisposeAsync();
        await _enclave!.DisposeAsync();
        await Model.DisposeAsync();
        File.Delete(_policy);
        Directory.Delete(_accounts, recursive: true);
    }
}
