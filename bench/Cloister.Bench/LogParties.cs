using System.Text;
using Cloister.Log;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Bench;

/// <summary>The real log and three real witnesses, each a party of its own, with their keys and files in one folder.</summary>
internal sealed class LogParties : IAsyncDisposable
{
    private const int Witnesses = 3;

    private readonly List<Party> _parties = [];

    private LogParties(string folder) => Folder = folder;

    public string Folder { get; }

    public Party Log => _parties[^1];

    public LogPolicy Policy { get; private set; } = null!;

    /// <param name="within">Whether the log is in this process instead: then only the witnesses are started.</param>
    public static async Task<LogParties> StartAsync(bool within = false)
    {
        var parties = new LogParties(Directory.CreateTempSubdirectory("cloister-bench-").FullName);
        var log = KeyFiles.Create(parties.KeyFile, "bench.example/log", NoteKeyType.Ed25519);
        await File.WriteAllTextAsync(Path.Combine(parties.Folder, "log.pub"), log.ToString());
        var policy = new StringBuilder($"log {log}\n");
        for (int i = 0; i < Witnesses; i++)
        {
            var key = KeyFiles.Create(Path.Combine(parties.Folder, $"w{i}.key"), $"w{i}.example", NoteKeyType.Ed25519Cosignature);
            parties._parties.Add(await Party.StartAsync("log-witness", parties.Folder, $"{i}"));
            policy.Append($"witness w{i} {key} {parties._parties[i].Address}\n");
        }
        policy.Append("group all all w0 w1 w2\nquorum all\n");
        await File.WriteAllTextAsync(Path.Combine(parties.Folder, "policy"), policy.ToString());
        parties.Policy = LogPolicy.TryParse(Encoding.UTF8.GetBytes(policy.ToString()), out var read, out _) ? read : throw new InvalidOperationException();
        if (!within)
        {
            parties._parties.Add(await Party.StartAsync("log-server", parties.Folder));
        }
        return parties;
    }

    public string KeyFile => Path.Combine(Folder, "log.key");

    public LogOptions Options => new()
    {
        Listen = "127.0.0.1:0",
        Key = KeyFile,
        Folder = Path.Combine(Folder, "log"),
        Witnesses = Path.Combine(Folder, "policy"),
        Open = true,
    };

    public static async Task RunLogAsync(string folder)
    {
        await using var program = LogProgram.Build(new LogParties(folder).Options, logging => logging.ClearProviders());
        await Party.ServeAsync(program);
    }

    public static async Task RunWitnessAsync(string folder, string number)
    {
        await using var program = WitnessProgram.Build(new WitnessOptions
        {
            Listen = "127.0.0.1:0",
            Keys = [Path.Combine(folder, $"w{number}.key")],
            Folder = Path.Combine(folder, $"w{number}"),
            Logs = [await File.ReadAllTextAsync(Path.Combine(folder, "log.pub"))],
        }, logging => logging.ClearProviders());
        await Party.ServeAsync(program);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var party in Enumerable.Reverse(_parties))
        {
            await party.DisposeAsync();
        }
        Directory.Delete(Folder, recursive: true);
    }
}
