using System.Collections.Concurrent;
using System.Text;
using Cloister.Log.Monitor;
using Cloister.Transparency;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Log.Tests;

/// <summary>A web server that shows whatever a test paints: an honest log first, and then what a hostile one would show.</summary>
internal sealed class PaintedLog : IAsyncDisposable
{
    public static readonly SignerKey Key = SignerKey.ImportSeed(Town.Origin, NoteKeyType.Ed25519, [.. Enumerable.Repeat((byte)1, 32)]);
    public static readonly SignerKey[] Witnesses = [.. Enumerable.Range(2, 3).Select(seed => SignerKey.ImportSeed($"witness.example/{seed}", NoteKeyType.Ed25519Cosignature, [.. Enumerable.Repeat((byte)seed, 32)]))];

    /// <summary>Two operators, of whom one runs two witnesses: both operators must have seen it.</summary>
    public static readonly LogPolicy Policy = Parse($"""
        log {Key.Verifier}
        witness a1 {Witnesses[0].Verifier}
        witness a2 {Witnesses[1].Verifier}
        witness b {Witnesses[2].Verifier}
        group a any a1 a2
        group both all a b
        quorum both

        """);

    private readonly WebApplication _program;

    private PaintedLog(WebApplication program) => _program = program;

    /// <summary>What is shown, by path.</summary>
    public ConcurrentDictionary<string, byte[]> Shown { get; } = new();

    /// <summary>What is answered to an add.</summary>
    public Func<byte[], (int Status, byte[] Body)> Add { get; set; } = _ => (404, []);

    public Uri Address => new(_program.Urls.Single());

    public static async Task<PaintedLog> OpenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var program = builder.Build();
        program.Urls.Add("http://127.0.0.1:0");
        var log = new PaintedLog(program);
        program.MapGet("/{**path}", (string path) => log.Shown.TryGetValue(path, out byte[]? bytes) ? Results.Bytes(bytes) : Results.NotFound());
        program.MapPost("/{**path}", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var (status, answer) = log.Add(body.ToArray());
            context.Response.StatusCode = status;
            await context.Response.Body.WriteAsync(answer);
        });
        await program.StartAsync();
        return log;
    }

    /// <summary>Paints an honest log of these entries.</summary>
    public void Paint(IReadOnlyList<byte[]> entries, DateTimeOffset now = default, SignerKey[]? witnesses = null)
    {
        Shown.Clear();
        var tree = new NaiveTree([.. entries.Select(entry => TreeHash.OfLeaf(entry))]);
        for (int start = 0; start < entries.Count; start += 256)
        {
            int width = Math.Min(256, entries.Count - start);
            Shown[new TilePath(TilePath.EntriesLevel, start / 256, width).ToString()] = EntryBundle.Encode([.. entries.Skip(start).Take(width).Select(entry => (ReadOnlyMemory<byte>)entry)]);
            Shown[new TilePath(0, start / 256, width).ToString()] = [.. entries.Skip(start).Take(width).SelectMany(entry => TreeHash.OfLeaf(entry).ToBytes())];
        }
        int full = entries.Count / 256;
        if (full > 0)
        {
            Shown[new TilePath(1, 0, full).ToString()] = [.. Enumerable.Range(0, full).SelectMany(i => tree.Read(8, i)!.Value.ToBytes())];
        }
        PaintCheckpoint(new Checkpoint(Town.Origin, entries.Count, tree.Root), now, witnesses);
    }

    public void PaintCheckpoint(Checkpoint checkpoint, DateTimeOffset now = default, SignerKey[]? witnesses = null) => Shown["checkpoint"] = Sign(checkpoint, now, witnesses).ToBytes();

    public static SignedNote Sign(Checkpoint checkpoint, DateTimeOffset now = default, SignerKey[]? witnesses = null) =>
        checkpoint.Sign(Key).With([.. (witnesses ?? Witnesses).Select(key => key.Cosign(checkpoint, (now == default ? DateTimeOffset.UnixEpoch : now).ToUnixTimeSeconds() + 1))]);

    public static byte[][] Entries(int count, string kind = "entry") => [.. Enumerable.Range(0, count).Select(i => Encoding.UTF8.GetBytes($"{kind} {i}"))];

    public static LogPolicy Parse(string text) => LogPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var policy, out var fault) ? policy : throw new InvalidOperationException($"{fault}");

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}

/// <summary>A monitor with a folder of its own.</summary>
internal sealed class Watch : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-watch-").FullName;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };

    public ManualTime Time { get; } = new();

    public MonitorOptions Options(PaintedLog log, params PaintedLog[] also) => new() { Log = log.Address, Also = [.. also.Select(one => one.Address)], Policy = PaintedLog.Policy, Folder = _folder };

    /// <summary>One look by a monitor that was started for it, as after a restart.</summary>
    public async Task<List<MonitorEvent>> LookAsync(MonitorOptions options)
    {
        using var monitor = new LogMonitor(options, _http, Time);
        var events = new List<MonitorEvent>();
        await foreach (var one in monitor.LookAsync(CancellationToken.None))
        {
            events.Add(one);
        }
        return events;
    }

    /// <summary>The alarms of one look. Entries of tests are no statements; that alarm is left out here.</summary>
    public async Task<Alarm[]> AlarmsAsync(MonitorOptions options) => [.. (await LookAsync(options)).Select(one => one.Alarm).OfType<Alarm>().Where(alarm => alarm is not Alarm.MalformedEntry)];

    public void Dispose()
    {
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
