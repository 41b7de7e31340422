using System.Collections.Immutable;
using System.Text;
using Cloister.Log.Client;
using Cloister.Log.Storage;
using Cloister.Log.Witnesses;
using Cloister.Transparency;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Cloister.Log.Tests;

/// <summary>A folder with a log's key and three witnesses, each a real program on a free port of its own.</summary>
internal sealed class Town : IAsyncDisposable
{
    public const string Origin = "example.com/log";
    public const string Namespace = "example.com/assistant";

    private readonly List<WebApplication> _witnesses = [];

    private Town(string folder) => Folder = folder;

    public string Folder { get; }

    public VerifierKey LogKey { get; private set; } = null!;

    /// <summary>Whoever may add entries, and sign them.</summary>
    public SignerKey Publisher { get; } = SignerKey.Generate("alice", NoteKeyType.Ed25519);

    public LogPolicy Policy { get; private set; } = null!;

    public string PolicyFile => Path.Combine(Folder, "policy");

    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false });

    public static async Task<Town> BuildAsync(int witnesses = 3, string? quorum = null, TimeProvider? time = null, Disk? disk = null)
    {
        var town = new Town(Directory.CreateTempSubdirectory("cloister-log-").FullName);
        town.LogKey = KeyFiles.Create(town.KeyFile, Origin, NoteKeyType.Ed25519);
        for (int i = 0; i < witnesses; i++)
        {
            KeyFiles.Create(town.WitnessKeyFile(i), $"witness.example/{i}", NoteKeyType.Ed25519Cosignature);
            await town.OpenWitnessAsync(i, time, disk);
        }
        town.WritePolicy(quorum);
        return town;
    }

    public string KeyFile => Path.Combine(Folder, "log.key");

    public string WitnessKeyFile(int i) => Path.Combine(Folder, $"witness{i}.key");

    public string WitnessFolder(int i) => Path.Combine(Folder, $"witness{i}");

    public SignerKey WitnessKey(int i) => KeyFiles.TryRead(WitnessKeyFile(i), out var key) ? key : throw new InvalidOperationException();

    public Uri WitnessAddress(int i) => new(_witnesses[i].Urls.Single());

    public WitnessOptions WitnessOptions(int i, int port = 0) => new() { Listen = $"127.0.0.1:{port}", Keys = [WitnessKeyFile(i)], Folder = WitnessFolder(i), Logs = [LogKey.ToString()] };

    public async Task OpenWitnessAsync(int i, TimeProvider? time = null, Disk? disk = null, int port = 0)
    {
        var witness = WitnessProgram.Build(WitnessOptions(i, port), _ => { }, time ?? TimeProvider.System, disk ?? Disk.Real);
        await witness.StartAsync();
        if (i < _witnesses.Count)
        {
            _witnesses[i] = witness;
        }
        else
        {
            _witnesses.Add(witness);
        }
    }

    public async Task StopWitnessAsync(int i)
    {
        await _witnesses[i].StopAsync();
        await _witnesses[i].DisposeAsync();
    }

    /// <summary>All witnesses, or what the quorum's lines say.</summary>
    public void WritePolicy(string? quorum = null, Func<int, string>? addresses = null)
    {
        var text = new StringBuilder($"log {LogKey} http://127.0.0.1/\n");
        for (int i = 0; i < _witnesses.Count; i++)
        {
            using var key = WitnessKey(i);
            text.Append($"witness w{i} {key.Verifier} {addresses?.Invoke(i) ?? WitnessAddress(i).ToString()}\n");
        }
        text.Append(quorum ?? (_witnesses.Count == 0 ? "quorum none\n" : $"group all all {string.Join(' ', _witnesses.Select((_, i) => $"w{i}"))}\nquorum all\n"));
        File.WriteAllText(PolicyFile, text.ToString());
        Policy = LogPolicy.TryParse(Encoding.UTF8.GetBytes(text.ToString()), out var policy, out var fault) ? policy : throw new InvalidOperationException($"{fault}");
    }

    public LogOptions Options(bool open = true) => new()
    {
        Listen = "127.0.0.1:0",
        Key = KeyFile,
        Folder = Path.Combine(Folder, "log"),
        Witnesses = PolicyFile,
        Open = open,
        Submitters = open ? null : ImmutableDictionary<string, ImmutableArray<string>>.Empty.Add(Namespace, [Publisher.Verifier.ToString()]),
        PaceMilliseconds = 0,
        WitnessSeconds = 5,
    };

    public async Task<RunningLog> OpenLogAsync(LogOptions? options = null, TimeProvider? time = null, Disk? disk = null, ILoggerProvider? log = null)
    {
        var program = LogProgram.Build(options ?? Options(), logging =>
        {
            if (log is not null)
            {
                logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace);
            }
        }, time ?? TimeProvider.System, disk ?? Disk.Real);
        try
        {
            await program.StartAsync();
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
        return new RunningLog(program, Http, Policy);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var witness in _witnesses)
        {
            await witness.DisposeAsync();
        }
        Http.Dispose();
        Publisher.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>The real program on a free port.</summary>
internal sealed class RunningLog(WebApplication program, HttpClient http, LogPolicy policy) : IAsyncDisposable
{
    public Uri Address { get; } = new(program.Urls.Single());

    public LogReader Reader => new(http, Address);

    public WebApplication Program => program;

    /// <summary>Adds an entry and gives its verified receipt.</summary>
    public async Task<LogProof> AddAsync(byte[] entry)
    {
        var result = await LogSubmission.AddAsync(http, Address, entry, policy, TimeProvider.System, TimeSpan.FromSeconds(20), CancellationToken.None);
        Assert.Equal((SubmissionFault.None, ""), (result.Fault, result.Reason));
        Assert.True(LogProof.TryParse(result.Proof!.Value.Span, out var proof));
        return proof;
    }

    public Task<LogProof> AddAsync(string entry) => AddAsync(Encoding.UTF8.GetBytes(entry));

    public Task<HttpResponseMessage> PostAsync(byte[] entry) => http.PostAsync(new Uri(Address, "add"), new ByteArrayContent(entry));

    public Task<HttpResponseMessage> GetAsync(string path) => http.GetAsync(new Uri(Address, path));

    public async Task<Checkpoint> CheckpointAsync()
    {
        var note = await Reader.FetchCheckpointAsync(CancellationToken.None);
        var verified = CheckpointVerification.Verify(note!, policy, DateTimeOffset.UtcNow, null);
        Assert.Equal(CheckpointFault.None, verified.Fault);
        return verified.Checkpoint!;
    }

    /// <summary>The checkpoint as soon as there is one: a log that has just started asks its witnesses first.</summary>
    public async Task<Checkpoint> FirstCheckpointAsync()
    {
        for (int i = 0; i < 500; i++)
        {
            using var response = await GetAsync("checkpoint");
            if (response.IsSuccessStatusCode)
            {
                return await CheckpointAsync();
            }
            await Task.Delay(20);
        }
        throw new TimeoutException("Nothing was published.");
    }

    /// <summary>Every entry in the log, read as a stranger reads it; the root is checked.</summary>
    public async Task<List<string>> EntriesAsync()
    {
        var checkpoint = await CheckpointAsync();
        var entries = new List<byte[]>();
        for (long tile = 0; tile * 256 < checkpoint.Size; tile++)
        {
            entries.AddRange((await Reader.FetchBundleAsync(TilePath.InTree(TilePath.EntriesLevel, tile, checkpoint.Size), CancellationToken.None))!.Value);
        }
        var frontier = new TreeFrontier();
        entries.ForEach(entry => frontier.Append(TreeHash.OfLeaf(entry)));
        Assert.Equal(checkpoint.Root, frontier.Root);
        return [.. entries.Select(Encoding.UTF8.GetString)];
    }

    public async ValueTask DisposeAsync()
    {
        await program.StopAsync();
        await program.DisposeAsync();
    }
}
