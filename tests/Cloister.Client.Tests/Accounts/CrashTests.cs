using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Tests.Accounts;

/// <summary>The network, and with it the program, ends at every request in turn, before it or after: the next run completes what was begun, or undoes it.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private RealOperator _operator = null!;

    public async ValueTask InitializeAsync() => _operator = await RealOperator.StartAsync();

    public ValueTask DisposeAsync() => _operator.DisposeAsync();

    public static TheoryData<string, string, bool> EnteringSteps() => Steps(("POST", "sign-in/challenge"), ("POST", "sign-in"), ("GET", "account"), ("PUT", "account/unlockers"));

    public static TheoryData<string, string, bool> RemovingSteps() => Steps(("POST", "account/epochs"), ("PUT", "account/unlockers"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_account_that_may_not_have_been_made_is_made(bool taken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var draft = laptop.Entrance.SignUp("laptop");
        Break(laptop, "POST", "accounts", taken);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => draft.CreateAsync(null, default));
        Mend(laptop);

        await using var first = await laptop.RestartAsync();
        Assert.Equal(draft.Account, first!.Account);
        await first.SayAsync("hello");
        await using var second = await phone.Entrance.EnterWithWordsAsync(draft.Words, "phone", default);
        Assert.Equal(["hello"], await second.ReadAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_draft_that_is_tried_again_makes_the_one_account(bool taken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var draft = laptop.Entrance.SignUp("laptop");
        Break(laptop, "POST", "accounts", taken);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => draft.CreateAsync(null, default));
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => draft.CreateAsync(null, default));
        Mend(laptop);

        await using (var first = await draft.CreateAsync(null, default))
        {
            await first.SayAsync("hello");
            Assert.Equal(2, (await first.CompareUnlockersAsync(default)).Length);
            Assert.Equal(2, first.Unlockers.Length);
        }
        await using var again = await laptop.RestartAsync();
        Assert.Equal(["hello"], await again!.ReadAsync());
        await using var second = await phone.Entrance.EnterWithWordsAsync(draft.Words, "phone", default);
        Assert.Equal(["hello"], await second.ReadAsync());
    }

    [Theory]
    [MemberData(nameof(EnteringSteps))]
    public async Task A_device_that_may_not_have_been_added_is_there_or_enters_again(string method, string path, bool taken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.SayAsync("hello");

        Break(phone, method, path, taken);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => phone.Entrance.EnterWithWordsAsync(words, "phone", default));
        Mend(phone);
        bool added = taken && method == "PUT";
        await using var opened = await phone.RestartAsync();
        Assert.Equal(added, opened is not null);
        await using var second = opened ?? await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        Assert.Equal(["hello"], await second.ReadAsync());
        await first.History.SyncNowAsync(default);
        Assert.All(await first.CompareUnlockersAsync(default), one => Assert.Equal(Standing.Good, one.Standing));
        Assert.Equal(3, first.Unlockers.Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Words_that_may_not_have_been_added_are(bool taken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        var words = RecoveryWords.Generate();
        Break(laptop, "PUT", "account/unlockers", taken);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => device.AddWordsAsync(words, "Second paper", null, default));
        await device.DisposeAsync();
        Mend(laptop);

        await using var again = await laptop.RestartAsync();
        Assert.All(await again!.CompareUnlockersAsync(default), one => Assert.Equal(Standing.Good, one.Standing));
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        Assert.Equal(again.Account, second.Account);
    }

    [Theory]
    [MemberData(nameof(RemovingSteps))]
    public async Task A_removal_that_may_not_have_been_made_is(string method, string path, bool taken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await second.History.SyncNowAsync(default);
        await device.History.SyncNowAsync(default);
        Break(laptop, method, path, taken);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => device.RemoveAsync(second.Id, default));
        await device.DisposeAsync();
        Mend(laptop);

        await using var first = await laptop.RestartAsync();
        Assert.DoesNotContain(first!.Unlockers, one => one.Id == second.Id);
        Assert.DoesNotContain(await first.CompareUnlockersAsync(default), one => one.Id == second.Id);
        await Assert.ThrowsAsync<AccountEndedException>(() => second.RefreshAsync(default));
        await first.SayAsync("after");
        Assert.Equal(["after"], await first.ReadAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deletion_that_may_not_have_been_made_is(bool taken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        Break(laptop, "DELETE", "account", taken);
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => first.DeleteAccountAsync(default));
        Assert.False(laptop.Memory.IsEmpty);
        Mend(laptop);

        await first.DeleteAccountAsync(default);
        Assert.True(laptop.Memory.IsEmpty);
        var gone = await Assert.ThrowsAsync<AccountFaultException>(() => phone.Entrance.EnterWithWordsAsync(words, "phone", default));
        Assert.Equal(AccountFault.Wrong, gone.Fault);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_was_removed_or_whose_account_another_device_deleted_is_told_so_and_forgets_nothing(bool removed)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await using var second = await phone.Entrance.EnterWithWordsAsync(words, "phone", default);
        await second.History.SyncNowAsync(default);
        await first.History.SyncNowAsync(default);
        await (removed ? first.RemoveAsync(second.Id, default) : first.DeleteAccountAsync(default));
        await Assert.ThrowsAsync<AccountEndedException>(() => second.DeleteAccountAsync(default));
        Assert.False(phone.Memory.IsEmpty);
        if (removed)
        {
            await first.SayAsync("still here");
        }
    }

    [Theory]
    [InlineData(StoreTable.Meta)]
    [InlineData(StoreTable.Outbox)]
    public async Task An_opening_that_fails_leaves_nothing_open(StoreTable broken)
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, words) = await laptop.SignUpAsync();
        await using var first = device;
        await first.SayAsync("hello");
        BrokenStore? store = null;
        var place = phone.Place with { OpenStore = async cancellation => store = new BrokenStore(await phone.Place.OpenStore(cancellation), broken) };
        await Assert.ThrowsAsync<StoreFailedException>(() => new AccountEntrance(place).EnterWithWordsAsync(words, "phone", default));
        Assert.True(store!.IsDisposed);

        await using var second = await phone.RestartAsync();
        Assert.Equal(["hello"], await second!.ReadAsync());
    }

    [Fact]
    public async Task A_pairing_whose_new_side_dies_while_it_waits_is_finished_by_its_next_run()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var phone = new TestDevice(_operator, "phone");
        var (device, _) = await laptop.SignUpAsync();
        await using var first = device;
        await first.SayAsync("hello");
        await using (var joining = await phone.Entrance.PairAsync("phone", default))
        {
            var digits = joining.DigitsAsync(default);
            var offer = await first.AnswerPairingAsync(joining.Code, default);
            await digits;
            using var killed = new CancellationTokenSource();
            var finishing = joining.FinishAsync(killed.Token);
            await killed.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finishing);
            await offer.ApproveAsync(default);
        }
        await using var second = await phone.RestartAsync();
        Assert.Equal(["hello"], await second!.ReadAsync());
    }

    private static TheoryData<string, string, bool> Steps(params (string Method, string Path)[] requests)
    {
        var steps = new TheoryData<string, string, bool>();
        foreach (var (method, path) in requests)
        {
            steps.Add(method, path, false);
            steps.Add(method, path, true);
        }
        return steps;
    }

    // From the first such request on nothing arrives; with taken, that request does and its answer does not.
    private static void Break(TestDevice device, string method, string path, bool taken)
    {
        bool broken = false;
        device.Wire.Before = request =>
        {
            bool now = Exactly(request, method, path);
            if (broken || (now && !taken))
            {
                broken = true;
                throw new HttpRequestException("The network is gone.");
            }
        };
        device.Wire.After = (request, response) =>
        {
            if (Exactly(request, method, path))
            {
                broken = true;
                throw new HttpRequestException("The network is gone.");
            }
            return Task.FromResult(response);
        };
    }

    private static void Mend(TestDevice device) => (device.Wire.Before, device.Wire.After) = (null, null);

    private static bool Exactly(HttpRequestMessage request, string method, string path) =>
        Wire.Is(request, method, path) && (path == "account/unlockers" || request.RequestUri!.AbsolutePath.EndsWith($"/{path}", StringComparison.Ordinal));
}
