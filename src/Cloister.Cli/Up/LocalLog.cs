using System.Collections.Immutable;
using System.Text;
using Cloister.Attestation;
using Cloister.Log;
using Cloister.Log.Storage;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Cli.Up;

/// <summary>A log and three witnesses in this process, at ports of their own; keys and tree stay in a folder, so that the next start goes on with the same log.</summary>
/// <remarks>The witnesses are real and belong to one person: they show the real path and protect against nobody who runs this machine.</remarks>
internal sealed class LocalLog : IAsyncDisposable
{
    public const string Namespace = "localhost/development";

    private const string Origin = "localhost/development-log";
    private const int Witnesses = 3, Threshold = 2;
    private const int PaceMilliseconds = 10; // nobody else adds to this log
    private const int MaximumAgeHours = 24;

    private readonly List<WebApplication> _programs = [];

    private LocalLog(string folder) => (Folder, Publisher) = (folder, OpenKey(Path.Combine(folder, "publisher.key"), "localhost/publisher", NoteKeyType.Ed25519));

    public string Folder { get; }

    /// <summary>Ends in a slash.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Signs everything that is published here.</summary>
    public SignerKey Publisher { get; }

    /// <summary>What a client of this deployment demands of its release.</summary>
    public PublicationDemands Demands { get; private set; } = null!;

    public static async Task<LocalLog> StartAsync(string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var log = new LocalLog(folder);
        try
        {
            await log.StartAsync(cancellation);
            return log;
        }
        catch (LogStoppedException taken) when (taken.Fault is LogFault.Locked)
        {
            await log.DisposeAsync();
            throw new CommandFault(ExitCode.Usage, $"'cloister up' runs already with what is kept in {Path.GetDirectoryName(folder)}: name another folder with --data DIR.", taken);
        }
        catch
        {
            await log.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in Enumerable.Reverse(_programs))
        {
            await program.DisposeAsync();
        }
        Publisher.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        string keyFile = Path.Combine(Folder, "log.key");
        VerifierKey log = PublicPart(keyFile, Origin, NoteKeyType.Ed25519);
        var lines = new StringBuilder();
        var places = new StringBuilder();
        for (int number = 1; number <= Witnesses; number++)
        {
            string witnessKey = Path.Combine(Folder, $"witness-{number}.key");
            var witness = PublicPart(witnessKey, $"localhost/witness-{number}", NoteKeyType.Ed25519Cosignature);
            var address = await RunAsync(WitnessProgram.Build(new WitnessOptions { Listen = "127.0.0.1:0", Keys = [witnessKey], Folder = Path.Combine(Folder, $"witness-{number}"), Logs = [$"{log}"] }, Silent), cancellation);
            lines.Append($"witness witness-{number} {witness}\n");
            places.Append($"witness witness-{number} {witness} {address}\n");
        }

        // Clients need no addresses: their policy stays the same from one start to the next.
        string quorum = $"group enough {Threshold} {string.Join(' ', Enumerable.Range(1, Witnesses).Select(number => $"witness-{number}"))}\nquorum enough\n";
        string policyFile = Path.Combine(Folder, "log.policy");
        Disk.Real.Replace(policyFile, Encoding.UTF8.GetBytes($"log {log}\n{places}{quorum}"));
        Demands = new PublicationDemands
        {
            Log = $"log {log}\n{lines}{quorum}",
            Namespace = Namespace,
            Publishers = [$"{Publisher.Verifier}"],
            Threshold = 1,
            Builders = [],
            Rebuilds = 0,
            MinimumVersion = 0,
            MaximumAgeHours = MaximumAgeHours,
        };
        Address = new Uri($"{await RunAsync(LogProgram.Build(new LogOptions
        {
            Listen = "127.0.0.1:0",
            Key = keyFile,
            Folder = Path.Combine(Folder, "tree"),
            Witnesses = policyFile,
            Submitters = ImmutableDictionary<string, ImmutableArray<string>>.Empty.Add(Namespace, [$"{Publisher.Verifier}"]),
            PaceMilliseconds = PaceMilliseconds,
        }, Silent), cancellation)}/");
    }

    private async Task<string> RunAsync(WebApplication program, CancellationToken cancellation)
    {
        _programs.Add(program);
        await program.StartAsync(cancellation);
        return program.Urls.First();
    }

    private static void Silent(ILoggingBuilder logging) => logging.SetMinimumLevel(LogLevel.None);

    private static VerifierKey PublicPart(string file, string name, NoteKeyType type)
    {
        using var key = OpenKey(file, name, type);
        return key.Verifier;
    }

    private static SignerKey OpenKey(string file, string name, NoteKeyType type)
    {
        if (!File.Exists(file))
        {
            KeyFiles.Create(file, name, type);
        }
        return KeyFiles.TryRead(file, out var key) ? key : throw new CommandFault(ExitCode.Usage, $"{file} is not a key: remove the folder it is in, and a new log is begun.");
    }
}
