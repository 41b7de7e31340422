using System.Text;
using System.Text.Json.Nodes;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class RevocationInSqlite(InSqlite database) : RevocationTests(database), IClassFixture<InSqlite>;

public sealed class RevocationInPostgres(InPostgres database) : RevocationTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 1: what a device began before it was removed it does not end.</summary>
public abstract class RevocationTests(AccountsDatabase database)
{
    [Theory]
    [InlineData("an unlocker")]
    [InlineData("a passkey")]
    [InlineData("a part")]
    [InlineData("a batch")]
    [InlineData("an epoch")]
    [InlineData("the account's end")]
    public async Task A_request_that_a_removed_device_had_begun_changes_nothing(string what)
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var thief = new TestUnlocker();
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, thief.Json())).Status);
        string token = (string)(await device.SignInAsync(thief)).Json["token"]!;

        using var next = Ed25519PrivateKey.Generate();
        var record = TestDevice.MakeRecord(device.Account, 2, next, device.HeadKey);
        var epoch = UnlockerTests.Epoch(record, (device.Unlocker.Id, TestUnlocker.WrapToKey(2)));
        var later = device.Beside(device.Api);
        (later.Record, later.HeadKey) = (record, next);

        // Each would be taken, were it still signed in.
        var (method, path, content) = what switch
        {
            "an unlocker" => Json("PUT", $"/account/unlockers/{thief.Id}", thief.Json(2)),
            "a passkey"   => Json("POST", "/passkeys", await PasskeyAsync(program, device, token)),
            "a part"      => ("PUT", $"/account/attachments/{TestDevice.NewItem()}/0", new HeldContent(new byte[100], "application/octet-stream")),
            "a batch"     => ("POST", "/account/changes", new HeldContent(later.Batch([TestDevice.Change()]).ToBytes(), "application/octet-stream")),
            "an epoch"    => Json("POST", "/account/epochs", UnlockerTests.Epoch(TestDevice.MakeRecord(device.Account, 3, next, next), (device.Unlocker.Id, TestUnlocker.WrapToKey(3)))),
            _             => Json("DELETE", "/account", TestDevice.Proof(device.Unlocker, await device.ChallengeAsync(), delete: true)),
        };
        using var slow = HeldContent.Client(program.Address);
        var begun = new Api(slow).SendAsync(method, path, content, token);
        await content.Asked;
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/account/epochs", epoch, device.Token)).Status);
        content.Release();
        Assert.Equal("401 session", (await begun).Verdict);

        var account = (await device.GetAsync("/account")).Json;
        Assert.Equal(device.Unlocker.Id.ToString(), (string?)Assert.Single(account["unlockers"]!.AsArray())!["id"]);
        Assert.Equal((2, 0L), (account["epochs"]!.AsArray().Count, (long)account["used"]!));
    }

    [Fact]
    public async Task A_session_that_runs_out_ends_what_it_had_begun()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("out", time);
        var device = await TestDevice.CreateAsync(program);
        using var slow = HeldContent.Client(program.Address);
        using var content = new HeldContent(new byte[100], "application/octet-stream");
        var begun = new Api(slow).SendAsync("PUT", $"/account/attachments/{TestDevice.NewItem()}/0", content, device.Token);
        await content.Asked;
        time.Advance(TimeSpan.FromMinutes(15));
        content.Release();
        Assert.Equal("401 session", (await begun).Verdict);
    }

    [Fact]
    public async Task Who_sent_batches_before_they_were_removed_sends_no_more_and_the_others_go_on_with_the_new_key()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var thief = new TestUnlocker();
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, thief.Json())).Status);
        string token = (string)(await device.SignInAsync(thief)).Json["token"]!, own = device.Token;
        foreach (string sender in (string[])[token, own, token])
        {
            // The operator remembers both.
            device.Token = sender;
            await device.PushAsync(TestDevice.Change());
        }
        device.Token = own;

        using var next = Ed25519PrivateKey.Generate();
        var record = TestDevice.MakeRecord(device.Account, 2, next, device.HeadKey);
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/account/epochs", UnlockerTests.Epoch(record, (device.Unlocker.Id, TestUnlocker.WrapToKey(2))), own)).Status);
        Assert.Equal("403 signature", (await device.PushAsync(device.Batch([TestDevice.Change()]))).Verdict);
        (device.Record, device.HeadKey) = (record, next);
        for (int i = 0; i < 2; i++)
        {
            device.Token = token;
            Assert.Equal("401 session", (await device.PushAsync(device.Batch([TestDevice.Change()]))).Verdict);
            device.Token = own;
            await device.PushAsync(TestDevice.Change());
        }
        Assert.Equal(5UL, device.Sequence);
    }

    [Fact]
    public async Task A_session_that_was_remembered_runs_out()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("remembered", time);
        var device = await TestDevice.CreateAsync(program);
        await device.PushAsync(TestDevice.Change());
        time.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal("401 session", (await device.PushAsync(device.Batch([TestDevice.Change()]))).Verdict);
    }

    private static (string Method, string Path, HeldContent Content) Json(string method, string path, JsonObject body) => (method, path, new HeldContent(Encoding.UTF8.GetBytes(body.ToJsonString()), "application/json"));

    private static async Task<JsonObject> PasskeyAsync(RunningOperator program, TestDevice device, string token)
    {
        var question = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, token)).Json;
        return new()
        {
            ["unlocker"] = TestDevice.NewItem().ToString(),
            ["credential"] = new SoftAuthenticator($"http://localhost:{program.Address.Port}").Create(question["options"]!),
            ["state"] = (string?)question["state"],
        };
    }
}
