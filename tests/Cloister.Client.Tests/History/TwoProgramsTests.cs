using System.Text.Json.Nodes;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Heads;
using Cloister.Vault.History;

namespace Cloister.Client.Tests.History;

/// <summary>Two programs on one store, one of which does something while the other waits for the operator, who chooses when it answers.</summary>
public class TwoProgramsTests
{
    private readonly Identity _conversation = TestAccount.Random();

    [Fact]
    public async Task A_fetch_that_begins_takes_nothing_away_from_one_that_is_under_way()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        operatorSide.PageBatches = 1;
        await SayAsync(await OpenAsync(new MemoryDisk(), account, 1, new MemoryLink(operatorSide)), 3);
        var (disk, link, otherLink) = (new MemoryDisk(), new SlowLink(operatorSide), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        var other = await OpenAsync(disk, account, 1, otherLink);
        otherLink.AfterPage = (1, _ => throw new OperatorUnreachableException("Away."));
        link.AfterPage = (1, async _ => Assert.Equal(SyncState.Offline, (await other.SyncAsync()).State));
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        Assert.Equal(4, await one.CountAsync(_conversation));
        Assert.Equal(SyncState.Synced, (await other.SyncAsync()).State);
        Assert.Equal(0, disk.Count(StoreTable.Staged));
    }

    [Fact]
    public async Task Who_is_overtaken_goes_on_at_once()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await SayAsync(await OpenAsync(new MemoryDisk(), account, 1, new MemoryLink(operatorSide)), 3);
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        var other = await OpenAsync(disk, account, 1, new MemoryLink(operatorSide));
        await new HistoryEdits(one.Book).AddAsync(new(_conversation, null, MessageRole.User, "said here"), default);
        link.AfterPage = (0, async _ => Assert.Equal(SyncState.Synced, (await other.SyncAsync()).State));
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        Assert.IsType<OvertakenException>(one.Attempt.Failure);
        Assert.Equal((5, 0), (await one.CountAsync(_conversation), disk.Count(StoreTable.Outbox)));
    }

    [Fact]
    public async Task Who_is_overtaken_again_and_again_waits()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var writer = await OpenAsync(new MemoryDisk(), account, 1, new MemoryLink(operatorSide));
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        var other = await OpenAsync(disk, account, 1, new MemoryLink(operatorSide));
        int overtaken = 0;
        await SayAsync(writer, 1);
        link.AfterPage = (0, OvertakeAsync);
        var result = await one.SyncAsync();
        Assert.Equal((SyncState.Waiting, SyncWait.Overtaken, true, 5), (result.State, result.Wait, result.Retries, overtaken));
        link.AfterPage = null;
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        Assert.Equal(7, await one.CountAsync(_conversation));

        async Task OvertakeAsync(CancellationToken cancellationToken)
        {
            overtaken++;
            Assert.Equal(SyncState.Synced, (await other.SyncAsync()).State);
            link.AfterPage = ((ulong)operatorSide.Heads.Count, OvertakeAsync);
            await SayAsync(writer, 1);
        }
    }

    // A program that dies again and again must not fill the disk.
    [Fact]
    public async Task Of_fetches_that_never_ended_few_are_kept()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        operatorSide.PageBatches = 1;
        await SayAsync(await OpenAsync(new MemoryDisk(), account, 1, new MemoryLink(operatorSide)), 3);
        var disk = new MemoryDisk();
        for (int death = 0; death < 20; death++)
        {
            var link = new SlowLink(operatorSide) { AfterPage = (1, _ => throw new CrashException()) };
            var dies = await OpenAsync(disk, account, 1, link);
            await Assert.ThrowsAsync<CrashException>(dies.SyncAsync);
        }
        Assert.InRange(disk.Count(StoreTable.Staged), 1, 12); // of each at most a mark, a message and the conversation's registers
        Assert.Equal(SyncState.Synced, (await (await OpenAsync(disk, account, 1, new MemoryLink(operatorSide))).SyncAsync()).State);
        Assert.Equal(0, disk.Count(StoreTable.Staged));
    }

    [Fact]
    public async Task What_is_judged_while_another_program_promotes_is_no_replay()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var writer = await OpenAsync(new MemoryDisk(), account, 1, new MemoryLink(operatorSide));
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        await TitleAsync(writer, "first");
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        await TitleAsync(writer, "second");
        link.AfterPage = (1, async _ =>
        {
            await TitleAsync(writer, "third");
            await SayAsync(writer, 1);
            operatorSide.PageBatches = 1;
            bool staged = false;
            disk.Fate = () => (staged |= disk.Count(StoreTable.Staged) > 0) && disk.Count(StoreTable.Staged) == 0 ? WriteFate.DiesBefore : WriteFate.Done;
            var other = await OpenAsync(disk, account, 1, new MemoryLink(operatorSide));
            await Assert.ThrowsAsync<CrashException>(other.SyncAsync);
            disk.Fate = () => WriteFate.Done;
        }
        );
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        Assert.Equal("third", one.Book.List.Header(_conversation).Title);
    }

    [Fact]
    public async Task Older_keys_do_not_take_what_another_program_verified_with_newer_ones()
    {
        var account = await TestAccount.MakeAsync(2);
        var operatorSide = account.NewOperator();
        operatorSide.PageBatches = 1;
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        link.AfterEpochs = async _ =>
        {
            operatorSide.Begin(account.Epochs[1].Record);
            await SayAsync(await OpenAsync(new MemoryDisk(), account, 2, new MemoryLink(operatorSide)), 3);
            var other = await OpenAsync(disk, account, 2, new MemoryLink(operatorSide));
            disk.Fate = () => disk.Get(StoreTable.Meta, StoreKeys.Promoting) is null ? WriteFate.Done : WriteFate.DiesBefore;
            await Assert.ThrowsAsync<CrashException>(other.SyncAsync);
            disk.Fate = () => WriteFate.Done;
        };
        Assert.Equal(SyncWait.NewKeys, (await one.SyncAsync()).Wait);
        await one.Book.ReplaceKeysAsync(account.Keys(2), default);
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        Assert.Equal(4, await one.CountAsync(_conversation));
    }

    [Fact]
    public async Task Older_keys_do_not_drop_an_edit_that_another_program_made_with_newer_ones()
    {
        var account = await TestAccount.MakeAsync(2);
        var operatorSide = account.NewOperator();
        var writer = await OpenAsync(new MemoryDisk(), account, 1, new MemoryLink(operatorSide));
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        await TitleAsync(writer, "first");
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        await TitleAsync(writer, "second");
        link.AfterPage = (1, async _ =>
        {
            var other = await OpenAsync(disk, account, 2, new MemoryLink(operatorSide));
            await new HistoryEdits(other.Book).SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.PinnedField, JsonValue.Create(true), default);
        }
        );
        Assert.Equal(SyncWait.NewKeys, (await one.SyncAsync()).Wait);
        Assert.Equal(1, disk.Count(StoreTable.Outbox));
    }

    [Fact]
    public async Task Older_keys_sign_nothing_on_top_of_what_another_program_accepted_with_newer_ones()
    {
        var account = await TestAccount.MakeAsync(2);
        var operatorSide = account.NewOperator();
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        await new HistoryEdits(one.Book).AddAsync(new(_conversation, null, MessageRole.User, "early"), default);
        link.AfterPush = async _ =>
        {
            operatorSide.Begin(account.Epochs[1].Record);
            await SayAsync(await OpenAsync(disk, account, 2, new MemoryLink(operatorSide)), 1);
            await new HistoryEdits(one.Book).AddAsync(new(_conversation, null, MessageRole.User, "late"), default);
        };
        Assert.Equal(SyncWait.NewKeys, (await one.SyncAsync()).Wait);
        Assert.Equal(2, operatorSide.Seen.Count);
        await one.Book.ReplaceKeysAsync(account.Keys(2), default);
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
        Assert.Equal(4, await one.CountAsync(_conversation));
    }

    // Nor is it measured by what was learned after it was given.
    [Fact]
    public async Task A_late_answer_takes_no_epoch_back()
    {
        var account = await TestAccount.MakeAsync(3);
        var operatorSide = account.NewOperator();
        operatorSide.Begin(account.Epochs[1].Record);
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        link.AfterEpochs = async _ =>
        {
            operatorSide.Begin(account.Epochs[2].Record);
            await OpenAsync(disk, account, 3, new MemoryLink(operatorSide));
            await one.CountAsync(_conversation);
        };
        var result = await one.SyncAsync();
        Assert.Equal((SyncWait.NewKeys, HeadFault.None), (result.Wait, result.Fault));
        Assert.Equal(account.Epochs[2].Record.Bytes, disk.Get(StoreTable.Meta, StoreKeys.Epoch));
    }

    // Keys that are replaced while a page is under way explain a head of the new epoch.
    [Fact]
    public async Task Keys_that_are_replaced_meanwhile_accuse_nobody()
    {
        var account = await TestAccount.MakeAsync(2);
        var operatorSide = account.NewOperator();
        var (disk, link) = (new MemoryDisk(), new SlowLink(operatorSide));
        var one = await OpenAsync(disk, account, 1, link);
        link.AfterEpochs = async _ =>
        {
            operatorSide.Begin(account.Epochs[1].Record);
            await SayAsync(await OpenAsync(new MemoryDisk(), account, 2, new MemoryLink(operatorSide)), 1);
            link.AfterPage = (0, _ => one.Book.ReplaceKeysAsync(account.Keys(2), default));
        };
        Assert.Equal(SyncState.Synced, (await one.SyncAsync()).State);
    }

    private static async Task<Program> OpenAsync(MemoryDisk disk, TestAccount account, int epoch, AccountLink link)
    {
        var book = new HistoryBook(disk.Open(), account.Keys(epoch), TestAccount.Random(), TimeProvider.System);
        await book.OpenAsync(default);
        return new(book, new SyncAttempt(book, link));
    }

    // Each in a batch of its own; the first with the conversation's registers.
    private async Task SayAsync(Program program, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            await new HistoryEdits(program.Book).AddAsync(new(_conversation, null, MessageRole.User, $"message {i}"), default);
            Assert.Equal(SyncState.Synced, (await program.SyncAsync()).State);
        }
    }

    private async Task TitleAsync(Program program, string title)
    {
        await new HistoryEdits(program.Book).SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, JsonValue.Create(title), default);
        Assert.Equal(SyncState.Synced, (await program.SyncAsync()).State);
    }

    private sealed record Program(HistoryBook Book, SyncAttempt Attempt)
    {
        public Task<AttemptResult> SyncAsync() => Attempt.RunAsync(true, false, default);

        public Task<int> CountAsync(Identity conversation) => Book.ReadAsync(async () => (await Book.ViewAllAsync(conversation, default)).Count, default);
    }
}
