using System.Net;
using System.Text;
using Cloister.Log.Tests.Disks;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>The witness as logs see it (C2SP tlog-witness), and as its disk leaves it.</summary>
public class WitnessTests
{
    private static readonly NaiveTree Tree = new([.. PaintedLog.Entries(20).Select(entry => TreeHash.OfLeaf(entry))]);

    private static TreeHash Root(int size) => Tree.Hash(0, size);

    private static async Task<(HttpStatusCode Status, string Type, string Body)> AskAsync(Town town, int oldSize, int size, TreeHash? root = null, SignerKey? key = null, string origin = Town.Origin, TreeHash[]? path = null)
    {
        KeyFiles.TryRead(town.KeyFile, out var log);
        var checkpoint = new Checkpoint(origin, size, root ?? Root(size));
        var request = new AddCheckpointRequest(oldSize, [.. path ?? (oldSize is > 0 && oldSize < size ? [.. Tree.Proof(oldSize, 0, size, true)] : [])], checkpoint.Sign(key ?? log!));
        using var response = await town.Http.PostAsync(new Uri(town.WitnessAddress(0), "add-checkpoint"), new ByteArrayContent(request.ToBytes()));
        return (response.StatusCode, $"{response.Content.Headers.ContentType}", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task It_answers_with_the_statuses_of_the_specification_and_remembers_across_a_restart()
    {
        await using var town = await Town.BuildAsync(1);
        using var stranger = SignerKey.Generate(Town.Origin, NoteKeyType.Ed25519);
        using var other = SignerKey.Generate("example.com/other", NoteKeyType.Ed25519);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(town, 0, 5, key: other, origin: "example.com/other")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(town, 0, 5, key: stranger)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(town, 6, 5)).Status);
        using (var malformed = await town.Http.PostAsync(new Uri(town.WitnessAddress(0), "add-checkpoint"), new ByteArrayContent("old 0\n"u8.ToArray())))
        {
            Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
        }

        var cosigned = await AskAsync(town, 0, 5);
        Assert.Equal(HttpStatusCode.OK, cosigned.Status);
        Assert.True(AddCheckpointRequest.TryParseAnswer(Encoding.UTF8.GetBytes(cosigned.Body), out var cosignatures));
        using var key = town.WitnessKey(0);
        Assert.True(key.Verifier.Verify(new Checkpoint(Town.Origin, 5, Root(5)).ToString(), Assert.Single(cosignatures), out long time));
        Assert.InRange(time, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 60, DateTimeOffset.UtcNow.ToUnixTimeSeconds());

        for (int restart = 0; restart < 2; restart++)
        {
            Assert.Equal((HttpStatusCode.Conflict, "text/x.tlog.size", "5\n"), await AskAsync(town, 0, 9));
            Assert.Equal((HttpStatusCode.Conflict, "text/x.tlog.size", "5\n"), await AskAsync(town, 5, 5, Root(4)));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await AskAsync(town, 5, 9, Root(8))).Status);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await AskAsync(town, 5, 9, path: [])).Status);
            Assert.Equal(HttpStatusCode.OK, (await AskAsync(town, 5, 5)).Status);
            await town.StopWitnessAsync(0);
            await town.OpenWitnessAsync(0);
        }
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(town, 5, 9)).Status);
    }

    [Fact]
    public async Task Of_many_at_once_one_wins()
    {
        await using var town = await Town.BuildAsync(1);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(town, 0, 5)).Status);
        var answers = await Task.WhenAll(Enumerable.Range(6, 14).Select(size => AskAsync(town, 5, size)));
        Assert.Single(answers, answer => answer.Status is HttpStatusCode.OK);
        Assert.Equal(13, answers.Count(answer => answer.Status is HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task What_it_cannot_remember_it_does_not_cosign_at_whichever_step_the_disk_fails()
    {
        int step = 0;
        for (bool came = true; came; step++)
        {
            await using var town = await Town.BuildAsync(1);
            Assert.Equal(HttpStatusCode.OK, (await AskAsync(town, 0, 5)).Status);
            await town.StopWitnessAsync(0);

            // The first flush is of the start; then come the steps of remembering.
            var disk = new PowerCutDisk(1 + step, DiskFate.Full, step);
            await town.OpenWitnessAsync(0, disk: disk);
            var answer = await AskAsync(town, 5, 9);
            came = disk.Came;
            Assert.Equal(came ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK, answer.Status);
            Assert.Equal(came ? "" : answer.Body, answer.Body);
            await town.StopWitnessAsync(0);
            await town.OpenWitnessAsync(0);

            // Nothing left, so either history is still open to it; but it is one.
            var after = await AskAsync(town, 5, 9);
            Assert.True(after.Status is HttpStatusCode.OK or HttpStatusCode.Conflict && (after.Body.Length == 0 || after.Body is "9\n" || after.Status is HttpStatusCode.OK));
            Assert.Equal(HttpStatusCode.OK, (await AskAsync(town, 9, 9)).Status);
        }
        Assert.Equal(4, step);
    }

    [Fact]
    public async Task Two_do_not_share_a_memory_and_a_damaged_one_is_none()
    {
        await using var town = await Town.BuildAsync(1);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(town, 0, 5)).Status);
        Assert.Equal(LogFault.Locked, Assert.Throws<LogStoppedException>(() => WitnessProgram.Build(town.WitnessOptions(0))).Fault);
        await town.StopWitnessAsync(0);
        string file = Directory.GetFiles(town.WitnessFolder(0), "*.checkpoint").Single();
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file))[..^2]);
        Assert.Equal(LogFault.OtherLog, Assert.Throws<LogStoppedException>(() => WitnessProgram.Build(town.WitnessOptions(0))).Fault);
        File.Delete(file);
        await town.OpenWitnessAsync(0);
    }

    public static TheoryData<string, int, string> Lies => new()
    {
        { "another witness's cosignature", 200, "— witness.example/0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n" },
        { "no signature lines", 200, "yes\n" },
        { "nothing", 200, "" },
        { "a size that the log has not", 409, "1000000\n" },
        { "the same size for ever", 409, "0\n" },
        { "no size", 409, "many\n" },
        { "no such log", 404, "" },
        { "a fault of its own", 500, "" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_witness_that_lies_does_not_count_and_holds_nobody_up(string lie, int status, string answer)
    {
        Assert.NotEmpty(lie);
        await using var town = await Town.BuildAsync(2);
        await using var liar = await PaintedLog.OpenAsync();
        liar.Add = _ => (status, Encoding.UTF8.GetBytes(answer));
        town.WritePolicy("group one 1 w0 w1\nquorum one\n", i => i == 0 ? liar.Address.ToString() : town.WitnessAddress(1).ToString());
        await using (var log = await town.OpenLogAsync())
        {
            var proof = await log.AddAsync("one");
            Assert.Equal(2, proof.Checkpoint.Signatures.Length);
            Assert.Equal("witness.example/1", proof.Checkpoint.Signatures[1].KeyName);
        }

        // Where the policy asks for it there is no receipt.
        town.WritePolicy("group both all w0 w1\nquorum both\n", i => i == 0 ? liar.Address.ToString() : town.WitnessAddress(1).ToString());
        await using var strict = await town.OpenLogAsync(town.Options() with { AddSeconds = 1 });
        using var response = await strict.PostAsync("two"u8.ToArray());
        Assert.Equal("NotWitnessed\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_witness_that_never_answers_holds_nobody_up()
    {
        await using var town = await Town.BuildAsync(2);
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        town.WritePolicy("group one 1 w0 w1\nquorum one\n", i => i == 0 ? $"http://{silent.LocalEndpoint}/" : town.WitnessAddress(1).ToString());
        await using var log = await town.OpenLogAsync(town.Options() with { WitnessSeconds = 60 });
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(i, (await log.AddAsync($"{i}")).Index);
        }
    }
}
