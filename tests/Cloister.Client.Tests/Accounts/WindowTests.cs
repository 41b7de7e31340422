using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Tests.Accounts;

/// <summary>Two windows of one device: what one entered the other neither overwrites nor forgets, and what one forgot the other does not bring back.</summary>
public sealed class WindowTests : IAsyncLifetime
{
    private RealOperator _operator = null!;

    public async ValueTask InitializeAsync() => _operator = await RealOperator.StartAsync();

    public ValueTask DisposeAsync() => _operator.DisposeAsync();

    [Fact]
    public async Task An_account_that_another_window_made_is_not_overwritten_by_a_new_one()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var late = new AccountEntrance(laptop.Place).SignUp("laptop");
        var (device, _) = await laptop.SignUpAsync();
        await device.SayAsync("hello");
        await IsRefusedAsync(late.CreateAsync(null, default));
        await device.DisposeAsync();

        await using var again = await laptop.RestartAsync();
        Assert.Equal(device.Account, again!.Account);
        Assert.Equal(["hello"], await again.ReadAsync());
    }

    [Fact]
    public async Task An_account_that_was_made_while_signing_in_took_long_stays()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var elsewhere = new TestDevice(_operator, "elsewhere");
        var (other, words) = await elsewhere.SignUpAsync();
        await using var first = other;
        var (held, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        laptop.Wire.After = async (request, response) =>
        {
            if (Wire.Is(request, "GET", "account") && held.TrySetResult())
            {
                await go.Task;
            }
            return response;
        };
        var slow = laptop.Entrance.EnterWithWordsAsync(words, "laptop", default);
        await held.Task;
        var (device, _) = await laptop.SignUpAsync();
        await using var made = device;
        go.SetResult();
        await IsRefusedAsync(slow);
        Assert.True(await made.IsKeptAsync(default));
    }

    [Fact]
    public async Task A_pairing_that_comes_to_nothing_does_not_forget_what_another_window_entered()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var elsewhere = new TestDevice(_operator, "elsewhere");
        var (other, _) = await elsewhere.SignUpAsync();
        await using var first = other;
        await using var joining = await laptop.Entrance.PairAsync("laptop", default);
        var digits = joining.DigitsAsync(default);
        await first.AnswerPairingAsync(joining.Code, default);
        await digits;
        var (device, _) = await laptop.SignUpAsync();
        await using var made = device;
        await made.SayAsync("hello");
        await IsRefusedAsync(joining.FinishAsync(default));
        Assert.True(await made.IsKeptAsync(default));
        Assert.Equal(["hello"], await made.ReadAsync());
    }

    [Fact]
    public async Task Forgetting_one_account_leaves_the_one_that_was_entered_since()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, _) = await laptop.SignUpAsync();
        await using var stale = device;
        await using (var other = await laptop.Entrance.OpenAsync(default))
        {
            await other!.ForgetAsync(default);
        }
        Assert.False(await stale.IsKeptAsync(default));
        var (next, _) = await laptop.SignUpAsync();
        await using var made = next;
        await stale.ForgetAsync(default);
        Assert.True(await made.IsKeptAsync(default));
    }

    [Fact]
    public async Task What_another_window_forgot_a_change_does_not_bring_back()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        var (device, _) = await laptop.SignUpAsync();
        await using var stale = device;
        laptop.Wire.After = async (request, response) =>
        {
            // Between the first step of an addition and the last.
            if (Wire.Is(request, "PUT", "account/unlockers"))
            {
                await laptop.Memory.ForgetAsync(stale.Id, default);
            }
            return response;
        };
        await Assert.ThrowsAsync<AccountEndedException>(() => stale.AddWordsAsync(RecoveryWords.Generate(), "Second paper", null, default));
        Assert.True(laptop.Memory.IsEmpty);
    }

    [Fact]
    public async Task Entering_that_failed_is_tried_again_by_the_same_window()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var elsewhere = new TestDevice(_operator, "elsewhere");
        var (other, words) = await elsewhere.SignUpAsync();
        await using var first = other;
        var entrance = laptop.Entrance;
        laptop.Wire.Before = request =>
        {
            if (Wire.Is(request, "PUT", "account/unlockers"))
            {
                throw new HttpRequestException("The network is gone.");
            }
        };
        await Assert.ThrowsAsync<OperatorUnreachableException>(() => entrance.EnterWithWordsAsync(words, "laptop", default));
        laptop.Wire.Before = null;
        await using var device = await entrance.EnterWithWordsAsync(words, "laptop", default);
        Assert.Equal(first.Account, device.Account);
    }

    [Fact]
    public async Task What_does_not_open_is_forgotten_and_what_was_entered_since_is_not()
    {
        using var laptop = new TestDevice(_operator, "laptop");
        using var secret = MemorySecret.GenerateDevice();
        Assert.True(await laptop.Memory.TrySaveAsync(new("{"u8.ToArray(), secret), null, default));
        var (one, other) = (laptop.Entrance, laptop.Entrance);
        await Assert.ThrowsAsync<InvalidDataException>(() => one.OpenAsync(default));
        await Assert.ThrowsAsync<InvalidDataException>(() => other.OpenAsync(default));
        await one.ForgetAsync(default);
        Assert.True(laptop.Memory.IsEmpty);
        var (device, _) = await laptop.SignUpAsync();
        await using var made = device;
        await other.ForgetAsync(default);
        Assert.True(await made.IsKeptAsync(default));
    }

    private static async Task IsRefusedAsync(Task<AccountDevice> entering)
    {
        var fault = await Assert.ThrowsAsync<AccountFaultException>(() => entering);
        Assert.Equal(AccountFault.NotPossible, fault.Fault);
        Assert.Contains("meanwhile", fault.Message, StringComparison.Ordinal);
    }
}
