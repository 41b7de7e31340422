using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class SignInInSqlite(InSqlite database) : SignInTests(database), IClassFixture<InSqlite>;

public sealed class SignInInPostgres(InPostgres database) : SignInTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 1, without passkeys.</summary>
public abstract class SignInTests(AccountsDatabase database)
{
    [Fact]
    public async Task Who_makes_an_account_is_signed_in()
    {
        var program = await database.OperatorAsync();
        var device = TestDevice.New(new Api(program.Http));
        var reply = await device.Api.JsonAsync("POST", "/accounts", device.NewAccount());
        Assert.Equal(201, reply.Status);
        Assert.Equal(["account", "expires", "token", "unlocker"], reply.Json.AsObject().Select(member => member.Key).Order());
        Assert.Equal(device.Account.ToString(), (string?)reply.Json["account"]);
        Assert.Equal(device.Unlocker.Id.ToString(), (string?)reply.Json["unlocker"]);
        Assert.Equal(32, Api.Bytes(reply.Json["token"]).Length);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", (string?)reply.Json["expires"]);
        Assert.Equal("no-store", reply.Headers.CacheControl?.ToString());
        device.Token = (string)reply.Json["token"]!;
        Assert.Equal(200, (await device.GetAsync("/account")).Status);

        // The number is taken, by whatever is sent.
        Assert.Equal("409 taken", (await device.Api.JsonAsync("POST", "/accounts", device.NewAccount())).Verdict);
    }

    public static TheoryData<string, string, Action<JsonObject, TestDeviceBox>> Spoiled => new()
    {
        { "no account", "400 malformed", (body, _) => body.Remove("account") },
        { "an unknown member", "400 malformed", (body, _) => body["name"] = "Anna" },
        { "an account in small letters", "400 malformed", (body, _) => body["account"] = ((string)body["account"]!).ToLowerInvariant() },
        { "another account", "400 malformed", (body, _) => body["account"] = AccountNumber.Read(new byte[10]).ToString() },
        { "a record that is none", "400 malformed", (body, _) => body["epoch_record"] = "AAAA" },
        { "padding", "400 malformed", (body, _) => body["epoch_record"] = (string)body["epoch_record"]! + "=" },
        { "epoch 2", "400 malformed", (body, box) => body["epoch_record"] = Api.Text(TestDevice.MakeRecord(box.Account, 2, box.HeadKey, box.HeadKey).Bytes.Span) },
        { "a record signed by another key", "403 signature", (body, box) => { using var other = Ed25519PrivateKey.Generate(); body["epoch_record"] = Api.Text(TestDevice.MakeRecord(box.Account, 1, box.HeadKey, other).Bytes.Span); } },
        { "no unlocker", "400 malformed", (body, _) => body["unlockers"] = new JsonArray() },
        { "unlockers are null", "400 malformed", (body, _) => body["unlockers"] = null },
        { "33 unlockers", "400 malformed", (body, _) => body["unlockers"] = new JsonArray([.. Enumerable.Range(0, 33).Select(_ => new TestUnlocker().Json())]) },
        { "an unlocker twice", "400 malformed", (body, _) => body["unlockers"] = new JsonArray(Of(body).DeepClone(), Of(body).DeepClone()) },
        { "a passkey alone", "400 malformed", (body, _) => body["unlockers"] = new JsonArray(new TestUnlocker(UnlockerKind.Passkey).Json()) },
        { "a passkey with a key", "400 malformed", (body, _) => Of(body)["kind"] = 1 },
        { "kind 0", "400 malformed", (body, _) => Of(body)["kind"] = 0 },
        { "kind 6", "400 malformed", (body, _) => Of(body)["kind"] = 6 },
        { "a kind in words", "400 malformed", (body, _) => Of(body)["kind"] = "Device" },
        { "no sign-in key", "400 malformed", (body, _) => Of(body)["sign_in_key"] = null },
        { "a short sign-in key", "400 malformed", (body, _) => Of(body)["sign_in_key"] = Api.Text(new byte[31]) },
        { "no wrap", "400 malformed", (body, _) => Of(body)["wrap"] = null },
        { "a wrap of another form", "400 malformed", (body, _) => Of(body)["wrap"] = Api.Text([3, .. new byte[64]]) },
        { "a short wrap", "400 malformed", (body, _) => Of(body)["wrap"] = Api.Text(TestUnlocker.Wrap(1).AsSpan(1)) },
        { "a wrap of epoch 2", "400 malformed", (body, _) => Of(body)["wrap"] = Api.Text(TestUnlocker.Wrap(2)) },
        { "a renewed wrap", "400 malformed", (body, _) => Of(body)["renewed"] = Api.Text(TestUnlocker.WrapToKey(1)) },
        { "no renewed", "400 malformed", (body, _) => Of(body).Remove("renewed") },
        { "a day that is none", "400 malformed", (body, _) => Of(body)["added"] = "2026-02-30" },
        { "an unlocker that is null", "400 malformed", (body, _) => body["unlockers"]!.AsArray().Add(null) },
        { "an identity too long", "400 malformed", (body, _) => Of(body)["id"] = Api.Text(new byte[17]) },
    };

    [Theory]
    [MemberData(nameof(Spoiled))]
    public async Task A_new_account_is_read_strictly(string what, string verdict, Action<JsonObject, TestDeviceBox> spoil)
    {
        var program = await database.OperatorAsync();
        var device = TestDevice.New(new Api(program.Http));
        var body = device.NewAccount();
        spoil(body, new TestDeviceBox(device.Account, device.HeadKey));
        var reply = await device.Api.JsonAsync("POST", "/accounts", body);
        Assert.True(reply.Verdict == verdict, $"{what}: {reply.Verdict}");
        Assert.Equal(["error", "message"], reply.Json.AsObject().Select(member => member.Key));
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/accounts", device.NewAccount())).Status); // nothing of it is left
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"unlocker\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"unlocker\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"challenge\":\"\",\"signature\":\"\"}")]
    [InlineData("{\"unlocker\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"challenge\":\"\",\"signature\":\"\"} ,")]
    [InlineData("{\"unlocker\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"challenge\":\"\",\"signature\":null}")]
    [InlineData("{\"unlocker\":\"AAAAAAAAAAAAAAAAAAAAAB\",\"challenge\":\"\",\"signature\":\"\"}")]
    [InlineData("{\"unlocker\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"challenge\":\"A\",\"signature\":\"\"}")]
    public async Task What_is_no_proof_is_no_attempt(string body)
    {
        var program = await database.OperatorAsync();
        Assert.Equal("400 malformed", (await new Api(program.Http).JsonAsync("POST", "/sign-in", body)).Verdict);
    }

    [Fact]
    public async Task A_signature_under_a_challenge_signs_in_once()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        byte[] challenge = await device.ChallengeAsync();
        Assert.InRange(challenge.Length, 32, SignInMessage.MaxChallenge);
        var proof = TestDevice.Proof(device.Unlocker, challenge);
        var reply = await device.Api.JsonAsync("POST", "/sign-in", proof);
        Assert.Equal(200, reply.Status);
        Assert.NotEqual(device.Token, (string?)reply.Json["token"]);
        Assert.Equal("401 wrong", (await device.Api.JsonAsync("POST", "/sign-in", proof)).Verdict);
        device.Token = (string)reply.Json["token"]!;
        Assert.Equal(200, (await device.GetAsync("/account")).Status);
    }

    [Fact]
    public async Task An_unknown_unlocker_answers_as_a_wrong_signature_does()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var stranger = new TestUnlocker();
        var unknown = await device.SignInAsync(stranger);
        var impostor = new TestUnlocker { Id = device.Unlocker.Id };
        var wrong = await device.SignInAsync(impostor);
        Assert.Equal("401 wrong", unknown.Verdict);
        Assert.Equal(unknown.Bytes, wrong.Bytes);
        Assert.Equal(unknown.Headers.Select(header => header.Key), wrong.Headers.Select(header => header.Key));

        // The key behind the stand-in is one that anybody can sign with: it signs nobody in.
        byte[] challenge = await device.ChallengeAsync();
        var proof = TestDevice.Proof(stranger, challenge);
        proof["signature"] = Api.Text(new byte[64]);
        Assert.Equal("401 wrong", (await device.Api.JsonAsync("POST", "/sign-in", proof)).Verdict);
    }

    [Fact]
    public async Task Only_what_is_signed_as_a_sign_in_under_a_true_challenge_signs_in()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        async Task<string> VerdictAsync(JsonObject proof) => (await device.Api.JsonAsync("POST", "/sign-in", proof)).Verdict;

        byte[] challenge = await device.ChallengeAsync();
        foreach (int position in (int[])[0, 31, 32, 39, 40, challenge.Length - 1])
        {
            byte[] spoiled = [.. challenge];
            spoiled[position] ^= 1;
            Assert.Equal("401 wrong", await VerdictAsync(TestDevice.Proof(device.Unlocker, spoiled)));
        }
        Assert.Equal("401 wrong", await VerdictAsync(TestDevice.Proof(device.Unlocker, [])));
        Assert.Equal("401 wrong", await VerdictAsync(TestDevice.Proof(device.Unlocker, challenge, delete: true)));
        var long_ = TestDevice.Proof(device.Unlocker, challenge);
        long_["challenge"] = Api.Text(new byte[SignInMessage.MaxChallenge + 1]);
        Assert.Equal("401 wrong", await VerdictAsync(long_));
    }

    [Fact]
    public async Task A_challenge_lives_two_minutes_and_a_session_fifteen()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("time", time);
        var device = await TestDevice.CreateAsync(program);
        var proof = TestDevice.Proof(device.Unlocker, await device.ChallengeAsync());
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("401 wrong", (await device.Api.JsonAsync("POST", "/sign-in", proof)).Verdict);
        time.Advance(TimeSpan.FromMinutes(12.9));
        Assert.Equal(200, (await device.GetAsync("/account")).Status);
        time.Advance(TimeSpan.FromMinutes(0.1));
        Assert.Equal("401 session", (await device.GetAsync("/account")).Verdict);
    }

    [Fact]
    public async Task Ten_wrong_attempts_for_an_unlocker_close_it_to_their_address_for_ten_minutes()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("ten", time, options => options with { AddressHeader = "X-Forwarded-For" });
        var device = await TestDevice.CreateAsync(program);
        foreach (var target in (TestUnlocker[])[new TestUnlocker { Id = device.Unlocker.Id }, new TestUnlocker()])
        {
            for (int i = 0; i < 10; i++)
            {
                Assert.Equal("401 wrong", (await device.SignInAsync(target)).Verdict);
            }
            var closed = await device.SignInAsync(target);
            Assert.Equal("429 too_many", closed.Verdict);
            Assert.Equal(TimeSpan.FromMinutes(10), closed.Headers.RetryAfter?.Delta);
        }
        Assert.Equal("429 too_many", (await device.SignInAsync()).Verdict); // the right one as well

        // Nobody else is kept out by somebody's mistakes.
        var body = new StringContent(TestDevice.Proof(device.Unlocker, await device.ChallengeAsync()).ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(200, (await device.Api.SendAsync("POST", "/sign-in", body, null, request => request.Headers.Add("X-Forwarded-For", "192.0.2.1"))).Status);
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(200, (await device.SignInAsync()).Status);
    }

    [Fact]
    public async Task Of_many_guesses_at_once_no_more_are_judged_than_of_those_that_wait()
    {
        await using var program = await database.StartAsync("guesses", new ManualTime());
        var device = await TestDevice.CreateAsync(program);
        var guesses = new List<JsonObject>();
        for (int i = 0; i < 64; i++)
        {
            guesses.Add(TestDevice.Proof(new TestUnlocker { Id = device.Unlocker.Id }, await device.ChallengeAsync()));
        }
        var replies = await Task.WhenAll(guesses.Select(guess => device.Api.JsonAsync("POST", "/sign-in", guess)));
        Assert.Equal(10, replies.Count(reply => reply.Verdict == "401 wrong"));
        Assert.Equal(54, replies.Count(reply => reply.Verdict == "429 too_many"));
    }

    [Fact]
    public async Task Who_is_right_uses_nothing_up()
    {
        await using var program = await database.StartAsync("right", new ManualTime());
        var device = await TestDevice.CreateAsync(program);
        for (int i = 0; i < 101; i++)
        {
            Assert.Equal(200, (await device.SignInAsync()).Status);
        }
    }

    [Fact]
    public async Task Who_squats_on_the_identity_of_a_passphrase_keeps_nobody_out()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var phrase = new TestUnlocker(UnlockerKind.Passphrase);
        var squatters = new List<TestDevice>();
        for (int i = 0; i < 65; i++)
        {
            squatters.Add(await TestDevice.CreateAsync(program));
            Assert.Equal(200, (await UnlockerTests.PutAsync(squatters[i], new TestUnlocker(UnlockerKind.Passphrase) { Id = phrase.Id }.Json())).Status);
        }
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, phrase.Json())).Status);

        async Task<Reply> SignInAsync(AccountNumber account) => await device.Api.JsonAsync("POST", "/sign-in", TestDevice.Proof(phrase, await device.ChallengeAsync(), account));
        var reply = await SignInAsync(device.Account);
        Assert.Equal((200, device.Account.ToString()), (reply.Status, (string?)reply.Json["account"]));
        Assert.Equal("401 wrong", (await SignInAsync(squatters[0].Account)).Verdict);
        Assert.Equal("401 wrong", (await SignInAsync(AccountNumber.Generate())).Verdict);

        // It deletes the account as well.
        var proof = TestDevice.Proof(phrase, await device.ChallengeAsync(), delete: true);
        proof["account"] = device.Account.ToString();
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("DELETE", "/account", proof, device.Token)).Verdict);
        proof.Remove("account");
        Assert.Equal(204, (await device.Api.JsonAsync("DELETE", "/account", proof, device.Token)).Status);
    }

    [Fact]
    public async Task Of_the_accounts_with_one_identity_those_that_had_it_first_are_asked()
    {
        // Whoever was removed knows the identity of the words and what they verify with, and they say no account.
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var words = new TestUnlocker(UnlockerKind.RecoveryWords);
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, words.Json())).Status);
        for (int i = 0; i < 65; i++)
        {
            Assert.Equal(200, (await UnlockerTests.PutAsync(await TestDevice.CreateAsync(program), words.Json())).Status);
        }

        // The row is written anew, and on PostgreSQL stands behind the others then.
        using var next = Ed25519PrivateKey.Generate();
        var epoch = UnlockerTests.Epoch(TestDevice.MakeRecord(device.Account, 2, next, device.HeadKey), (device.Unlocker.Id, TestUnlocker.WrapToKey(2)), (words.Id, TestUnlocker.WrapToKey(2)));
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/account/epochs", epoch, device.Token)).Status);
        var reply = await device.SignInAsync(words);
        Assert.Equal((200, device.Account.ToString()), (reply.Status, (string?)reply.Json["account"]));
    }

    [Fact]
    public async Task A_hundred_wrong_attempts_from_an_address_close_it()
    {
        await using var program = await database.StartAsync("hundred", new ManualTime(), options => options with { AddressHeader = "X-Forwarded-For" });
        var device = await TestDevice.CreateAsync(program);
        async Task<Reply> TryAsync(TestUnlocker unlocker, string address)
        {
            var body = new StringContent(TestDevice.Proof(unlocker, await device.ChallengeAsync()).ToJsonString(), System.Text.Encoding.UTF8, "application/json");
            return await device.Api.SendAsync("POST", "/sign-in", body, null, request => request.Headers.Add("X-Forwarded-For", address));
        }

        for (int i = 0; i < 100; i++)
        {
            // A client may write what it likes in front of what the proxy adds; one customer has 2^64 addresses.
            Assert.Equal("401 wrong", (await TryAsync(new TestUnlocker(), $"192.0.2.{i}, 2001:db8:1:2::{i:x}")).Verdict);
        }
        Assert.Equal("429 too_many", (await TryAsync(device.Unlocker, "2001:db8:1:2:ffff::1")).Verdict);
        Assert.Equal(200, (await TryAsync(device.Unlocker, "2001:db8:1:3::1")).Status);
    }

    [Fact]
    public async Task Accounts_are_made_at_a_bounded_rate()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("rate", time, options => options with { NewAccountsPerAddress = 2 });
        await TestDevice.CreateAsync(program);
        await TestDevice.CreateAsync(program);
        var third = TestDevice.New(new Api(program.Http));
        Assert.Equal("429 too_many", (await third.Api.JsonAsync("POST", "/accounts", third.NewAccount())).Verdict);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(201, (await third.Api.JsonAsync("POST", "/accounts", third.NewAccount())).Status);
    }

    [Fact]
    public async Task A_session_ends_when_it_is_asked_to_and_only_that_one()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        string other = (string)(await device.SignInAsync()).Json["token"]!;
        Assert.Equal(204, (await device.Api.AskAsync("DELETE", "/session", device.Token)).Status);
        Assert.Equal("401 session", (await device.GetAsync("/account")).Verdict);
        Assert.Equal("401 session", (await device.Api.AskAsync("DELETE", "/session", device.Token)).Verdict);
        Assert.Equal(200, (await device.Api.AskAsync("GET", "/account", other)).Status);
    }

    [Fact]
    public async Task The_session_that_ends_first_gives_way_to_the_thirty_third()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var tokens = new List<string> { device.Token };
        for (int i = 0; i < 32; i++)
        {
            tokens.Add((string)(await device.SignInAsync()).Json["token"]!);
        }
        Assert.Equal(200, (await device.Api.AskAsync("GET", "/account", tokens[^1])).Status);
        var statuses = await Task.WhenAll(tokens.Select(async token => (await device.Api.AskAsync("GET", "/account", token)).Status));
        Assert.Equal(32, statuses.Count(status => status == 200));
    }

    [Fact]
    public async Task A_session_that_gives_way_takes_its_feed_along()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("way", time);
        var device = await TestDevice.CreateAsync(program);
        using var feed = await FeedReader.OpenAsync(program.Http, device.Token);
        for (int i = 0; i < 32; i++)
        {
            time.Advance(TimeSpan.FromSeconds(i == 0 ? 1 : 0.25)); // the first ends first, by whole seconds
            Assert.Equal(200, (await device.SignInAsync()).Status);
        }
        Assert.Equal(0, await feed.NextAsync());
        while (await feed.NextAsync() is { } heard)
        {
            Assert.Equal(-1, heard);
        }
    }

    public static TheoryData<string, string> Closed => new()
    {
        { "GET", "/account" }, { "DELETE", "/account" }, { "DELETE", "/session" }, { "PUT", "/account/unlockers/AAAAAAAAAAAAAAAAAAAAAA" }, { "DELETE", "/account/unlockers/AAAAAAAAAAAAAAAAAAAAAA" },
        { "POST", "/account/epochs" }, { "POST", "/account/changes" }, { "GET", "/account/changes?after=0" }, { "GET", "/account/feed" },
        { "PUT", "/account/attachments/AAAAAAAAAAAAAAAAAAAAAA/0" }, { "GET", "/account/attachments/AAAAAAAAAAAAAAAAAAAAAA/0" }, { "GET", "/account/attachments/AAAAAAAAAAAAAAAAAAAAAA" },
        { "DELETE", "/account/attachments/AAAAAAAAAAAAAAAAAAAAAA" }, { "POST", "/passkeys" }, { "POST", "/passkeys/options" },
    };

    [Theory]
    [MemberData(nameof(Closed))]
    public async Task Nothing_of_an_account_answers_without_a_session(string method, string path)
    {
        var program = await database.OperatorAsync();
        var api = new Api(program.Http);
        foreach (string? token in (string?[])[null, "", "AAAA", Api.Text(new byte[32]), Api.Text(new byte[31]), Api.Text(RandomNumberGenerator.GetBytes(32)) + "="])
        {
            var reply = await api.SendAsync(method, path, null, null, request =>
            {
                if (token is not null)
                {
                    request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
                }
            });
            Assert.Equal("401 session", reply.Verdict);
            Assert.Equal("Bearer", reply.Headers.WwwAuthenticate.ToString());
        }
    }

    /// <summary>What a spoiler needs of a device; public because the theory is.</summary>
    public sealed record TestDeviceBox(AccountNumber Account, Ed25519PrivateKey HeadKey);

    private static JsonObject Of(JsonObject body) => body["unlockers"]![0]!.AsObject();
}
