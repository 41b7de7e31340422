using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class UnlockersInSqlite(InSqlite database) : UnlockerTests(database), IClassFixture<InSqlite>;

public sealed class UnlockersInPostgres(InPostgres database) : UnlockerTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 2.</summary>
public abstract class UnlockerTests(AccountsDatabase database)
{
    [Fact]
    public async Task An_account_shows_what_is_known_of_it()
    {
        var device = TestDevice.New(new Api((await database.OperatorAsync()).Http));
        var words = new TestUnlocker(UnlockerKind.RecoveryWords);
        var body = device.NewAccount(words);
        device.Token = (string)(await device.Api.JsonAsync("POST", "/accounts", body)).Json["token"]!;
        var account = (await device.GetAsync("/account")).Json;
        Assert.Equal(["account", "epochs", "head", "quota", "unlockers", "used"], account.AsObject().Select(member => member.Key).Order());
        Assert.Equal(device.Account.ToString(), (string?)account["account"]);
        Assert.Equal([(string?)body["epoch_record"]], account["epochs"]!.AsArray().Select(record => (string?)record));
        Assert.Null(account["head"]);
        Assert.Equal((0, 1L << 30), ((long)account["used"]!, (long)account["quota"]!));
        Assert.Equal(body["unlockers"]!.AsArray().Select(unlocker => unlocker!.ToJsonString()).Order(), account["unlockers"]!.AsArray().Select(unlocker => unlocker!.ToJsonString()).Order());

        await device.PushAsync(TestDevice.Change(size: 100));
        account = (await device.GetAsync("/account")).Json;
        Assert.Equal(Api.Text(device.Head!.Bytes.Span), (string?)account["head"]);
        Assert.InRange((long)account["used"]!, 100, 1000);
    }

    [Fact]
    public async Task An_unlocker_that_is_added_signs_in()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var added = new TestUnlocker(UnlockerKind.Passphrase);
        Assert.Equal("401 wrong", (await device.SignInAsync(added)).Verdict);
        var json = added.Json();
        Assert.Equal(200, (await PutAsync(device, json)).Status);
        Assert.Equal(200, (await PutAsync(device, json)).Status); // the same again
        Assert.Equal(200, (await device.SignInAsync(added)).Status);
        Assert.Equal(json.ToJsonString(), await ShownAsync(device, added.Id));
    }

    [Fact]
    public async Task Another_under_a_known_identity_replaces_the_wrap_and_nothing_else()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var json = device.Unlocker.Json();
        var impostor = new TestUnlocker { Id = device.Unlocker.Id };
        json["sign_in_key"] = Api.Text(impostor.Key.PublicKey.Bytes);
        json["added"] = "2020-01-01";
        Assert.Equal(200, (await PutAsync(device, json)).Status);
        Assert.Equal("401 wrong", (await device.SignInAsync(impostor)).Verdict);
        Assert.Equal(200, (await device.SignInAsync()).Status);
        var shown = JsonNode.Parse((await ShownAsync(device, device.Unlocker.Id))!)!;
        Assert.Equal(((string?)json["wrap"], "2026-11-25"), ((string?)shown["wrap"], (string?)shown["added"]));
    }

    [Fact]
    public async Task What_is_no_unlocker_of_that_name_is_malformed()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        async Task<string> VerdictAsync(JsonObject json, Identity? id = null) => (await device.Api.JsonAsync("PUT", $"/account/unlockers/{(id is { } named ? named.ToString() : (string)json["id"]!)}", json, device.Token)).Verdict;
        Assert.Equal("400 malformed", await VerdictAsync(new TestUnlocker().Json(), TestDevice.NewItem()));
        Assert.Equal("400 malformed", await VerdictAsync(With(new TestUnlocker().Json(), "wrap", null)));
        Assert.Equal("400 malformed", await VerdictAsync(With(new TestUnlocker().Json(), "label", "my phone")));
        Assert.Equal("400 malformed", await VerdictAsync(With(new TestUnlocker().Json(), "renewed", Api.Text(TestUnlocker.WrapToKey(1)))));
        Assert.Equal("400 malformed", await VerdictAsync(With(device.Unlocker.Json(), "kind", 3))); // a known one of another kind
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("PUT", "/account/unlockers/x", new TestUnlocker().Json(), device.Token)).Verdict);
        Assert.Equal("409 epoch", await VerdictAsync(new TestUnlocker().Json(2)));
        Assert.Equal("409 epoch", await VerdictAsync(device.Unlocker.Json(2)));
        Assert.Single((await device.GetAsync("/account")).Json["unlockers"]!.AsArray());
    }

    [Fact]
    public async Task There_are_thirty_two_at_the_most()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        for (int i = 1; i < 32; i++)
        {
            Assert.Equal(200, (await PutAsync(device, new TestUnlocker().Json())).Status);
        }
        Assert.Equal("409 full", (await PutAsync(device, new TestUnlocker().Json())).Verdict);
        Assert.Equal(200, (await PutAsync(device, device.Unlocker.Json())).Status);
    }

    [Fact]
    public async Task The_same_identity_in_two_accounts_takes_nothing_from_either()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var squatter = await TestDevice.CreateAsync(program);
        var own = new TestUnlocker { Id = device.Unlocker.Id };
        Assert.Equal(200, (await PutAsync(squatter, own.Json())).Status);
        Assert.Equal(device.Account.ToString(), (string?)(await device.SignInAsync()).Json["account"]);
        Assert.Equal(squatter.Account.ToString(), (string?)(await device.SignInAsync(own)).Json["account"]);
    }

    [Fact]
    public async Task Only_what_unlocks_nothing_is_removed_by_itself()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        var passkey = new TestUnlocker(UnlockerKind.Passkey);
        var json = With(passkey.Json(), "wrap", null);
        Assert.Equal(200, (await PutAsync(device, json)).Status);
        Task<Reply> RemoveAsync(TestDevice by, Identity id) => by.Api.AskAsync("DELETE", $"/account/unlockers/{id}", by.Token);
        Assert.Equal("404 unknown", (await RemoveAsync(other, passkey.Id)).Verdict);
        Assert.Equal("404 unknown", (await device.Api.AskAsync("DELETE", "/account/unlockers/x", device.Token)).Verdict);
        Assert.Equal("409 epoch", (await RemoveAsync(device, device.Unlocker.Id)).Verdict);
        Assert.Equal(204, (await RemoveAsync(device, passkey.Id)).Status);
        Assert.Equal("404 unknown", (await RemoveAsync(device, passkey.Id)).Verdict);

        // With a wrap it unlocks, and nothing takes the wrap away but a new epoch.
        Assert.Equal(200, (await PutAsync(device, passkey.Json())).Status);
        Assert.Equal("400 malformed", (await PutAsync(device, json)).Verdict);
        Assert.Equal("409 epoch", (await RemoveAsync(device, passkey.Id)).Verdict);
    }

    [Fact]
    public async Task A_new_epoch_ends_who_has_no_wrap_of_it()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var stays = new TestUnlocker(UnlockerKind.RecoveryWords);
        var goes = new TestUnlocker();
        var bare = new TestUnlocker(UnlockerKind.Passkey);
        var wrapped = new TestUnlocker(UnlockerKind.Passkey);
        foreach (var json in (JsonObject[])[stays.Json(), goes.Json(), With(bare.Json(), "wrap", null), wrapped.Json()])
        {
            Assert.Equal(200, (await PutAsync(device, json)).Status);
        }
        string ended = (string)(await device.SignInAsync(goes)).Json["token"]!;
        var first = await device.PushAsync(TestDevice.Change());

        using var next = Ed25519PrivateKey.Generate();
        var record = TestDevice.MakeRecord(device.Account, 2, next, device.HeadKey);
        byte[] forDevice = TestUnlocker.WrapToKey(2), forWords = TestUnlocker.WrapToKey(2);
        var body = Epoch(record, (device.Unlocker.Id, forDevice), (stays.Id, forWords));
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/account/epochs", body, device.Token)).Status);
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/account/epochs", body, device.Token)).Status); // the answer was lost

        Assert.Equal("401 session", (await device.Api.AskAsync("GET", "/account", ended)).Verdict);
        Assert.Equal("401 wrong", (await device.SignInAsync(goes)).Verdict);
        var account = (await device.GetAsync("/account")).Json;
        Assert.Equal(2, account["epochs"]!.AsArray().Count);
        Assert.Equal(new[] { device.Unlocker.Id, stays.Id, bare.Id }.Select(id => $"{id}").Order(), account["unlockers"]!.AsArray().Select(unlocker => (string?)unlocker!["id"]).Order());
        var shown = JsonNode.Parse((await ShownAsync(device, stays.Id))!)!;
        Assert.Equal(Api.Text(forWords), (string?)shown["renewed"]);
        Assert.Equal(1, Api.Bytes(shown["wrap"])[4]); // the one by secret, of epoch 1, is left as it was

        // Heads of the old epoch are over, but what was taken was taken.
        Assert.Equal("403 signature", (await device.PushAsync(device.Batch([]))).Verdict);
        Assert.Equal(200, (await device.PushAsync(first)).Status);
        (device.Record, device.HeadKey) = (record, next);
        await device.PushAsync(TestDevice.Change());

        // A wrap of the current epoch takes the place of both.
        Assert.Equal("409 epoch", (await PutAsync(device, stays.Json(1))).Verdict);
        Assert.Equal(200, (await PutAsync(device, stays.Json(2))).Status);
        shown = JsonNode.Parse((await ShownAsync(device, stays.Id))!)!;
        Assert.Null(shown["renewed"]);
        Assert.Equal(2, Api.Bytes(shown["wrap"])[4]);
    }

    [Fact]
    public async Task An_epoch_that_does_not_follow_is_refused()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        using var next = Ed25519PrivateKey.Generate();
        (Identity, byte[]) wrap = (device.Unlocker.Id, TestUnlocker.WrapToKey(2));
        async Task<string> VerdictAsync(JsonObject body) => (await device.Api.JsonAsync("POST", "/account/epochs", body, device.Token)).Verdict;
        EpochRecord Record(uint epoch = 2, AccountNumber? account = null, Ed25519PrivateKey? signer = null) => TestDevice.MakeRecord(account ?? device.Account, epoch, next, signer ?? device.HeadKey);

        Assert.Equal("403 signature", await VerdictAsync(Epoch(Record(signer: next), wrap)));
        Assert.Equal("403 signature", await VerdictAsync(Epoch(Record(account: other.Account), wrap)));
        Assert.Equal("409 epoch", await VerdictAsync(Epoch(Record(3), (device.Unlocker.Id, TestUnlocker.WrapToKey(3)))));
        Assert.Equal("409 epoch", await VerdictAsync(Epoch(Record(1), (device.Unlocker.Id, TestUnlocker.WrapToKey(1)))));
        Assert.Equal("404 unknown", await VerdictAsync(Epoch(Record(), wrap, (other.Unlocker.Id, TestUnlocker.WrapToKey(2)))));
        Assert.Equal("400 malformed", await VerdictAsync(Epoch(Record())));
        Assert.Equal("400 malformed", await VerdictAsync(Epoch(Record(), (device.Unlocker.Id, TestUnlocker.WrapToKey(1)))));
        Assert.Equal("400 malformed", await VerdictAsync(Epoch(Record(), (device.Unlocker.Id, TestUnlocker.Wrap(2)))));
        Assert.Equal("400 malformed", await VerdictAsync(With(Epoch(Record(), wrap), "record", "AAAA")));
        Assert.Equal("400 malformed", await VerdictAsync(With(Epoch(Record(), wrap), "wraps", new JsonObject { ["me"] = Api.Text(wrap.Item2) })));
        string twice = Epoch(Record(), wrap).ToJsonString();
        string entry = twice[(twice.IndexOf("\"wraps\":{", StringComparison.Ordinal) + 9)..twice.LastIndexOf("}}", StringComparison.Ordinal)];
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("POST", "/account/epochs", twice.Replace("}}", $",{entry}}}}}", StringComparison.Ordinal), device.Token)).Verdict);

        Assert.Single((await device.GetAsync("/account")).Json["epochs"]!.AsArray());
        Assert.Equal("200", await VerdictAsync(Epoch(Record(), wrap)));
        Assert.Equal("409 epoch", await VerdictAsync(Epoch(Record(), wrap))); // another one of the same number
    }

    [Fact]
    public async Task There_are_four_thousand_and_ninety_six_epochs_at_the_most()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        async Task<string> BeginAsync(uint epoch) => (await device.Api.JsonAsync("POST", "/account/epochs",
            Epoch(TestDevice.MakeRecord(device.Account, epoch, device.HeadKey, device.HeadKey), (device.Unlocker.Id, TestUnlocker.WrapToKey(epoch))), device.Token)).Verdict;
        await using (var rows = RawDatabase.Open(await database.NameAsync()))
        {
            byte[] number = new byte[AccountNumber.Size];
            device.Account.Write(number);
            await rows.ScalarAsync("UPDATE accounts SET epoch = 4095 WHERE account = $1", number);
            await rows.ScalarAsync("UPDATE epochs SET epoch = 4095, record = $1 WHERE account = $2", TestDevice.MakeRecord(device.Account, 4095, device.HeadKey, device.HeadKey).Bytes.ToArray(), number);
        }
        Assert.Equal("200", await BeginAsync(4096));
        Assert.Equal("409 full", await BeginAsync(4097));
        Assert.Equal(2, (await device.GetAsync("/account")).Json["epochs"]!.AsArray().Count);
    }

    [Fact]
    public async Task What_is_refused_makes_no_feed_ask_for_its_session()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var feed = program.Accounts.Feeds.Join(device.Account, new byte[32], DateTimeOffset.MaxValue)!;
        Assert.Equal(0UL, (await feed.NextAsync()).Head);
        Assert.Equal("404 unknown", (await device.Api.AskAsync("DELETE", $"/account/unlockers/{TestDevice.NewItem()}", device.Token)).Verdict);
        Assert.Equal("409 epoch", (await device.Api.AskAsync("DELETE", $"/account/unlockers/{device.Unlocker.Id}", device.Token)).Verdict);
        var body = Epoch(TestDevice.MakeRecord(device.Account, 3, device.HeadKey, device.HeadKey), (device.Unlocker.Id, TestUnlocker.WrapToKey(3)));
        Assert.Equal("409 epoch", (await device.Api.JsonAsync("POST", "/account/epochs", body, device.Token)).Verdict);
        feed.Tell(1);
        var due = await feed.NextAsync();
        Assert.Equal((1UL, false), (due.Head, due.AskAgain));
        program.Accounts.Feeds.Leave(feed);
    }

    internal static JsonObject Epoch(EpochRecord record, params (Identity Unlocker, byte[] Wrap)[] wraps) => new()
    {
        ["record"] = Api.Text(record.Bytes.Span),
        ["wraps"] = new JsonObject(wraps.Select(wrap => KeyValuePair.Create(wrap.Unlocker.ToString(), (JsonNode?)Api.Text(wrap.Wrap)))),
    };

    internal static Task<Reply> PutAsync(TestDevice device, JsonObject json) => device.Api.JsonAsync("PUT", $"/account/unlockers/{json["id"]}", json, device.Token);

    private static async Task<string?> ShownAsync(TestDevice device, Identity id) =>
        (await device.GetAsync("/account")).Json["unlockers"]!.AsArray().Single(unlocker => (string?)unlocker!["id"] == id.ToString())!.ToJsonString();

    private static JsonObject With(JsonObject body, string member, JsonNode? value)
    {
        body[member] = value;
        return body;
    }
}
