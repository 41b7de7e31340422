using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Heads;
using Cloister.Vault.History;

namespace Cloister.Client.Tests.History;

/// <summary>The loop goes on whatever is thrown into it, and nobody who asked waits for ever.</summary>
public class SyncLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Identity _conversation = TestAccount.Random();

    [Fact]
    public async Task Who_asked_is_answered_when_the_history_is_closed_meanwhile()
    {
        var account = await TestAccount.MakeAsync();
        var link = new SlowLink(account.NewOperator());
        var history = await UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), link, TestAccount.Random(), TimeProvider.System, default);
        await history.SyncNowAsync(default);
        var waits = new TaskCompletionSource();
        link.AfterPage = (0, cancellationToken =>
        {
            waits.SetResult();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        }
        );
        var asking = history.SyncNowAsync(default);
        await waits.Task.WaitAsync(Patience);
        await history.DisposeAsync();
        await asking.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_handler_that_throws_ends_nothing_and_undoes_nothing()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await using var history = await UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), new MemoryLink(operatorSide), TestAccount.Random(), TimeProvider.System, default);
        await history.SyncNowAsync(default);
        history.Changed += () => throw new InvalidOperationException("A screen that is gone.");
        await history.AddAsync(new(_conversation, null, MessageRole.User, "said once"), default);
        await history.SyncNowAsync(default).WaitAsync(Patience);
        await history.SyncNowAsync(default).WaitAsync(Patience);
        Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
        Assert.Equal(2, operatorSide.Items.Count);
    }

    [Fact]
    public async Task A_link_that_throws_what_it_should_not_is_asked_again()
    {
        var account = await TestAccount.MakeAsync();
        var link = new SlowLink(account.NewOperator()) { Deaf = new InvalidOperationException("Not prepared for.") };
        await using var history = await UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), link, TestAccount.Random(), TimeProvider.System, default);
        await history.SyncNowAsync(default);
        link.Fate = () => RequestFate.Lost; // the ears are taken off
        await history.SyncNowAsync(default).WaitAsync(Patience);
        link.Fate = () => RequestFate.Answered;
        await history.SyncNowAsync(default).WaitAsync(Patience);
        Assert.Equal(SyncState.Synced, history.Sync.State);
    }

    [Fact]
    public async Task A_damaged_row_of_what_is_derived_does_not_end_syncing()
    {
        var account = await TestAccount.MakeAsync();
        var (disk, operatorSide) = (new MemoryDisk(), account.NewOperator());
        await using var history = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), TestAccount.Random(), TimeProvider.System, default);
        await history.SyncNowAsync(default);
        await disk.Open().WriteAsync([StoreWrite.Put(StoreTable.Index, StoreKeys.JournalBegin, [1])], default);
        for (int i = 0; i < 3; i++)
        {
            await history.AddAsync(new(_conversation, null, MessageRole.User, $"message {i}"), default);
            await history.SyncNowAsync(default).WaitAsync(Patience);
        }
        Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
        Assert.Equal(4, operatorSide.Items.Count);
    }

    // Whoever fetches the keys may have had no network just then.
    [Fact]
    public async Task That_new_keys_are_needed_is_said_again()
    {
        var account = await TestAccount.MakeAsync(2);
        var operatorSide = account.NewOperator();
        operatorSide.Begin(account.Epochs[1].Record);
        await using var history = await UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), new MemoryLink(operatorSide), TestAccount.Random(), TimeProvider.System, default);
        await history.SyncNowAsync(default);
        Assert.Equal(SyncWait.NewKeys, history.Sync.Waiting);
        var (tried, again) = (false, new TaskCompletionSource());
        history.Changed += () =>
        {
            tried |= history.Sync.State is SyncState.Syncing;
            if (tried && history.Sync.Waiting is SyncWait.NewKeys)
            {
                again.TrySetResult();
            }
        };
        await again.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_another_program_found_in_order_is_not_refused_any_more()
    {
        var account = await TestAccount.MakeAsync();
        var (disk, operatorSide) = (new MemoryDisk(), account.NewOperator());
        var device = TestAccount.Random();
        await using var one = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), device, TimeProvider.System, default);
        await one.AddAsync(new(_conversation, null, MessageRole.User, "said"), default);
        await one.SyncNowAsync(default);
        SignedHead[] heads = [.. operatorSide.Heads];
        operatorSide.Heads.Clear();
        await one.SyncNowAsync(default);
        Assert.Equal(HeadFault.RolledBack, one.Sync.Fault);
        operatorSide.Heads.AddRange(heads);
        var synced = new TaskCompletionSource();
        one.Changed += () =>
        {
            if (one.Sync.State is SyncState.Synced)
            {
                synced.TrySetResult();
            }
        };
        await using var other = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), device, TimeProvider.System, default);
        await other.SyncNowAsync(default);
        Assert.Equal(SyncState.Synced, other.Sync.State);
        await synced.Task.WaitAsync(Patience);
    }

    // Keys with other records than those that the store accepted: nothing of it is remembered, and nothing mends it by itself.
    [Fact]
    public async Task A_refusal_of_these_keys_is_not_tried_again_and_again()
    {
        var (account, other) = (await TestAccount.MakeAsync(), await TestAccount.MakeAsync());
        var disk = new MemoryDisk();
        var book = new HistoryBook(disk.Open(), account.Keys(), TestAccount.Random(), TimeProvider.System);
        await book.OpenAsync(default);
        await book.WriteAsync(batch =>
        {
            batch.SetEpoch(other.Epochs[0].Record);
            return ValueTask.FromResult(true);
        }, default);
        var attempt = new SyncAttempt(book, new MemoryLink(account.NewOperator()));
        var result = await attempt.RunAsync(true, false, default);
        Assert.Equal((SyncState.Refused, HeadFault.EpochsBroken, HeadFault.None), (result.State, result.Fault, book.State.Fault));
        Assert.False(attempt.IsForgiven(result));
    }

    // It wrote and quit, and what it wrote was read here before it was looked whether there is something.
    [Fact]
    public async Task What_a_program_wrote_that_quit_is_sent_from_here()
    {
        var account = await TestAccount.MakeAsync();
        var (disk, operatorSide) = (new MemoryDisk(), account.NewOperator());
        var device = TestAccount.Random();
        await using var history = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), device, TimeProvider.System, default);
        await history.SyncNowAsync(default);
        var sent = new TaskCompletionSource();
        operatorSide.Advanced += _ => sent.TrySetResult();
        await using (var other = await UserHistory.OpenAsync(disk.Open(), account.Keys(), null, device, TimeProvider.System, default))
        {
            await other.AddAsync(new(_conversation, null, MessageRole.User, "written and left"), default);
            Assert.Single((await history.ReadAsync(_conversation, default)).Branch);
        }
        Assert.Single((await history.ReadAsync(_conversation, default)).Branch);
        await sent.Task.WaitAsync(Patience);
    }
}
