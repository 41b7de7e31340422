using System.Text;
using Cloister.Log.Client;
using Cloister.Log.Monitor;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>A log that lies, each time in one way, and who catches it by which name.</summary>
public class HostileLogTests
{
    private static readonly byte[][] Honest = PaintedLog.Entries(600);

    private static byte[][] Rewritten(int count, int at) => [.. PaintedLog.Entries(count).Select((entry, i) => i == at ? "another"u8.ToArray() : entry)];

    [Fact]
    public async Task An_honest_log_raises_no_alarm_while_it_grows()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        foreach (int size in (int[])[0, 1, 1, 255, 256, 257, 512, 600])
        {
            log.Paint(Honest[..size]);
            var events = await watch.LookAsync(watch.Options(log));
            Assert.All(events.Where(one => one.Alarm is not null), one => Assert.Equal(Alarm.MalformedEntry, one.Alarm));
        }
        using var monitor = new LogMonitor(watch.Options(log), new HttpClient(), watch.Time);
        Assert.Equal(600, monitor.Read);
    }

    public static TheoryData<string, Alarm[]> Lies => new()
    {
        { "another tree of the same size", [Alarm.SplitView] },
        { "a smaller tree", [Alarm.Rewound] },
        { "history rewritten, then grown", [Alarm.Inconsistent] },
        { "grown, without the tiles that prove it", [Alarm.TileWithheld] },
        { "entries withheld", [Alarm.EntryWithheld] },
        { "an entry withheld from its bundle", [Alarm.EntryWithheld] },
        { "an entry changed in its bundle", [Alarm.WrongTile, Alarm.WrongRoot] },
        { "two entries in the other order", [Alarm.WrongTile, Alarm.WrongRoot] },
        { "a root of nothing", [Alarm.Inconsistent] },
        { "a tile of other hashes", [Alarm.Inconsistent] },
        { "too few operators", [Alarm.TooFewWitnesses] },
        { "another tree, which too few operators saw", [Alarm.TooFewWitnesses, Alarm.SplitView] },
        { "a forged cosignature", [Alarm.WrongSignature] },
        { "a forged signature of the log", [Alarm.WrongSignature] },
        { "another origin", [Alarm.UnknownLog] },
        { "a note in another spelling", [Alarm.NoCheckpoint] },
        { "no checkpoint", [Alarm.NoCheckpoint] },
        { "an endless checkpoint", [Alarm.NoCheckpoint] },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    internal async Task A_monitor_that_saw_three_hundred_entries_catches(string lie, Alarm[] alarms)
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint(Honest[..300]);
        Assert.Empty(await watch.AlarmsAsync(watch.Options(log)));

        Tell(log, lie);
        Assert.Equal(alarms, await watch.AlarmsAsync(watch.Options(log)));
        Assert.Equal(alarms, await watch.AlarmsAsync(watch.Options(log))); // and again: a restart forgets nothing

        // What is said is proved to others where signatures prove it.
        if (alarms[^1] is Alarm.SplitView or Alarm.Rewound or Alarm.Inconsistent)
        {
            var evidence = (await watch.LookAsync(watch.Options(log))).First(one => one.Alarm == alarms[^1]).Evidence!.Value;
            var notes = evidence.Select(file => SignedNote.TryParse(File.ReadAllBytes(file), out var note, out _) ? note : throw new InvalidOperationException()).ToList();
            Assert.Equal(2, notes.Count);
            Assert.All(notes, note => Assert.True(PaintedLog.Key.Verifier.Verify(note.Text, note.Signatures[0], out _)));
            Assert.NotEqual(notes[0].Text, notes[1].Text);
        }
    }

    [Fact]
    public async Task A_first_look_catches_a_tile_that_is_not_of_the_entries()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint(Honest);
        log.Shown["tile/0/001"] = Spoil(log.Shown["tile/0/001"], 7);
        Assert.Equal([Alarm.WrongTile], await watch.AlarmsAsync(watch.Options(log)));
    }

    [Fact]
    public async Task A_first_look_catches_entries_that_do_not_give_the_root()
    {
        await using var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint(Honest);
        log.PaintCheckpoint(new Checkpoint(Town.Origin, 600, TreeHash.OfLeaf([1])));
        Assert.Equal([Alarm.WrongRoot], await watch.AlarmsAsync(watch.Options(log)));
        Assert.DoesNotContain(await watch.LookAsync(watch.Options(log)), one => one.Event == "entry");
    }

    private static void Tell(PaintedLog log, string lie)
    {
        Checkpoint Shown() => SignedNote.TryParse(log.Shown["checkpoint"], out var note, out _) && Checkpoint.TryParse(note.Text, out var checkpoint) ? checkpoint : throw new InvalidOperationException();
        void Replace(string before, string after) => log.Shown["checkpoint"] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(log.Shown["checkpoint"]).Replace(before, after, StringComparison.Ordinal));
        void PaintBundle(IEnumerable<byte[]> entries) => log.Shown["tile/entries/001.p/144"] = EntryBundle.Encode([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)]);
        switch (lie)
        {
            case "another tree of the same size": log.Paint(Rewritten(300, 17)); break;
            case "a smaller tree": log.Paint(Honest[..299]); break;
            case "history rewritten, then grown": log.Paint(Rewritten(400, 17)); break;
            case "too few operators": log.Paint(Honest[..300], default, PaintedLog.Witnesses[..2]); break;
            case "another tree, which too few operators saw": log.Paint(Rewritten(300, 17), default, PaintedLog.Witnesses[..2]); break;
            default: log.Paint(Honest[..400]); break;
        }
        switch (lie)
        {
            case "grown, without the tiles that prove it": log.Shown.TryRemove("tile/0/001.p/144", out _); break;
            case "entries withheld": log.Shown.TryRemove("tile/entries/001.p/144", out _); break;
            case "an entry withheld from its bundle": PaintBundle(Honest[256..399]); break;
            case "an entry changed in its bundle": PaintBundle(Rewritten(400, 350)[256..]); break;
            case "two entries in the other order": PaintBundle([.. Honest[256..398], Honest[399], Honest[398]]); break;
            case "a root of nothing": log.PaintCheckpoint(new Checkpoint(Town.Origin, 400, TreeHash.OfLeaf([1]))); break;
            case "a tile of other hashes": log.Shown["tile/0/001.p/144"] = Spoil(log.Shown["tile/0/001.p/144"], 100 * 32 + 5, 101 * 32 + 5); break;
            case "a forged cosignature": log.Shown["checkpoint"] = Forge(Shown(), PaintedLog.Witnesses[1].Verifier); break;
            case "a forged signature of the log": log.Shown["checkpoint"] = Forge(Shown(), PaintedLog.Key.Verifier); break;
            case "another origin": Replace("example.com/log\n400", "example.com/other\n400"); break;
            case "a note in another spelling": Replace("\n400\n", "\n0400\n"); break;
            case "no checkpoint": log.Shown.TryRemove("checkpoint", out _); break;
            case "an endless checkpoint": log.Shown["checkpoint"] = new byte[SignedNote.MaxSize + 1]; break;
            default: break;
        }
    }

    [Theory]
    [InlineData(300)]
    [InlineData(299)]
    [InlineData(400)]
    public async Task Two_views_shown_at_two_places_are_caught_by_who_sees_both(int size)
    {
        await using var log = await PaintedLog.OpenAsync();
        await using var mirror = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        log.Paint(Honest[..300]);
        mirror.Paint(Honest[..size]);
        Assert.Empty(await watch.AlarmsAsync(watch.Options(log, mirror)));
        using var other = new Watch();
        mirror.Paint(Rewritten(size, 17));
        Assert.Equal([Alarm.SplitView], await other.AlarmsAsync(other.Options(log, mirror)));

        // Also where nobody but the log itself signed the other one.
        mirror.Paint(Rewritten(size, 17), default, []);
        Assert.Equal([Alarm.TooFewWitnesses, Alarm.SplitView], await other.AlarmsAsync(other.Options(log, mirror)));
    }

    [Fact]
    public async Task Nobody_there_is_an_alarm()
    {
        var log = await PaintedLog.OpenAsync();
        using var watch = new Watch();
        var options = watch.Options(log);
        await log.DisposeAsync();
        Assert.Equal([Alarm.Unreachable], await watch.AlarmsAsync(options));
    }

    public static TheoryData<string, SubmissionFault, string> Receipts => new()
    {
        { "honest", SubmissionFault.None, "" },
        { "replayed: of another entry", SubmissionFault.UnverifiedProof, "NotIncluded" },
        { "reordered path", SubmissionFault.UnverifiedProof, "NotIncluded" },
        { "truncated path", SubmissionFault.UnverifiedProof, "NotIncluded" },
        { "longer path", SubmissionFault.UnverifiedProof, "NotIncluded" },
        { "another index", SubmissionFault.UnverifiedProof, "NotIncluded" },
        { "truncated bytes", SubmissionFault.MalformedProof, "" },
        { "trailing byte", SubmissionFault.MalformedProof, "" },
        { "nothing", SubmissionFault.MalformedProof, "" },
        { "two witnesses of one operator", SubmissionFault.UnverifiedProof, "TooFewWitnesses" },
        { "one witness twice", SubmissionFault.UnverifiedProof, "TooFewWitnesses" },
        { "no witness", SubmissionFault.UnverifiedProof, "TooFewWitnesses" },
        { "another log's", SubmissionFault.UnverifiedProof, "UnknownLog" },
        { "another origin", SubmissionFault.UnverifiedProof, "UnknownLog" },
        { "forged cosignature", SubmissionFault.UnverifiedProof, "WrongSignature" },
        { "refused", SubmissionFault.Refused, "403 NotSigned" },
        { "busy for ever", SubmissionFault.Busy, "Full" },
    };

    [Theory]
    [MemberData(nameof(Receipts))]
    internal async Task A_client_takes_no_receipt_that_is(string receipt, SubmissionFault fault, string reason)
    {
        await using var log = await PaintedLog.OpenAsync();
        log.Add = entry => Answer(receipt, entry);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var result = await LogSubmission.AddAsync(http, log.Address, Honest[17], PaintedLog.Policy, TimeProvider.System, TimeSpan.FromMilliseconds(1), CancellationToken.None);
        Assert.Equal((fault, reason, fault is SubmissionFault.None), (result.Fault, result.Reason, result.Proof is not null));
    }

    private static (int, byte[]) Answer(string receipt, byte[] entry)
    {
        var tree = new NaiveTree([.. Honest.Select(one => TreeHash.OfLeaf(one))]);
        var checkpoint = new Checkpoint(Town.Origin, Honest.Length, tree.Root);
        var good = new LogProof(17, [.. tree.Path(17, 0, Honest.Length)], PaintedLog.Sign(checkpoint));
        using var stranger = SignerKey.Generate(Town.Origin, NoteKeyType.Ed25519);
        Assert.Equal(Honest[17], entry);
        byte[] Cosigned(params SignerKey[] witnesses) => new LogProof(17, good.Path, PaintedLog.Sign(checkpoint, default, witnesses)).ToBytes();
        return receipt switch
        {
            "replayed: of another entry" => (200, new LogProof(18, [.. tree.Path(18, 0, Honest.Length)], good.Checkpoint).ToBytes()),
            "reordered path" => (200, new LogProof(17, [good.Path[1], good.Path[0], .. good.Path[2..]], good.Checkpoint).ToBytes()),
            "truncated path" => (200, new LogProof(17, good.Path[..^1], good.Checkpoint).ToBytes()),
            "longer path" => (200, new LogProof(17, good.Path.Add(good.Path[0]), good.Checkpoint).ToBytes()),
            "another index" => (200, new LogProof(16, good.Path, good.Checkpoint).ToBytes()),
            "truncated bytes" => (200, good.ToBytes()[..^1]),
            "trailing byte" => (200, [.. good.ToBytes(), (byte)'\n']),
            "nothing" => (200, []),
            "two witnesses of one operator" => (200, Cosigned(PaintedLog.Witnesses[..2])),
            "one witness twice" => (200, Cosigned(PaintedLog.Witnesses[2], PaintedLog.Witnesses[2])),
            "no witness" => (200, Cosigned()),
            "another log's" => (200, new LogProof(17, good.Path, checkpoint.Sign(stranger)).ToBytes()),
            "another origin" => (200, new LogProof(17, good.Path, PaintedLog.Sign(new Checkpoint("example.com/other", Honest.Length, tree.Root))).ToBytes()),
            "forged cosignature" => (200, new LogProof(17, good.Path, SignedNote.TryParse(Forge(checkpoint, PaintedLog.Witnesses[0].Verifier), out var note, out _) ? note : throw new InvalidOperationException()).ToBytes()),
            "refused" => (403, "NotSigned\n"u8.ToArray()),
            "busy for ever" => (503, "Full\n"u8.ToArray()),
            _ => (200, good.ToBytes()),
        };
    }

    // One signature under the note is of the right key's name and wrong.
    private static byte[] Forge(Checkpoint checkpoint, VerifierKey forged)
    {
        var note = PaintedLog.Sign(checkpoint);
        return SignedNote.Create(note.Text, [.. note.Signatures.Select(signature => forged.IsNamedBy(signature) ? signature with { Signature = [.. Spoil([.. signature.Signature], signature.Signature.Length - 1)] } : signature)]).ToBytes();
    }

    private static byte[] Spoil(byte[] bytes, params int[] places)
    {
        byte[] spoiled = [.. bytes];
        Array.ForEach(places, place => spoiled[place] ^= 1);
        return spoiled;
    }
}
