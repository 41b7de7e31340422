using System.Text.Json.Nodes;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;
using Cloister.Wire;

namespace Cloister.Client.Tests.Accounts;

/// <summary>The real operator, whose word is changed on the way: one lie to a test.</summary>
public sealed class HostileTests : IAsyncLifetime
{
    private RealOperator _operator = null!;

    public async ValueTask InitializeAsync() => _operator = await RealOperator.StartAsync();

    public ValueTask DisposeAsync() => _operator.DisposeAsync();

    [Fact]
    public async Task Somebody_elses_wrap_does_not_open()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var other = new TestDevice(_operator, "other");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        var (stranger, _) = await other.SignUpAsync();
        await using var second = stranger;

        string theirs = (await second.ListingAsync(default)).Unlockers[0].ToJson().Wrap!;
        Lie(phone, listing => UnlockerOf(listing, words.Unlocker)["wrap"] = theirs);
        await IsAsync(AccountFault.WrapDoesNotOpen, phone.Entrance.EnterWithWordsAsync(words, "phone", default));
        Assert.True(phone.Memory.IsEmpty);
    }

    [Fact]
    public async Task An_account_that_the_operator_made_up_is_not_taken_for_the_users()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var other = new TestDevice(_operator, "other");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;

        // The words' public key is no secret to who made a new epoch once. So the operator wraps a key of its own to it, under records of its own.
        var custody = new MemoryCustody();
        using var secret = await words.ToSecretAsync(custody);
        var invented = await custody.CreateAsync(first.Account, [new(words.Unlocker, UnlockerKind.RecoveryWords, await secret.PublicKeyAsync(first.Account))]);
        Lie(phone, listing =>
        {
            listing["epochs"] = new JsonArray(Base64.EncodeUrl(invented.Record.Bytes.Span));
            UnlockerOf(listing, words.Unlocker)["wrap"] = Base64.EncodeUrl(invented.Wraps[words.Unlocker].Span);
        });
        await IsAsync(AccountFault.EpochsBroken, phone.Entrance.EnterWithWordsAsync(words, "phone", default));
        Assert.True(phone.Memory.IsEmpty);
    }

    [Fact]
    public async Task A_withheld_epoch_is_noticed()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.AddWordsAsync(RecoveryWords.Generate(), "Second paper", null, default);
        await first.RemoveAsync(words.Unlocker, default);
        Lie(laptop, listing => listing["epochs"]!.AsArray().RemoveAt(1));
        await IsAsync(AccountFault.EpochsBroken, first.RefreshAsync(default));
    }

    [Fact]
    public async Task Another_chain_of_epochs_is_noticed()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        var invented = await new MemoryCustody().CreateAsync(first.Account, [new(first.Id, MemorySecret.GenerateDevice())]);
        Lie(laptop, listing => listing["epochs"] = new JsonArray(Base64.EncodeUrl(invented.Record.Bytes.Span)));
        await IsAsync(AccountFault.EpochsBroken, first.RefreshAsync(default));
    }

    [Fact]
    public async Task A_lie_about_the_keys_that_the_device_meets_by_itself_is_told()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await second.AddWordsAsync(RecoveryWords.Generate(), "Second paper", null, default);
        await first.History.SyncNowAsync(default);

        var told = new TaskCompletionSource<Exception?>();
        first.Refreshed += fault => told.TrySetResult(fault);
        Lie(laptop, listing => UnlockerOf(listing, first.Id)["renewed"] = null);
        await second.RemoveAsync(words.Unlocker, default);
        await second.SayAsync("under new keys");
        await first.History.SyncNowAsync(default);
        Assert.Equal(AccountFault.UnlocksNothing, Assert.IsType<AccountFaultException>(await told.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Fault);
    }

    [Fact]
    public async Task An_unlocker_that_the_operator_puts_in_is_shown_and_gets_no_key()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.AddWordsAsync(RecoveryWords.Generate(), "Second paper", null, default);

        using var spy = MemorySecret.GenerateDevice();
        var inserted = new AccountUnlocker(Identity.Read("the operator's.."u8), UnlockerKind.Device, await spy.SignInKeyAsync(first.Account), (await first.ListingAsync(default)).Unlockers[0].Wrap, null, new(2026, 11, 25));
        var spied = new List<string>();
        laptop.Wire.Before = request =>
        {
            if (Wire.Is(request, "POST", "account/epochs"))
            {
                spied.Add(request.Content!.ReadAsStringAsync().Result);
            }
        };
        Lie(laptop, listing => listing["unlockers"]!.AsArray().Add(JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(inserted.ToJson(), AccountJson.Default.UnlockerJson))));

        Assert.Equal(Standing.OperatorOnly, (await first.CompareUnlockersAsync(default)).Single(one => one.Id == inserted.Id).Standing);
        await first.RemoveAsync(words.Unlocker, default);
        Assert.DoesNotContain($"{inserted.Id}", Assert.Single(spied), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_whose_wrap_the_operator_denies_is_removed_by_an_epoch_all_the_same()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await second.History.SyncNowAsync(default);
        await first.History.SyncNowAsync(default);
        Lie(laptop, listing =>
        {
            foreach (var one in listing["unlockers"]!.AsArray().Where(one => (string)one!["id"]! == $"{second.Id}"))
            {
                (one!["wrap"], one["renewed"]) = (null, null);
            }
        });
        await first.RemoveAsync(second.Id, default);
        Assert.Equal(2, (await first.ListingAsync(default)).Epochs.Length);
        Assert.DoesNotContain(first.Unlockers, one => one.Id == second.Id);
        await Assert.ThrowsAsync<AccountEndedException>(() => second.RefreshAsync(default));
    }

    [Fact]
    public async Task An_unlocker_that_the_operator_leaves_out_is_shown()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        Lie(laptop, listing => listing["unlockers"]!.AsArray().Remove(UnlockerOf(listing, words.Unlocker)));
        Assert.Equal(Standing.VaultOnly, (await first.CompareUnlockersAsync(default)).Single(one => one.Id == words.Unlocker).Standing);
    }

    [Theory]
    [InlineData("account")]
    [InlineData("unknown")]
    [InlineData("twice")]
    [InlineData("none")]
    [InlineData("used")]
    public async Task A_listing_that_is_spoiled_anywhere_is_none(string what)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        Lie(laptop, listing =>
        {
            switch (what)
            {
                case "account":
                    listing["account"] = $"{AccountNumber.Read("another..."u8)}";
                    break;
                case "unknown":
                    listing["more"] = 1;
                    break;
                case "twice":
                    listing["unlockers"]!.AsArray().Add(UnlockerOf(listing, words.Unlocker).DeepClone());
                    break;
                case "none":
                    listing["epochs"] = new JsonArray();
                    break;
                default:
                    listing["used"] = -1;
                    break;
            }
        });
        await IsAsync(AccountFault.Unexpected, first.RefreshAsync(default));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task A_pairing_whose_messages_are_changed_breaks_or_shows_other_digits(int message)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await using var joining = await phone.Entrance.PairAsync("phone", default);
        phone.Wire.After = async (request, response) =>
        {
            if (Wire.Is(request, "GET", "pairing/") && request.RequestUri!.AbsolutePath.EndsWith($"/{message}", StringComparison.Ordinal) && response.IsSuccessStatusCode)
            {
                byte[] bytes = await response.Content.ReadAsByteArrayAsync();
                bytes[^1] ^= 1;
                return new HttpResponseMessage(response.StatusCode) { Content = new ByteArrayContent(bytes) };
            }
            return response;
        };
        var digits = joining.DigitsAsync(default);
        await first.AnswerPairingAsync(joining.Code, default);
        await IsAsync(AccountFault.PairingBroken, digits);
    }

    [Fact]
    public async Task A_first_message_that_the_operator_replaced_does_not_match_the_QR_code()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        using var spy = new TestDevice(_operator, "spy");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await using var joining = await phone.Entrance.PairAsync("phone", default);
        await using var spying = await spy.Entrance.PairAsync("phone", default);
        string link = joining.Link.Replace(joining.Code, spying.Code, StringComparison.Ordinal);
        await IsAsync(AccountFault.PairingBroken, first.AnswerPairingAsync(link, default));
    }

    private static void Lie(TestDevice device, Action<JsonObject> lie) => device.Wire.After = async (request, response) =>
        Wire.Is(request, "GET", "account") && request.RequestUri!.AbsolutePath.EndsWith("/account", StringComparison.Ordinal) && response.IsSuccessStatusCode
            ? await Wire.ChangeAsync(response, text =>
            {
                var listing = JsonNode.Parse(text)!.AsObject();
                lie(listing);
                return listing.ToJsonString();
            })
            : response;

    private static JsonNode UnlockerOf(JsonObject listing, Identity unlocker) => listing["unlockers"]!.AsArray().Single(one => (string)one!["id"]! == $"{unlocker}")!;

    private static async Task IsAsync(AccountFault fault, Task act) => Assert.Equal(fault, (await Assert.ThrowsAsync<AccountFaultException>(() => act)).Fault);
}
