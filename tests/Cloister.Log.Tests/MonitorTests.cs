using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Log.Monitor;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>What a monitor tells of an honest log, and of promises that are not kept.</summary>
public class MonitorTests
{
    private static readonly SignerKey Alice = SignerKey.ImportSeed("alice", NoteKeyType.Ed25519, [.. Enumerable.Repeat((byte)9, 32)]);

    private static LogStatement Statement => new() { Namespace = Town.Namespace, NotBefore = "1970-01-01T00:00:00Z", NotAfter = "1971-01-01T00:00:00Z" };

    private static byte[] Release(byte[] artifact) => LogEntry.Sign(Statement with
    {
        Release = new ReleaseManifest
        {
            Version = "1.4.0",
            SourceRevision = new string('a', 40),
            Artifacts = [new("image/../raw", Convert.ToHexStringLower(SHA256.HashData(artifact)))],
            Measurements = new([], [], [], []),
            Models = [],
            SecurityVersion = 5,
            MinimumAcceptedVersion = 4,
        },
    }, Alice).ToBytes();

    private static byte[] Recall(SignerKey key, string reason = "It leaks.") => LogEntry.Sign(Statement with { Recall = new(new string('b', 64), reason) }, key).ToBytes();

    [Fact]
    public async Task Each_entry_is_told_once_in_words()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint([Release([1]), Recall(Alice)]);
        var events = await watch.LookAsync(watch.Options(log));
        Assert.Equal(["checkpoint", "entry", "entry"], events.Select(one => one.Event));
        Assert.Contains("release 1.4.0, security version 5, 1 artifact, from aaaaaaaaaaaa", events[1].Words, StringComparison.Ordinal);
        Assert.Contains("signed as alice", events[1].Words, StringComparison.Ordinal);
        Assert.Equal((1, "Recall", Town.Namespace), (events[2].Index, events[2].Type, events[2].Namespace));
        Assert.Empty(await watch.LookAsync(watch.Options(log)));
    }

    [Fact]
    public async Task A_line_is_a_line_whatever_an_entry_says()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint([Recall(Alice, "one\nline \"{\u001b[31m")]);
        string line = Assert.Single(await watch.LookAsync(watch.Options(log)), one => one.Event == "entry").ToJson();
        Assert.DoesNotContain('\n', line);
        Assert.DoesNotContain('\e', line);
        Assert.Equal("entry", (string)JsonNode.Parse(line)!["event"]!);
    }

    [Fact]
    public async Task A_strangers_entry_in_a_watched_namespace_is_an_alarm()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        using var stranger = SignerKey.Generate("alice", NoteKeyType.Ed25519);
        log.Paint([Recall(Alice), Recall(stranger), "words"u8.ToArray()]);
        var options = watch.Options(log) with { Watched = ImmutableDictionary<string, PublisherKeys>.Empty.Add(Town.Namespace, new(1, Alice.Verifier)) };
        Assert.Equal([(Alarm.ForeignEntry, 1L), (Alarm.MalformedEntry, 2L)], (await watch.LookAsync(options)).Where(one => one.Alarm is not null).Select(one => (one.Alarm!.Value, one.Index!.Value)));
    }

    [Fact]
    public async Task Promises_are_held_against_the_clock()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        var options = watch.Options(log) with { Cadence = TimeSpan.FromHours(24), Growth = TimeSpan.FromDays(7) };
        log.Paint([Recall(Alice)], watch.Time.GetUtcNow());
        Assert.Empty(await watch.AlarmsAsync(options));
        watch.Time.Advance(TimeSpan.FromHours(25));
        Assert.Equal([Alarm.CadenceMissed], await watch.AlarmsAsync(options));
        log.Paint([Recall(Alice)], watch.Time.GetUtcNow());
        Assert.Empty(await watch.AlarmsAsync(options));
        watch.Time.Advance(TimeSpan.FromDays(7));
        Assert.Equal([Alarm.CadenceMissed, Alarm.GrowthMissed], await watch.AlarmsAsync(options));
    }

    [Fact]
    public async Task An_artifact_is_asked_for_until_it_is_public()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        var options = watch.Options(log) with { Artifacts = $"{log.Address}files/{{version}}/{{name}}" };
        log.Paint([Release([1])]);
        Assert.Equal([Alarm.ArtifactUnavailable], await watch.AlarmsAsync(options));
        log.Shown["files/1.4.0/image%2F..%2Fraw"] = [2]; // its name chooses no other path
        Assert.Equal([Alarm.ArtifactDiffers], await watch.AlarmsAsync(options));
        log.Shown["files/1.4.0/image%2F..%2Fraw"] = [1];
        Assert.Empty(await watch.AlarmsAsync(options));
        log.Shown.TryRemove("files/1.4.0/image%2F..%2Fraw", out _);
        Assert.Empty(await watch.AlarmsAsync(options));
    }

    [Fact]
    public async Task Many_entries_are_read_in_parts_and_none_twice()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint(PaintedLog.Entries(70 * 256 + 5));
        var told = (await watch.LookAsync(watch.Options(log))).Where(one => one.Index is not null).Select(one => one.Index!.Value);
        Assert.Equal(Enumerable.Range(0, 70 * 256 + 5).Select(i => (long)i), told);
    }

    [Fact]
    public async Task A_damaged_memory_is_not_taken_for_a_new_one()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint([Recall(Alice)]);
        await watch.LookAsync(watch.Options(log));
        string file = Path.Combine(watch.Options(log).Folder, "monitor.json");
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("\"read\":1", "\"read\":3", StringComparison.Ordinal));
        await Assert.ThrowsAsync<InvalidDataException>(() => watch.LookAsync(watch.Options(log)));
    }
}
