using System.Net;
using System.Text;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>The log as its users see it.</summary>
public class LogTests
{
    [Fact]
    public async Task A_receipt_is_a_proof_that_three_witnesses_cosigned()
    {
        await using var town = await Town.BuildAsync();
        await using var log = await town.OpenLogAsync();
        var proof = await log.AddAsync("one");
        Assert.Equal(0, proof.Index);
        Assert.Equal(4, proof.Checkpoint.Signatures.Length);
        Assert.Equal(LogProofFault.NotIncluded, proof.Verify("two"u8, town.Policy, DateTimeOffset.UtcNow, null).Fault);
        Assert.Equal(1, (await log.CheckpointAsync()).Size);
    }

    [Fact]
    public async Task The_same_entry_again_is_where_it_was()
    {
        await using var town = await Town.BuildAsync(1);
        await using (var log = await town.OpenLogAsync())
        {
            var first = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => log.AddAsync($"{i % 4}")));
            Assert.All(first, (proof, i) => Assert.Equal(first[i % 4].Index, proof.Index));
            Assert.Equal(first[2].Index, (await log.AddAsync("2")).Index);
            Assert.Equal(4, (await log.CheckpointAsync()).Size);
        }
        await using var again = await town.OpenLogAsync();
        await again.AddAsync("2");
        Assert.Equal(4, (await again.CheckpointAsync()).Size);
    }

    [Fact]
    public async Task Every_tile_and_proof_is_what_the_naive_tree_says()
    {
        await using var town = await Town.BuildAsync(1);
        var entries = new string[700];
        await using (var log = await town.OpenLogAsync())
        {
            await AddAsync(log, entries, 0, 300);
        }
        await using var again = await town.OpenLogAsync();
        await AddAsync(again, entries, 300, 700);

        var tree = new NaiveTree([.. entries.Select(entry => TreeHash.OfLeaf(Encoding.UTF8.GetBytes(entry)))]);
        var checkpoint = await again.CheckpointAsync();
        Assert.Equal((700, tree.Root), (checkpoint.Size, checkpoint.Root));
        Assert.Equal(entries, await again.EntriesAsync());
        foreach (var (level, count) in ((int, int)[])[(0, 700), (1, 2)])
        {
            for (int tile = 0; tile * 256 < count; tile++)
            {
                byte[] expected = [.. Enumerable.Range(tile * 256, Math.Min(256, count - tile * 256)).SelectMany(i => tree.Read(level * 8, i)!.Value.ToBytes())];
                Assert.Equal(expected, await again.Reader.FetchTileAsync(TilePath.InTree(level, tile, 700), CancellationToken.None));
            }
        }
        foreach (int index in (int[])[0, 255, 256, 511, 699])
        {
            Assert.Equal(tree.Path(index, 0, 700), await again.Reader.FetchInclusionAsync(index, 700, CancellationToken.None));
            Assert.Equal(tree.Proof(index + 1, 0, 700, true), await again.Reader.FetchConsistencyAsync(index + 1, 700, CancellationToken.None));
        }

        // The partial tiles that full ones replaced are gone, and their readers get the full one's beginning.
        Assert.Equal(HttpStatusCode.NotFound, (await again.GetAsync("tile/entries/000.p/255")).StatusCode);
        Assert.NotNull(await again.Reader.FetchTileAsync(new TilePath(0, 0, 17), CancellationToken.None));
        Assert.Equal(17, (await again.Reader.FetchBundleAsync(new TilePath(TilePath.EntriesLevel, 0, 17), CancellationToken.None))!.Value.Length);
    }

    [Fact]
    public async Task Headers_are_those_of_the_specification()
    {
        await using var town = await Town.BuildAsync(1);
        await using var log = await town.OpenLogAsync();
        await log.AddAsync("one");
        foreach (var (path, type, cache) in ((string, string, string)[])
            [("checkpoint", "text/plain; charset=utf-8", "no-cache"), ("tile/0/000.p/1", "application/octet-stream", "public, max-age=31536000, immutable"), ("tile/entries/000.p/1", "application/octet-stream", "public, max-age=31536000, immutable")])
        {
            using var response = await log.GetAsync(path);
            Assert.Equal((HttpStatusCode.OK, type, cache), (response.StatusCode, $"{response.Content.Headers.ContentType}", $"{response.Headers.NonValidated["Cache-Control"]}"));
        }
        foreach (string path in (string[])["tile/0/000", "tile/0/000.p/2", "tile/00/000.p/1", "tile/0/%2e%2e/checkpoint", "tile/.staged/0", "tile/", "tile"])
        {
            using var response = await log.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.True(response.Headers.CacheControl?.NoStore ?? true);
        }
    }

    [Fact]
    public async Task What_is_no_entry_of_a_submitter_is_refused_by_name()
    {
        await using var town = await Town.BuildAsync(1);
        await using var log = await town.OpenLogAsync(town.Options(open: false));
        using var stranger = SignerKey.Generate("alice", NoteKeyType.Ed25519);
        var statement = new LogStatement
        {
            Namespace = Town.Namespace,
            NotBefore = LogStatement.FormatTime(DateTimeOffset.UtcNow.AddDays(1)),
            NotAfter = LogStatement.FormatTime(DateTimeOffset.UtcNow.AddDays(2)),
            Recall = new Recall(new string('a', 64), "A test."),
        };
        var expired = statement with { NotBefore = LogStatement.FormatTime(DateTimeOffset.UtcNow.AddDays(-2)), NotAfter = LogStatement.FormatTime(DateTimeOffset.UtcNow.AddDays(-1)) };
        var good = LogEntry.Sign(statement, town.Publisher);
        byte[] forged = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(good.ToBytes()).Replace("A test", "A jest", StringComparison.Ordinal));

        foreach (var (entry, status, name) in ((byte[], int, string)[])
            [("words"u8.ToArray(), 400, "MalformedEntry"), ([], 400, "MalformedEntry"),
            (LogEntry.Sign(statement with { Namespace = "example.com/other" }, town.Publisher).ToBytes(), 403, "UnknownNamespace"),
            (LogEntry.Sign(statement, stranger).ToBytes(), 403, "NotSigned"), (forged, 403, "WrongSignature"),
            (LogEntry.Sign(expired, town.Publisher).ToBytes(), 403, "Expired"), (new byte[65536], 413, "")])
        {
            using var response = await log.PostAsync(entry);
            Assert.Equal((status, name), ((int)response.StatusCode, (await response.Content.ReadAsStringAsync()).TrimEnd()));
        }
        Assert.Equal(0, (await log.FirstCheckpointAsync()).Size);
        Assert.Equal(0, (await log.AddAsync(good.ToBytes())).Index);
    }

    [Fact]
    public async Task Without_enough_witnesses_there_is_no_receipt_and_nothing_is_lost()
    {
        await using var town = await Town.BuildAsync(3, "group two 2 w0 w1 w2\nquorum two\n");
        int port = town.WitnessAddress(1).Port;
        await using var log = await town.OpenLogAsync(town.Options() with { AddSeconds = 1 });
        await log.AddAsync("three are up");
        await town.StopWitnessAsync(1);
        Assert.Equal(3, (await log.AddAsync("two are up")).Checkpoint.Signatures.Length);

        await town.StopWitnessAsync(2);
        using (var response = await log.PostAsync("one is up"u8.ToArray()))
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "NotWitnessed\n"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
            Assert.NotNull(response.Headers.RetryAfter);
        }
        Assert.Equal(2, (await log.CheckpointAsync()).Size);

        await town.OpenWitnessAsync(1, port: port);
        Assert.Equal(2, (await log.AddAsync("one is up")).Index);
        Assert.Equal(3, (await log.CheckpointAsync()).Size);
    }

    [Fact]
    public async Task A_full_queue_says_so()
    {
        await using var town = await Town.BuildAsync(1);
        await town.StopWitnessAsync(0);
        await using var log = await town.OpenLogAsync(town.Options() with { MaxPending = 3, AddSeconds = 1 });
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
        {
            using var response = await log.PostAsync([(byte)i]);
            return (await response.Content.ReadAsStringAsync()).TrimEnd();
        }));
        Assert.Equal((3, 7), (answers.Count(answer => answer == "NotWitnessed"), answers.Count(answer => answer == "Full")));
        await Assert.ThrowsAsync<HttpRequestException>(() => log.CheckpointAsync());
    }

    [Fact]
    public async Task Cosignatures_are_renewed_where_nothing_is_added()
    {
        var time = new ManualTime();
        await using var town = await Town.BuildAsync(1, time: time);
        await using var log = await town.OpenLogAsync(time: time);
        await log.AddAsync("one");
        string before = (await log.Reader.FetchCheckpointAsync(CancellationToken.None))!.ToString(), after = before;
        time.Advance(TimeSpan.FromMinutes(59));
        await log.AddAsync("one");
        Assert.Equal(before, (await log.Reader.FetchCheckpointAsync(CancellationToken.None))!.ToString());

        time.Advance(TimeSpan.FromMinutes(2));
        for (int i = 0; i < 500 && after == before; i++)
        {
            await Task.Delay(10);
            after = (await log.Reader.FetchCheckpointAsync(CancellationToken.None))!.ToString();
        }
        Assert.NotEqual(before, after);
        Assert.Equal(before.Split('\n')[..5], after.Split('\n')[..5]); // the same bytes, and a later time under them
    }

    [Fact]
    public async Task What_is_repeated_bothers_no_witness()
    {
        await using var town = await Town.BuildAsync(1);
        await using var log = await town.OpenLogAsync();
        await log.AddAsync("one");
        string before = (await log.Reader.FetchCheckpointAsync(CancellationToken.None))!.ToString();
        await Task.Delay(1100); // a cosignature made now would say so
        await log.AddAsync("one");
        await log.AddAsync("one");
        Assert.Equal(before, (await log.Reader.FetchCheckpointAsync(CancellationToken.None))!.ToString());
    }

    // Many at once; where each came to lie its receipt says.
    private static Task AddAsync(RunningLog log, string[] entries, int start, int end) => Task.WhenAll(Enumerable.Range(start, end - start).Select(async i =>
    {
        var proof = await log.AddAsync($"entry {i}");
        entries[proof.Index] = $"entry {i}";
    }));
}
