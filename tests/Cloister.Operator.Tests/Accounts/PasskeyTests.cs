using System.Text;
using System.Text.Json.Nodes;
using Cloister.Ledger;

namespace Cloister.Operator.Tests.Accounts;

public sealed class PasskeysInSqlite(InSqlite database) : PasskeyTests(database), IClassFixture<InSqlite>;

public sealed class PasskeysInPostgres(InPostgres database) : PasskeyTests(database), IClassFixture<InPostgres>
{
    private readonly InPostgres _database = database;

    [Fact]
    public async Task A_ceremony_that_one_process_began_ends_at_another()
    {
        await using var one = await _database.StartAsync("two", change: WithOrigin);
        await using var two = await _database.StartAsync("two", change: WithOrigin);
        var (device, key) = await RegisteredAsync(one, "http://localhost:1");
        var question = (await device.Api.AskAsync("POST", "/sign-in/passkey/options")).Json;
        var reply = await new Api(two.Http).JsonAsync("POST", "/sign-in/passkey", Answer(key.Get(question["options"]!), question));
        Assert.Equal((200, device.Account.ToString()), (reply.Status, (string?)reply.Json["account"]));

        static AccountsOptions WithOrigin(AccountsOptions options) => options with { Origins = ["http://localhost:1"] };
    }
}

/// <summary>docs/spec/accounts.md, section 1: WebAuthn with a software authenticator, one thing spoiled at a time.</summary>
public abstract class PasskeyTests(AccountsDatabase database)
{
    [Fact]
    public async Task A_passkey_is_made_and_signs_in_and_unlocks_after_that()
    {
        var (device, key) = await RegisteredAsync(await database.OperatorAsync());
        var options = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, device.Token)).Json["options"]!;
        Assert.Equal("localhost", (string?)options["rp"]!["id"]);
        Assert.Equal(device.Account.ToString(), Encoding.ASCII.GetString(Api.Bytes(options["user"]!["id"])));
        Assert.Equal(("required", "required"), ((string?)options["authenticatorSelection"]!["residentKey"], (string?)options["authenticatorSelection"]!["userVerification"]));
        Assert.Equal([Api.Text(key.CredentialId)], options["excludeCredentials"]!.AsArray().Select(other => (string?)other!["id"]));

        var reply = await SignInAsync(device, key);
        Assert.Equal(200, reply.Status);
        Assert.Equal(device.Account.ToString(), (string?)reply.Json["account"]);
        string passkey = (string)reply.Json["unlocker"]!;
        var shown = (await device.Api.AskAsync("GET", "/account", (string)reply.Json["token"]!)).Json["unlockers"]!.AsArray().Single(unlocker => (string?)unlocker!["id"] == passkey)!;
        Assert.Equal((1, null, null), ((int)shown["kind"]!, (string?)shown["sign_in_key"], (string?)shown["wrap"]));
        var wrapped = new TestUnlocker(UnlockerKind.Passkey) { Id = Identity.TryParse(passkey, out var id) ? id : default };
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, wrapped.Json())).Status);
        Assert.Equal(200, (await SignInAsync(device, key)).Status);

        // Its number is nothing that signs in by Ed25519.
        Assert.Equal("401 wrong", (await device.SignInAsync(wrapped)).Verdict);
    }

    [Fact]
    public async Task The_options_of_signing_in_name_nobody()
    {
        var api = new Api((await database.OperatorAsync()).Http);
        var question = (await api.AskAsync("POST", "/sign-in/passkey/options")).Json;
        Assert.Empty(question["options"]!["allowCredentials"]?.AsArray() ?? []);
        Assert.Equal("localhost", (string?)question["options"]!["rpId"]);
        Assert.Equal(32, Api.Bytes(question["options"]!["challenge"]).Length);
    }

    [Fact]
    public async Task An_answer_signs_in_once_and_the_counter_only_grows()
    {
        var program = await database.OperatorAsync();
        var (device, key) = await RegisteredAsync(program);
        var question = await AskAsync(device);
        var answer = Answer(key.Get(question["options"]!), question);
        Assert.Equal(200, (await SendAsync(device, answer)).Status);
        Assert.Equal("401 wrong", (await SendAsync(device, answer)).Verdict); // replayed, from an authenticator that does not count

        key.Counter = 5;
        Assert.Equal(200, (await SignInAsync(device, key)).Status);
        foreach (uint counter in (uint[])[5, 4, 0])
        {
            key.Counter = counter;
            Assert.Equal("401 wrong", (await SignInAsync(device, key)).Verdict);
        }
        key.Counter = 6;
        Assert.Equal(200, (await SignInAsync(device, key)).Status);
    }

    [Fact]
    public async Task A_database_that_is_down_is_not_a_passkey_that_is_wrong()
    {
        await using var program = await database.StartAsync("down");
        var (device, key) = await RegisteredAsync(program);
        var question = await AskAsync(device);
        var answer = Answer(key.Get(question["options"]!), question);
        await using var rows = RawDatabase.Open(await database.NameAsync("down"));
        await rows.ScalarAsync("ALTER TABLE passkeys RENAME TO away");
        Assert.Equal("503 unavailable", (await SendAsync(device, answer)).Verdict);
        Assert.Equal("503 unavailable", (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, device.Token)).Verdict);
        await rows.ScalarAsync("ALTER TABLE away RENAME TO passkeys");
        Assert.Equal(200, (await SendAsync(device, answer)).Status);
    }

    public static TheoryData<string, Action<SpoiledCeremony>> Spoiled => new()
    {
        { "another origin", ceremony => ceremony.Origin("http://localhost:1") },
        { "another scheme", ceremony => ceremony.Origin("https://localhost") },
        { "no origin", ceremony => ceremony.Origin("") },
        { "a frame of another page", ceremony => ceremony.CrossOrigin() },
        { "another domain", ceremony => ceremony.Domain("elsewhere.example") },
        { "another challenge", ceremony => ceremony.Challenge(Api.Text(new byte[32])) },
        { "nobody present", ceremony => ceremony.Flags(0x04) },
        { "nobody verified", ceremony => ceremony.Flags(0x01) },
        { "backed up and not eligible for it", ceremony => ceremony.Flags(0x15) },
        { "another type", ceremony => ceremony.Body["credential"]!["type"] = "password" },
        { "another credential", ceremony => ceremony.Body["credential"]!["id"] = Api.Text(new byte[32]) },
        { "no response", ceremony => ceremony.Body["credential"]!.AsObject().Remove("response") },
        { "client data that is none", ceremony => ceremony.Body["credential"]!["response"]!["clientDataJSON"] = "AAAA" },
        { "state that is none", ceremony => ceremony.Body["state"] = "AAAA" },
        { "state of nobody", ceremony => ceremony.Body["state"] = "" },
        { "state that was altered", ceremony => ceremony.Body["state"] = Flip((string)ceremony.Body["state"]!) },
    };

    [Theory]
    [MemberData(nameof(Spoiled))]
    public async Task A_spoiled_answer_signs_nobody_in(string what, Action<SpoiledCeremony> spoil)
    {
        var program = await database.OperatorAsync();
        var (device, key) = await RegisteredAsync(program);
        var question = await AskAsync(device);
        var ceremony = new SpoiledCeremony(key, question, key.Get);
        spoil(ceremony);
        var reply = await SendAsync(device, ceremony.Body);
        Assert.True(reply.Verdict == "401 wrong", $"{what}: {reply.Verdict}");
    }

    [Theory]
    [MemberData(nameof(Spoiled))]
    public async Task A_spoiled_answer_makes_no_passkey(string what, Action<SpoiledCeremony> spoil)
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var question = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, device.Token)).Json;
        var key = new SoftAuthenticator(OriginOf(program));
        var ceremony = new SpoiledCeremony(key, question, key.Create);
        spoil(ceremony);
        ceremony.Body["unlocker"] = TestDevice.NewItem().ToString();
        var reply = await device.Api.JsonAsync("POST", "/passkeys", ceremony.Body, device.Token);
        Assert.True(reply.Verdict == "400 credential", $"{what}: {reply.Verdict}");
        Assert.Single((await device.GetAsync("/account")).Json["unlockers"]!.AsArray());
    }

    [Fact]
    public async Task Another_signature_another_user_and_changed_eligibility_sign_nobody_in()
    {
        var program = await database.OperatorAsync();
        var (device, key) = await RegisteredAsync(program);
        var (other, otherKey) = await RegisteredAsync(program);
        async Task<string> VerdictAsync(Action<JsonObject> change, SoftAuthenticator? by = null)
        {
            var question = await AskAsync(device);
            var answer = Answer((by ?? key).Get(question["options"]!), question);
            change(answer["credential"]!.AsObject());
            return (await SendAsync(device, answer)).Verdict;
        }
        Assert.Equal("401 wrong", await VerdictAsync(credential => credential["response"]!["signature"] = Api.Text([0x30, 0x06, 2, 1, 1, 2, 1, 1])));
        Assert.Equal("401 wrong", await VerdictAsync(credential => credential["response"]!["userHandle"] = Api.Text(otherKey.UserHandle)));
        Assert.Equal("401 wrong", await VerdictAsync(credential => credential["response"]!["userHandle"] = Api.Text("nobody"u8)));
        Assert.Equal("401 wrong", await VerdictAsync(credential => credential["response"]!.AsObject().Remove("userHandle")));
        Assert.Equal("401 wrong", await VerdictAsync(credential => credential["id"] = Api.Text(otherKey.CredentialId)));
        Assert.Equal("200", await VerdictAsync(_ => { }, otherKey)); // the other account's own
        key.Flags = 0x0D;
        Assert.Equal("401 wrong", (await SignInAsync(device, key)).Verdict);
        key.Flags = 0x05;
        Assert.Equal(200, (await SignInAsync(device, key)).Status);
    }

    [Fact]
    public async Task A_state_is_for_its_own_ceremony_its_own_account_and_five_minutes()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("state", time);
        var (device, key) = await RegisteredAsync(program);
        var other = await TestDevice.CreateAsync(program);
        var question = await AskAsync(device);
        var creation = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, device.Token)).Json;

        // Creation with the state of a request and the other way round.
        var crossed = Answer(key.Get(question["options"]!), creation);
        Assert.Equal("401 wrong", (await SendAsync(device, crossed)).Verdict);
        var second = new SoftAuthenticator(OriginOf(program));
        JsonObject NewPasskey(JsonNode state) => new() { ["unlocker"] = TestDevice.NewItem().ToString(), ["credential"] = second.Create(creation["options"]!), ["state"] = (string?)state["state"] };
        Assert.Equal("400 credential", (await device.Api.JsonAsync("POST", "/passkeys", NewPasskey(question), device.Token)).Verdict);

        // Somebody else's session.
        Assert.Equal("400 credential", (await device.Api.JsonAsync("POST", "/passkeys", NewPasskey(creation), other.Token)).Verdict);
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/passkeys", NewPasskey(creation), device.Token)).Status);
        Assert.Equal("400 credential", (await device.Api.JsonAsync("POST", "/passkeys", NewPasskey(creation), device.Token)).Verdict); // known now

        var late = Answer(key.Get(question["options"]!), question);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("401 wrong", (await SendAsync(device, late)).Verdict);
    }

    [Fact]
    public async Task A_client_that_sends_what_unlocks_the_account_hears_of_it()
    {
        var program = await database.OperatorAsync();
        var (device, key) = await RegisteredAsync(program);
        foreach (var (outer, prf, results) in ((string, string, string)[])[("clientExtensionResults", "prf", "results"), ("ClientExtensionResults", "Prf", "Results")])
        {
            var question = await AskAsync(device);
            var answer = Answer(key.Get(question["options"]!), question);
            answer["credential"]![outer] = new JsonObject { [prf] = new JsonObject { ["enabled"] = true, [results] = new JsonObject { ["first"] = "c2VjcmV0" } } };
            Assert.Equal("400 extension_results", (await SendAsync(device, answer)).Verdict);
            answer["unlocker"] = TestDevice.NewItem().ToString();
            Assert.Equal("400 extension_results", (await device.Api.JsonAsync("POST", "/passkeys", answer, device.Token)).Verdict);
        }

        // That there is PRF is no secret.
        var again = await AskAsync(device);
        var harmless = Answer(key.Get(again["options"]!), again);
        harmless["credential"]!["clientExtensionResults"] = new JsonObject { ["prf"] = new JsonObject { ["enabled"] = true }, ["credProps"] = new JsonObject { ["rk"] = true } };
        Assert.Equal(200, (await SendAsync(device, harmless)).Status);
    }

    [Fact]
    public async Task A_passkey_goes_with_its_unlocker_and_takes_no_others_name()
    {
        var program = await database.OperatorAsync();
        var (device, key) = await RegisteredAsync(program);
        string unlocker = (string)(await SignInAsync(device, key)).Json["unlocker"]!;
        var creation = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, device.Token)).Json;
        var second = new SoftAuthenticator(OriginOf(program));
        async Task<string> AddAsync(string name) => (await device.Api.JsonAsync("POST", "/passkeys", new JsonObject { ["unlocker"] = name, ["credential"] = second.Create(creation["options"]!), ["state"] = (string?)creation["state"] }, device.Token)).Verdict;
        Assert.Equal("409 taken", await AddAsync(device.Unlocker.Id.ToString()));
        Assert.Equal("409 taken", await AddAsync(unlocker));
        Assert.Equal("400 malformed", await AddAsync("x"));

        var session = await SignInAsync(device, key);
        Assert.Equal(204, (await device.Api.AskAsync("DELETE", $"/account/unlockers/{unlocker}", device.Token)).Status);
        Assert.Equal("401 session", (await device.Api.AskAsync("GET", "/account", (string)session.Json["token"]!)).Verdict);
        Assert.Equal("401 wrong", (await SignInAsync(device, key)).Verdict);
    }

    [Fact]
    public async Task The_same_passkey_again_is_known_under_its_own_name_only()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        var key = new SoftAuthenticator(OriginOf(program));
        var question = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "x" }, device.Token)).Json;
        var body = Answer(key.Create(question["options"]!), question);
        body["unlocker"] = TestDevice.NewItem().ToString();
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/passkeys", body, device.Token)).Status);
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/passkeys", body, device.Token)).Status); // the answer was lost
        Assert.Equal(2, (await device.GetAsync("/account")).Json["unlockers"]!.AsArray().Count);
        Assert.Equal("400 credential", (await device.Api.JsonAsync("POST", "/passkeys", body, other.Token)).Verdict);
        body["unlocker"] = TestDevice.NewItem().ToString();
        Assert.Equal("400 credential", (await device.Api.JsonAsync("POST", "/passkeys", body, device.Token)).Verdict);
    }

    [Theory]
    [InlineData("{\"id\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"response\":{\"\\udc00\":\"\\ud800\"}}")]
    [InlineData("{\"clientExtensionResults\":{\"\\ud800\":1}}")]
    public async Task Half_of_a_surrogate_pair_is_malformed(string credential)
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("POST", "/sign-in/passkey", $"{{\"credential\":{credential},\"state\":\"\"}}")).Verdict);
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("POST", "/passkeys", $"{{\"unlocker\":\"{TestDevice.NewItem()}\",\"credential\":{credential},\"state\":\"\"}}", device.Token)).Verdict);
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("POST", "/passkeys/options", "{\"label\":\"\\ud800\"}", device.Token)).Verdict);
    }

    [Theory]
    [InlineData("{\"label\":\"\"}")]
    [InlineData("{\"label\":null}")]
    [InlineData("{}")]
    [InlineData("{\"label\":\"ααααααααααααααααααααααααααααααααα\"}")]
    public async Task A_label_has_one_to_sixty_four_bytes(string body)
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("POST", "/passkeys/options", body, device.Token)).Verdict);
    }

    [Theory]
    [InlineData("{\"credential\":null,\"state\":\"\"}")]
    [InlineData("{\"credential\":[],\"state\":\"\"}")]
    [InlineData("{\"credential\":{}}")]
    [InlineData("{\"credential\":{},\"state\":\"\",\"remember\":true}")]
    public async Task A_credential_is_an_object(string body)
    {
        var api = new Api((await database.OperatorAsync()).Http);
        Assert.Equal("400 malformed", (await api.JsonAsync("POST", "/sign-in/passkey", body)).Verdict);
    }

    private protected static async Task<(TestDevice Device, SoftAuthenticator Key)> RegisteredAsync(RunningOperator program, string? origin = null)
    {
        var device = await TestDevice.CreateAsync(program);
        var key = new SoftAuthenticator(origin ?? OriginOf(program));
        var question = (await device.Api.JsonAsync("POST", "/passkeys/options", new JsonObject { ["label"] = "Anna's account" }, device.Token)).Json;
        var body = Answer(key.Create(question["options"]!), question);
        body["unlocker"] = TestDevice.NewItem().ToString();
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/passkeys", body, device.Token)).Status);
        return (device, key);
    }

    private protected static JsonObject Answer(JsonObject credential, JsonNode question) => new() { ["credential"] = credential, ["state"] = (string?)question["state"] };

    private static string OriginOf(RunningOperator program) => $"http://localhost:{program.Address.Port}";

    private static async Task<JsonNode> AskAsync(TestDevice device) => (await device.Api.AskAsync("POST", "/sign-in/passkey/options")).Json;

    private static Task<Reply> SendAsync(TestDevice device, JsonObject answer) => device.Api.JsonAsync("POST", "/sign-in/passkey", answer);

    private static async Task<Reply> SignInAsync(TestDevice device, SoftAuthenticator key)
    {
        var question = await AskAsync(device);
        return await SendAsync(device, Answer(key.Get(question["options"]!), question));
    }

    private static string Flip(string text) => (text[0] == 'A' ? 'B' : 'A') + text[1..];

    /// <summary>A ceremony in which one thing is spoiled, before the authenticator answers or after.</summary>
    public sealed class SpoiledCeremony
    {
        private readonly SoftAuthenticator _key;
        private readonly JsonNode _question;
        private readonly Func<JsonNode, JsonObject> _answer;

        internal SpoiledCeremony(SoftAuthenticator key, JsonNode question, Func<JsonNode, JsonObject> answer)
        {
            (_key, _question, _answer) = (key, question, answer);
            Body = Answer(answer(question["options"]!), question);
        }

        public JsonObject Body { get; private set; }

        public void Origin(string value) => Again(() => _key.Origin = value);

        public void CrossOrigin() => Again(() => _key.CrossOrigin = true);

        public void Domain(string value) => Again(() => _key.Domain = value);

        public void Challenge(string value) => Again(() => _key.Challenge = value);

        public void Flags(byte value) => Again(() => _key.Flags = value);

        private void Again(Action change)
        {
            change();
            Body = Answer(_answer(_question["options"]!), _question);
        }
    }
}
