using System.Collections.Immutable;
using System.Reflection;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Cli.Release;
using Cloister.Log.Storage;
using Cloister.Simulation;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Up;

/// <summary>What <c>up</c> publishes in its log of itself: build, machine, policy and web app. Each again when it changed or is about to expire.</summary>
internal sealed class LocalPublications(LocalLog log, UpSettings settings, DevelopmentAuthority authority, ImmutableArray<ServedModel> models) : IDisposable
{
    // Ours to choose.
    private static readonly TimeSpan Validity = TimeSpan.FromDays(7);
    private static readonly TimeSpan Renewal = TimeSpan.FromDays(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
    private readonly string _folder = Path.Combine(log.Folder, "published");
    private Publication? _last = ReadLast(Path.Combine(log.Folder, "published", "publication.json"));

    private bool _begun;

    /// <summary>The web app's entry with its proof, for the operator to show.</summary>
    public string WebClientFile => FileOf("web-client");

    /// <summary>A recall of the build is in the log.</summary>
    public bool IsRecalled => _last?.Others.Any(other => LogEntry.TryParse(other.Entry.Span, out var entry) && entry.Statement.Recall is not null) is true;

    /// <summary>What the enclave shows, under the log's newest checkpoint. Asked for at each renewal of its statement.</summary>
    public async Task<Publication?> FreshenAsync(CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(_folder);
            var published = new PublishedLog(_http, log.Address, log.Demands);
            var release = PublishAsync("release", published, empty => empty with { Release = Build() }, cancellation);
            var fleet = PublishAsync("fleet", published, empty => empty with { Fleet = new Fleet([new FleetNode("snp", Hex.Encode(authority.ChipId.Span))]) }, cancellation);
            var policy = PublishAsync("policy", published, empty => empty with { Policy = new PublishedPolicy("policy.json", DigestOf(settings.Data.PolicyPath)) }, cancellation);
            var web = settings.Web is null ? policy : PublishAsync("web-client", published, empty => empty with { WebClient = new WebClient(Version, WebCommand.FilesOf(settings.Web, settings.Data.PolicyPath)) }, cancellation);
            await Task.WhenAll(release, fleet, policy, web);

            _last = await published.FreshenAsync(new Publication(await release, await fleet, _last?.Others ?? []), cancellation);
            PublicationFile.Write(FileOf("publication"), _last);
            if (settings.Web is not null)
            {
                Keep("web-client", await published.FreshenAsync(await web, cancellation));
            }
            _begun = true;
            return _last;
        }
        catch (CommandFault) when (_begun)
        {
            return _last; // still good for hours; the next renewal asks again
        }
    }

    public void Dispose() => _http.Dispose();

    private static string Version => typeof(LocalPublications).Assembly.GetName().Version!.ToString(3);

    // A recalled build is not published again as another release: that would take the recall back.
    private async Task<ProvedEntry> PublishAsync(string name, PublishedLog published, Func<LogStatement, LogStatement> body, CancellationToken cancellation)
    {
        var now = DateTimeOffset.UtcNow;
        if (File.Exists(FileOf(name)) && ProvedEntryFile.TryParse(await File.ReadAllBytesAsync(FileOf(name), cancellation), out var before) && LogEntry.TryParse(before.Entry.Span, out var known)
            && LogEntry.TextOf(known.Statement) == LogEntry.TextOf(body(known.Statement with { Release = null, Fleet = null, Policy = null, WebClient = null }))
            && ((name == "release" && IsRecalled) || known.Verify(known.Statement.Type, LocalLog.Namespace, new PublisherKeys(1, log.Publisher.Verifier), now + Renewal) is EntryFault.None))
        {
            return before;
        }
        var proved = await published.AddAsync(LogEntry.Sign(body(StatementOptions.Empty(LocalLog.Namespace, now, Validity)), log.Publisher), cancellation);
        Keep(name, proved);
        return proved;
    }

    private ReleaseManifest Build() => new()
    {
        Version = Version,
        SourceRevision = Revision,
        Artifacts = [.. Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Where(IsOurs).Order(StringComparer.Ordinal).Select(StatementOptions.ArtifactOf)],
        Measurements = new([new SnpReference(1, "simulated", Hex.Encode(SimulatedEnclave.Measurement.Span))], [], [], []),
        Models = [.. models.Where(model => model.Weights is not null).Select(model => new ReleasedModel(model.Name, model.Weights!, model.Tokenizer!, model.Template!))],
        SecurityVersion = 0,
        MinimumAcceptedVersion = 0,
    };

    private static bool IsOurs(string file) => Path.GetFileName(file) is "cloister.dll" || Path.GetFileName(file).StartsWith("Cloister.", StringComparison.Ordinal);

    // The build writes the commit behind the version where it was made in a clone; elsewhere nothing says it.
    private static string Revision =>
        typeof(LocalPublications).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, { Length: 40 } commit] && Hex.TryDecode(commit, out _)
            ? commit : new string('0', 40);

    private static Publication? ReadLast(string file) => File.Exists(file) && Publication.TryParse(File.ReadAllBytes(file), out var publication) ? publication : null;

    private static string DigestOf(string file) => Hex.Encode(SHA256.HashData(File.ReadAllBytes(file)));

    private void Keep(string name, ProvedEntry proved) => Disk.Real.Replace(FileOf(name), ProvedEntryFile.ToBytes(proved));

    private string FileOf(string name) => Path.Combine(_folder, $"{name}.json");
}
