using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Tests.Accounts;

/// <summary>Devices of one person, against the real operator.</summary>
public sealed class FlowTests : IAsyncLifetime
{
    private const string Phrase = "nine otters under a bridge";

    private RealOperator _operator = null!;

    public async ValueTask InitializeAsync() => _operator = await RealOperator.StartAsync();

    public ValueTask DisposeAsync() => _operator.DisposeAsync();

    [Fact]
    public async Task A_new_account_opens_again_without_the_operator()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, _) = await laptop.SignUpAsync();
        await device.SayAsync("hello");
        await device.DisposeAsync();

        laptop.Wire.Before = _ => throw new HttpRequestException("no network");
        await using var again = await laptop.Entrance.OpenAsync(default);
        Assert.NotNull(again);
        Assert.Equal(["hello"], await again.ReadAsync());
        Assert.Equal(["Device", "Recovery words"], again.Unlockers.Select(one => UnlockerNames.Of(one.Kind)).Order());
        Assert.True(again.Outlook.Enough);
        Assert.Null(again.Outlook.Advice);
    }

    [Fact]
    public async Task Words_alone_open_it_on_another_device()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.SayAsync("hello");

        Assert.True(RecoveryWords.TryParse(words.Text.ToUpperInvariant(), out var typed, out _));
        await using var second = await phone.Entrance.EnterWithWordsAsync(typed, "phone", default);
        Assert.Equal(first.Account, second.Account);
        Assert.Equal(["hello"], await second.ReadAsync());
        await first.History.SyncNowAsync(default);
        Assert.Equal(["laptop", "phone"], first.History.Devices.Select(one => one.Label).Order());
        Assert.All(await second.CompareUnlockersAsync(default), one => Assert.Equal(Standing.Good, one.Standing));
    }

    [Fact]
    public async Task A_passphrase_opens_it_with_the_number()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync(Phrase);
        await using var first = device;
        await first.SayAsync("hello");

        await using var second = await phone.Entrance.EnterWithPassphraseAsync(first.Account, Phrase, "phone", default);
        Assert.Equal(["hello"], await second.ReadAsync());
        Assert.Equal(AccountFault.NotPossible, (await Assert.ThrowsAsync<AccountFaultException>(() => second.AddPassphraseAsync("another long passphrase", "second", null, default))).Fault);
    }

    [Fact]
    public async Task Enough_shares_open_it_and_fewer_do_not()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        var shares = Trustees.Generate(2, 3).Shares;
        Assert.Equal(AccountFault.NotPossible, (await Assert.ThrowsAsync<AccountFaultException>(() => first.AddTrusteesAsync([shares[0]], "Friends", null, default))).Fault);
        await first.AddTrusteesAsync(shares, "Friends", null, default);
        await first.SayAsync("hello");

        Assert.Equal(AccountFault.NotPossible, (await Assert.ThrowsAsync<AccountFaultException>(() => phone.Entrance.EnterWithSharesAsync([shares[1]], "phone", default))).Fault);
        await using var second = await phone.Entrance.EnterWithSharesAsync([shares[2], shares[0]], "phone", default);
        Assert.Equal(["hello"], await second.ReadAsync());
    }

    [Fact]
    public async Task Wrong_words_and_a_wrong_passphrase_are_refused_alike()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var thief = new TestDevice(_operator, "thief");
        var (device, _) = await laptop.SignUpAsync(Phrase);
        await using var first = device;

        var words = await Assert.ThrowsAsync<AccountFaultException>(() => thief.Entrance.EnterWithWordsAsync(RecoveryWords.Generate(), "thief", default));
        var phrase = await Assert.ThrowsAsync<AccountFaultException>(() => thief.Entrance.EnterWithPassphraseAsync(first.Account, "ten otters under a bridge", "thief", default));
        var account = await Assert.ThrowsAsync<AccountFaultException>(() => thief.Entrance.EnterWithPassphraseAsync(AccountNumber.Read("nobody's.."u8), Phrase, "thief", default));
        Assert.Equal([AccountFault.Wrong, AccountFault.Wrong, AccountFault.Wrong], new[] { words.Fault, phrase.Fault, account.Fault });
        Assert.Equal(words.Message, phrase.Message);
        Assert.Equal(words.Message, account.Message);
        Assert.True(thief.Memory.IsEmpty);
    }

    [Fact]
    public async Task Guesses_run_out()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var thief = new TestDevice(_operator, "thief");
        var (device, _) = await laptop.SignUpAsync(Phrase);
        await using var first = device;
        var faults = new List<AccountFaultException>();
        for (int guess = 0; guess < 11; guess++)
        {
            faults.Add(await Assert.ThrowsAsync<AccountFaultException>(() => thief.Entrance.EnterWithPassphraseAsync(first.Account, $"guess number {guess} of many", "thief", default)));
        }
        Assert.Equal(AccountFault.TooManyAttempts, faults[^1].Fault);
        Assert.NotNull(faults[^1].RetryAfter);
        Assert.Equal(AccountFault.Wrong, faults[0].Fault);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_device_is_paired_by_code_or_by_QR_code(bool scanned)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await first.SayAsync("hello");

        await using var joining = await phone.Entrance.PairAsync("phone", default);
        var digits = joining.DigitsAsync(default);
        var offer = await first.AnswerPairingAsync(scanned ? joining.Link : joining.Code.ToLowerInvariant(), default);
        Assert.Equal(offer.Digits, await digits);
        Assert.Matches("^[0-9]{6}$", offer.Digits);
        Assert.Equal("phone", offer.Label);
        var finishing = joining.FinishAsync(default);
        await offer.ApproveAsync(default);
        await using (var second = await finishing)
        {
            Assert.Equal(["hello"], await second.ReadAsync());
            await second.SayAsync("from the phone");
        }
        await using var again = await phone.RestartAsync();
        Assert.Equal(["from the phone", "hello"], await again!.ReadAsync());
        Assert.Equal(["from the phone", "hello"], await first.ReadAsync());
    }

    [Fact]
    public async Task A_device_whose_user_has_not_said_yes_keeps_nothing_and_signs_in_nowhere()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await using (var joining = await phone.Entrance.PairAsync("phone", default))
        {
            await ApproveAsync(first, joining);
        }
        Assert.True(phone.Memory.IsEmpty);
        Assert.DoesNotContain(phone.Wire.Requests, request => request.Contains("sign-in", StringComparison.Ordinal));
        Assert.Null(await phone.RestartAsync());
    }

    [Fact]
    public async Task A_device_that_loses_the_network_while_it_waits_is_added_all_the_same()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await using var joining = await phone.Entrance.PairAsync("phone", default);
        await ApproveAsync(first, joining);
        int lost = 0;
        phone.Wire.Before = _ =>
        {
            if (++lost <= 2)
            {
                throw new HttpRequestException("no network");
            }
        };
        await using var second = await joining.FinishAsync(default);
        Assert.Equal(first.Account, second.Account);
    }

    [Fact]
    public async Task A_device_that_was_offline_to_the_end_of_a_pairing_asks_again_when_it_starts()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await using (var joining = await phone.Entrance.PairAsync("phone", default))
        {
            await ApproveAsync(first, joining);
            phone.Wire.Before = _ => throw new HttpRequestException("no network");
            await Assert.ThrowsAsync<OperatorUnreachableException>(() => joining.FinishAsync(default));
        }
        phone.Wire.Before = null;
        await using var second = await phone.RestartAsync();
        Assert.Equal(first.Account, second!.Account);
    }

    [Fact]
    public async Task A_device_that_nobody_approves_learns_nothing()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;

        await using var joining = await phone.Entrance.PairAsync("phone", default);
        var digits = joining.DigitsAsync(default);
        await first.AnswerPairingAsync(joining.Code, default);
        await digits;
        Assert.Equal(AccountFault.PairingOver, (await Assert.ThrowsAsync<AccountFaultException>(() => joining.FinishAsync(default))).Fault);
        Assert.True(phone.Memory.IsEmpty);
        Assert.Equal(2, (await first.CompareUnlockersAsync(default)).Length);
    }

    [Fact]
    public async Task What_is_written_after_its_removal_a_device_cannot_read_and_all_others_can()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        using var tablet = new TestDevice(_operator, "tablet");
        using var found = new TestDevice(_operator, "found");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.SayAsync("before");
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await using (var third = await tablet.Entrance.EnterWithWordsAsync(words, "tablet", default))
        {
            Assert.Equal(["before"], await third.ReadAsync());
        }

        await first.RemoveAsync(second.Id, default);
        await first.SayAsync("after");
        Assert.DoesNotContain(await first.CompareUnlockersAsync(default), one => one.Id == second.Id);

        await Assert.ThrowsAsync<AccountEndedException>(() => second.RefreshAsync(default));
        Assert.Equal(["before"], await second.ReadAsync());
        Assert.Equal(SyncWait.AccountEnded, second.History.Sync.Waiting);

        await using var back = await tablet.RestartAsync();
        Assert.Equal(["after", "before"], await back!.ReadAsync());
        await using var recovered = await found.Entrance.EnterWithWordsAsync(words, "found", default);
        Assert.Equal(["after", "before"], await recovered.ReadAsync());
    }

    [Fact]
    public async Task A_device_meets_a_new_epoch_by_itself_while_it_listens()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        using var old = new TestDevice(_operator, "old");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await using var third = await old.Entrance.EnterWithWordsAsync(words, "old", default);
        await second.History.SyncNowAsync(default); // who is not in the list when somebody is removed, is removed with it
        await first.RemoveAsync(third.Id, default);
        await first.SayAsync("after");
        for (int tries = 0; tries < 600 && !(await second.ReadAsync()).Any(); tries++)
        {
            await Task.Delay(50);
        }
        Assert.Equal(["after"], await second.ReadAsync());
    }

    [Fact]
    public async Task Removed_words_open_nothing_and_new_ones_do()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        var newer = RecoveryWords.Generate();
        await first.AddWordsAsync(newer, "Second paper", null, default);
        await first.RemoveAsync(words.Unlocker, default);

        Assert.Equal(AccountFault.Wrong, (await Assert.ThrowsAsync<AccountFaultException>(() => phone.Entrance.EnterWithWordsAsync(words, "phone", default))).Fault);
        await using var second = await phone.Entrance.EnterWithWordsAsync(newer, "phone", default);
        Assert.Equal(first.Account, second.Account);
    }

    [Fact]
    public async Task A_device_leaves_and_forgets()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await second.SayAsync("last words");
        await second.LeaveAsync(default);
        await second.DisposeAsync();

        Assert.True(phone.Memory.IsEmpty);
        Assert.Null(await phone.Entrance.OpenAsync(default));
        await first.RefreshAsync(default);
        Assert.Equal(["last words"], await first.ReadAsync());
        Assert.Equal(["Device", "Recovery words"], (await first.CompareUnlockersAsync(default)).Select(one => UnlockerNames.Of(one.Kind)).Order());
    }

    [Fact]
    public async Task The_last_way_is_not_left()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.RemoveAsync(words.Unlocker, default);
        Assert.False(first.Outlook.Enough);
        Assert.NotNull(first.Outlook.Advice);
        Assert.Equal(AccountFault.LastWay, (await Assert.ThrowsAsync<AccountFaultException>(() => first.LeaveAsync(default))).Fault);
        Assert.False(laptop.Memory.IsEmpty);
    }

    [Fact]
    public async Task A_deleted_account_is_gone_everywhere()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await first.DeleteAccountAsync(default);
        Assert.True(laptop.Memory.IsEmpty);
        await Assert.ThrowsAsync<AccountEndedException>(() => second.RefreshAsync(default));
    }

    [Fact]
    public async Task A_new_name_is_seen_by_the_devices_and_not_by_the_operator()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await second.History.SyncNowAsync(default);
        await first.History.SyncNowAsync(default);
        await first.RenameAsync(second.Id, "Ada's\n phone", default);
        await first.History.SyncNowAsync(default);
        await second.History.SyncNowAsync(default);
        Assert.Contains(second.Unlockers, one => one.Label == "Ada's phone");
        Assert.DoesNotContain("Ada", string.Concat(new[] { "accounts.db", "accounts.db-wal" }.Select(name => Path.Combine(_operator.Folder, name)).Where(File.Exists).Select(file => System.Text.Encoding.Latin1.GetString(ReadShared(file)))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_ended_is_renewed_without_anybody_noticing()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        string? token = null;
        laptop.Wire.Before = request => token = request.Headers.Authorization?.Parameter ?? token;
        await first.SayAsync("one");
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        (await http.DeleteAsync(new Uri(_operator.Address, "cloister/v1/session"))).EnsureSuccessStatusCode();
        await first.SayAsync("two");
        Assert.Equal(["one", "two"], await first.ReadAsync());
    }

    [Fact]
    public async Task Who_left_asks_nothing_more()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await first.LeaveAsync(default);
        int before = laptop.Wire.Requests.Count;
        await Assert.ThrowsAsync<AccountEndedException>(() => first.RoomAsync(default));
        Assert.Equal(before, laptop.Wire.Requests.Count);
    }

    [Fact]
    public async Task Who_leaves_waits_for_what_was_asked_before()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        using var secret = await words.ToSecretAsync(laptop.Place.Custody);
        using var session = new AccountSession(laptop.Place.Operator, first.Account, words.Unlocker, secret);
        var answer = new TaskCompletionSource();
        var asked = session.UseAsync(_ => answer.Task, default);
        bool left = false;
        var leaving = session.LeaveAsync(_ =>
        {
            left = true;
            return Task.CompletedTask;
        }, default);
        await Task.Delay(100); // in which a request that does not wait would be made

        Assert.False(left);
        answer.SetResult();
        await asked;
        await leaving;
        Assert.True(left);
        await Assert.ThrowsAsync<AccountEndedException>(() => session.UseAsync(_ => Task.CompletedTask, default));
    }

    [Fact]
    public async Task Who_could_not_leave_goes_on()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        using var secret = await words.ToSecretAsync(laptop.Place.Custody);
        using var session = new AccountSession(laptop.Place.Operator, first.Account, words.Unlocker, secret);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => session.LeaveAsync(_ => throw new OperatorUnreachableException("The operator does not answer."), default));
        bool asked = false;
        await session.UseAsync(_ =>
        {
            asked = true;
            return Task.CompletedTask;
        }, default);
        Assert.True(asked);
    }

    private static byte[] ReadShared(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    // Both sides have seen the digits, and the old one says that they are equal.
    private static async Task ApproveAsync(AccountDevice old, JoiningDevice joining)
    {
        var digits = joining.DigitsAsync(default);
        var offer = await old.AnswerPairingAsync(joining.Code, default);
        await digits;
        await offer.ApproveAsync(default);
    }
}
