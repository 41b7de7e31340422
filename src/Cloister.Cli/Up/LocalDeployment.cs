using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Enclave;
using Cloister.Enclave.Engines;
using Cloister.Operator;
using Cloister.Simulation;
using Cloister.Wire;

namespace Cloister.Cli.Up;

/// <summary>A log with its witnesses, an enclave with simulated evidence and its operator, in this process, each at its own port on loopback.</summary>
internal sealed class LocalDeployment : IAsyncDisposable
{
    private const string EnclaveName = "local";

    private readonly EnclaveHost _enclave;
    private readonly WebApplication _operator;
    private readonly LocalLog _log;
    private readonly LocalPublications _publications;

    private LocalDeployment(LocalLog log, LocalPublications publications, EnclaveHost enclave, WebApplication program, UpSettings settings, IEnumerable<ServedModel> models)
    {
        (_log, _publications, _enclave, _operator, Log) = (log, publications, enclave, program, settings.Data.LogPath);
        // By name, because passkeys are made for a domain, and an address is none. It listens on 127.0.0.1 alone.
        Operator = new Uri($"http://localhost:{new Uri(program.Urls.First()).Port}/");
        Ready = new Ready(Operator.ToString(), $"{enclave.Endpoint}", settings.Data.PolicyPath, $"{log.Address}", [.. models.Select(model => model.Name)], settings.Web is not null, Simulated: true);
    }

    public Uri Operator { get; }

    public Ready Ready { get; }

    /// <summary>The folder of the log and of what was published in it.</summary>
    public string Log { get; }

    /// <summary>The log recalls what runs here.</summary>
    public bool IsRecalled => _publications.IsRecalled;

    public static async Task<LocalDeployment> StartAsync(UpSettings settings, CancellationToken cancellation)
    {
        var limits = EnclaveLimits.Usual;
        var (engine, models) = settings.Upstream is { } upstream ? await OpenUpstreamAsync(upstream, limits, cancellation) : OpenModel(settings, limits);
        var authority = settings.Data.OpenAuthority(DateTimeOffset.UtcNow);
        var log = await LocalLog.StartAsync(settings.Data.LogPath, cancellation);
        LocalPublications? publications = null;
        EnclaveHost? enclave = null;
        try
        {
            settings.Data.WritePolicy(PolicyFor(authority, log, settings.Upstream is not null));
            publications = new LocalPublications(log, settings, authority, models);
            enclave = await EnclaveHost.StartAsync(new EnclaveSetup
            {
                Configuration = new EnclaveConfiguration
                {
                    Engine = new EngineConfiguration { Kind = settings.Upstream is null ? EngineKind.Embedded : EngineKind.Upstream, Upstream = settings.Upstream },
                    Limits = limits,
                    ShapingFloor = ShapingFloor.Padded,
                    Egress = [],
                    Counters = [],
                },
                Engine = engine,
                Models = models,
                Evidence = Simulated(authority),
                Publication = publications.FreshenAsync,
                Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
            }, cancellation);
            var program = OperatorProgram.Build(OptionsFor(settings, enclave.Endpoint, log, publications), logging => logging.SetMinimumLevel(LogLevel.None));
            await program.StartAsync(cancellation);
            return new LocalDeployment(log, publications, enclave, program, settings, models);
        }
        catch
        {
            await (enclave?.DisposeAsync() ?? ValueTask.CompletedTask);
            publications?.Dispose();
            await log.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _operator.DisposeAsync();
        await _enclave.DisposeAsync();
        _publications.Dispose();
        await _log.DisposeAsync();
    }

    // The strict checks under this machine's root; builds and machines are those that were published, and no others.
    private static AppraisalPolicy PolicyFor(DevelopmentAuthority authority, LocalLog log, bool upstream)
    {
        var policy = PolicyCommand.Demanding(SimulatedEnclave.Policy(authority), log.Demands);
        return upstream ? policy with { Waivers = policy.Waivers.Add("Release.Models", "an upstream server's models are measured by nobody") } : policy;
    }

    private static OperatorOptions OptionsFor(UpSettings settings, EndPoint enclave, LocalLog log, LocalPublications publications)
    {
        var options = new OperatorOptions
        {
            Listen = $"127.0.0.1:{settings.Port}",
            Enclaves = ImmutableDictionary<string, string>.Empty.Add(EnclaveName, $"{enclave}"),
            WebRoot = settings.Web,
            Policy = settings.Web is null ? null : settings.Data.PolicyPath,
            Log = $"{log.Address}",
            WebClient = settings.Web is null ? null : publications.WebClientFile,
            Accounts = new AccountsOptions { Database = settings.Data.AccountsDatabase, Domain = "localhost" },
        };
        return options.Faults() is { IsEmpty: true } ? options : throw new CommandFault(ExitCode.Usage, string.Join(' ', options.Faults()));
    }

    private static EvidenceSource Simulated(DevelopmentAuthority authority) => new(
        Hex.Encode(authority.ChipId.Span),
        (reportData, _) => Task.FromResult(SimulatedEnclave.Answer(authority, reportData)));

    private static (Engine, ImmutableArray<ServedModel>) OpenModel(UpSettings settings, EnclaveLimits limits)
    {
        string folder = settings.Model is not { } wanted ? Path.Combine(AppContext.BaseDirectory, "models", "demonstration")
            : Directory.Exists(wanted) ? Path.GetFullPath(wanted)
            : Path.Combine(settings.Data.ModelsPath, wanted);
        if (!Directory.Exists(folder))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no model '{settings.Model ?? "demonstration"}', neither as a folder nor pulled: 'cloister models pull OWNER/NAME' brings one.");
        }

        string name = settings.Model is not { } asked ? "demonstration" : Directory.Exists(asked) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)) : asked;
        var (model, served) = EmbeddedModel.Load(name, folder, limits);
        return (new EmbeddedEngine([model], limits, TimeProvider.System), [served]);
    }

    // The statement names what the server says that it serves. What that is, nobody measures: the screen says so.
    private static async Task<(Engine, ImmutableArray<ServedModel>)> OpenUpstreamAsync(string address, EnclaveLimits limits, CancellationToken cancellation)
    {
        UpstreamEngine engine;
        var uri = Destination.ReadAddress(address);
        try
        {
            engine = new UpstreamEngine(uri, limits);
        }
        catch (ArgumentException fault)
        {
            throw new CommandFault(ExitCode.Usage, $"{address}: the upstream server must be at an http address on this machine's loopback interface.", fault);
        }

        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };
            string path = uri.AbsolutePath.TrimEnd('/').EndsWith("/v1", StringComparison.Ordinal) ? "models" : "v1/models";
            using var list = JsonDocument.Parse(await http.GetStringAsync(new Uri(uri, path), cancellation));
            return (engine, [.. list.RootElement.GetProperty("data").EnumerateArray().Select(model => new ServedModel { Name = model.GetProperty("id").GetString()! })]);
        }
        catch (Exception fault) when (fault is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or TaskCanceledException)
        {
            await engine.DisposeAsync();
            throw new CommandFault(ExitCode.Unreachable, $"No OpenAI-compatible server lists its models at {address}.", fault);
        }
    }
}
