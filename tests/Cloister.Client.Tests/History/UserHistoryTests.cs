using System.Text;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;

namespace Cloister.Client.Tests.History;

public class UserHistoryTests
{
    private readonly Identity _conversation = TestAccount.Random();

    [Fact]
    public async Task What_is_said_offline_is_there_after_a_restart_and_sent_later()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        var name = TestAccount.Random();
        Message said;
        await using (var alone = await UserHistory.OpenAsync(disk.Open(), account.Keys(), null, name, TimeProvider.System, default))
        {
            said = await alone.AddAsync(new(_conversation, null, MessageRole.User, "said offline"), default);
            Assert.Equal((SyncState.Offline, 2), (alone.Sync.State, alone.Sync.Unsent));
        }
        var operatorSide = account.NewOperator();
        await using var history = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), name, TimeProvider.System, default);
        Assert.Equal("said offline", (await history.ReadAsync(_conversation, default)).Branch.Single().Text);
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
        Assert.Contains(operatorSide.Items, item => item.Item == said.Id);
    }

    [Fact]
    public async Task What_one_device_says_another_hears_by_itself()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await using var one = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        await using var other = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        await one.SyncNowAsync(default);
        await other.SyncNowAsync(default);
        var said = await one.AddAsync(new(_conversation, null, MessageRole.User, "hello"), default);
        await UntilAsync(other, () => other.Conversations.Count == 1);
        Assert.Equal(said.Id, (await other.ReadAsync(_conversation, default)).Branch.Single().Id);
    }

    [Fact]
    public async Task A_message_with_an_identity_can_be_written_again_and_what_was_deleted_stays_deleted()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        await using var history = await OpenAsync(account, disk, null);
        var message = new MessageDraft(_conversation, null, MessageRole.User, "once").ToMessage(TestAccount.Random(), Clock.After(DateTimeOffset.UtcNow, null, TestAccount.Random()));
        disk.Fate = () => WriteFate.DoneAndDenied;
        await Assert.ThrowsAsync<StoreFailedException>(() => history.KeepAsync(message, default));
        disk.Fate = () => WriteFate.Done;
        await history.KeepAsync(message, default);
        var kept = (await history.ReadAsync(_conversation, default)).Branch.Single();
        Assert.Equal((message.Id, message.Clock, "once"), (kept.Id, kept.Clock, kept.Text));
        Assert.Equal(1, history.Conversations.Single().Messages);

        await history.DeleteConversationAsync(_conversation, default);
        await history.KeepAsync(message, default);
        Assert.Empty((await history.ReadAsync(_conversation, default)).Branch);
        Assert.Empty(history.Conversations);
    }

    [Fact]
    public async Task A_conversation_has_its_registers_from_the_first_message()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, new MemoryDisk(), null);
        var question = await history.AddAsync(new(_conversation, null, MessageRole.User, "question"), default);
        var answer = await history.AddAsync(new(_conversation, question.Id, MessageRole.Assistant, "answer"), default);
        await history.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, "a title", default);
        Assert.True(answer.Clock > question.Clock);
        var header = history.Conversations.Single();
        Assert.Equal(("a title", 2, answer.Clock), (header.Title, header.Messages, header.Newest));
        Assert.Equal(["question", "answer"], (await history.ReadAsync(_conversation, default)).Branch.Select(message => message.Text));
    }

    [Fact]
    public async Task Small_registers_are_at_hand()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        var folder = TestAccount.Random();
        var unlocker = new UnlockerEntry(TestAccount.Random(), UnlockerKind.Device, "a phone", default, new(2026, 11, 25));
        await using (var history = await OpenAsync(account, disk, null))
        {
            await history.SetAsync(RegisterKind.Folder, $"{folder}", Folder.NameField, "a folder", default);
            await history.SetAsync(RegisterKind.Memory, $"{folder}", Memory.TextField, "likes tea", default);
            await history.SetAsync(RegisterKind.Settings, "", Settings.InstructionsField, "be brief", default);
            await history.SetAsync(RegisterKind.Unlockers, "", unlocker.Field, unlocker.ToJson(), default);
        }
        await using var again = await OpenAsync(account, disk, null);
        Assert.Equal("a folder", again.Folders.Single().Name);
        Assert.Equal("likes tea", again.Memories.Single().Text);
        Assert.Equal("be brief", Settings.Instructions(await again.RegistersAsync(RegisterKind.Settings, "", default)));
        Assert.Equal(unlocker.Id, again.Unlockers.Single().Id);
    }

    [Fact]
    public async Task A_message_written_elsewhere_brings_a_deleted_conversation_back()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var link = new MemoryLink(operatorSide);
        await using var one = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        await using var other = await OpenAsync(account, new MemoryDisk(), link);
        await one.AddAsync(new(_conversation, null, MessageRole.User, "early"), default);
        await one.SyncNowAsync(default);
        await other.SyncNowAsync(default);
        link.Fate = () => RequestFate.Lost;
        await other.AddAsync(new(_conversation, null, MessageRole.User, "late"), default);
        await one.DeleteConversationAsync(_conversation, default);
        Assert.Empty(one.Conversations);
        await one.SyncNowAsync(default);
        link.Fate = () => RequestFate.Answered;
        await other.SyncNowAsync(default);
        await one.SyncNowAsync(default);
        Assert.Equal("late", (await one.ReadAsync(_conversation, default)).Branch.Single().Text);
        Assert.Single(one.Conversations);
    }

    // Deleted on a phone while the answer is still coming to a laptop.
    [Fact]
    public async Task An_answer_does_not_bring_back_what_was_deleted_elsewhere_meanwhile()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await using var one = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        await using var other = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        var question = await one.AddAsync(new(_conversation, null, MessageRole.User, "question"), default);
        await one.SyncNowAsync(default);
        await other.SyncNowAsync(default);
        await other.DeleteConversationAsync(_conversation, default);
        await other.SyncNowAsync(default);
        await one.SyncNowAsync(default);
        await one.KeepAsync(Answer(question, "late"), default);
        Assert.Empty(one.Conversations);
        Assert.Empty((await one.ReadAsync(_conversation, default)).Branch);

        var again = await one.AddAsync(new(_conversation, question.Id, MessageRole.User, "asked again"), default);
        await one.KeepAsync(Answer(again, "answered"), default);
        Assert.Equal(2, one.Conversations.Single().Messages);
    }

    private Message Answer(Message question, string text) =>
        new MessageDraft(_conversation, question.Id, MessageRole.Assistant, text).ToMessage(TestAccount.Random(), Clock.After(DateTimeOffset.UtcNow, question.Clock, TestAccount.Random()));

    [Fact]
    public async Task A_full_disk_fails_loudly_and_leaves_nothing_half()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        await using var history = await OpenAsync(account, disk, null);
        await history.AddAsync(new(_conversation, null, MessageRole.User, "there was room"), default);
        disk.Fate = () => WriteFate.Full;
        await Assert.ThrowsAsync<StoreFailedException>(() => history.AddAsync(new(_conversation, null, MessageRole.User, "there was none"), default));
        Assert.Equal("there was room", (await history.ReadAsync(_conversation, default)).Tree.Roots.Single().Text);
        disk.Fate = () => WriteFate.Done;
        await history.AddAsync(new(_conversation, null, MessageRole.User, "there is again"), default);
        Assert.Equal(2, history.Conversations.Single().Messages);
    }

    [Fact]
    public async Task A_full_account_keeps_what_is_new_and_still_deletes()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await using var history = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        var old = await history.AddAsync(new(_conversation, null, MessageRole.User, "old"), default);
        await history.SyncNowAsync(default);
        operatorSide.Quota = 0;
        await history.AddAsync(new(_conversation, null, MessageRole.User, "too much"), default);
        await history.DeleteMessageAsync(_conversation, old.Id, default);
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Waiting, SyncWait.Quota, 1), (history.Sync.State, history.Sync.Waiting, history.Sync.Unsent));
        Assert.True(operatorSide.Items.Single(item => item.Item == old.Id).IsTombstone);
        operatorSide.Quota = long.MaxValue;
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
    }

    [Fact]
    public async Task After_a_new_epoch_what_is_unsent_is_sealed_under_it()
    {
        var account = await TestAccount.MakeAsync(2);
        var operatorSide = account.NewOperator();
        await using var history = await OpenAsync(account, new MemoryDisk(), new MemoryLink(operatorSide));
        await history.SyncNowAsync(default);
        operatorSide.Begin(account.Epochs[1].Record);
        await history.AddAsync(new(_conversation, null, MessageRole.User, "sealed early"), default);
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Waiting, SyncWait.NewKeys), (history.Sync.State, history.Sync.Waiting));
        await Assert.ThrowsAsync<ArgumentException>(async () => await history.ReplaceKeysAsync((await TestAccount.MakeAsync()).Keys(), default));
        await history.ReplaceKeysAsync(account.Keys(2), default);
        Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
        Assert.All(operatorSide.Items, item => Assert.Equal(2, item.Sealed.Span[4]));
        Assert.Equal(2u, operatorSide.Newest!.Head.Epoch);
    }

    [Fact]
    public async Task A_store_that_was_taken_away_is_filled_again()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        operatorSide.PageBatches = 1;
        var disk = new MemoryDisk();
        await using (var history = await OpenAsync(account, disk, new MemoryLink(operatorSide)))
        {
            for (int i = 0; i < 5; i++)
            {
                await history.AddAsync(new(_conversation, null, MessageRole.User, $"message {i}"), default);
                await history.SyncNowAsync(default);
            }
        }
        disk.Evict();
        await using var again = await OpenAsync(account, disk, new MemoryLink(operatorSide));
        Assert.Empty(again.Conversations);
        await again.SyncNowAsync(default);
        Assert.Equal(5, again.Conversations.Single().Messages);
        Assert.Equal(0, disk.Count(StoreTable.Staged));
    }

    [Fact]
    public async Task A_store_that_another_window_emptied_takes_nothing_more()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        await using var history = await OpenAsync(account, disk, new MemoryLink(account.NewOperator()));
        await history.AddAsync(new(_conversation, null, MessageRole.User, "before"), default);
        await history.SyncNowAsync(default);
        disk.Evict();
        await Assert.ThrowsAsync<StoreFailedException>(() => history.AddAsync(new(_conversation, null, MessageRole.User, "after"), default));
        await Assert.ThrowsAsync<StoreFailedException>(() => history.ReadAsync(_conversation, default));
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Waiting, SyncWait.Store), (history.Sync.State, history.Sync.Waiting));
        Assert.All(Enum.GetValues<StoreTable>(), table => Assert.Equal(0, disk.Count(table)));
    }

    [Fact]
    public async Task A_store_that_another_account_took_over_is_neither_read_nor_written()
    {
        var (account, other) = (await TestAccount.MakeAsync(), await TestAccount.MakeAsync());
        var disk = new MemoryDisk();
        await using var history = await OpenAsync(account, disk, null);
        await history.AddAsync(new(_conversation, null, MessageRole.User, "the first one's"), default);
        disk.Evict();
        await using var taken = await OpenAsync(other, disk, null);
        await taken.AddAsync(new(_conversation, null, MessageRole.User, "the other one's"), default);
        await Assert.ThrowsAsync<StoreFailedException>(() => history.AddAsync(new(_conversation, null, MessageRole.User, "where"), default));
        await Assert.ThrowsAsync<StoreFailedException>(() => history.ReadAsync(_conversation, default));
        Assert.Equal("the other one's", (await taken.ReadAsync(_conversation, default)).Tree.Roots.Single().Text);
    }

    [Fact]
    public async Task Rows_that_an_account_left_behind_do_not_become_the_next_ones()
    {
        var (account, other) = (await TestAccount.MakeAsync(), await TestAccount.MakeAsync());
        var disk = new MemoryDisk();
        await using (var history = await OpenAsync(account, disk, null))
        {
            await history.AddAsync(new(_conversation, null, MessageRole.User, "the first one's"), default);
        }
        await using (var store = disk.Open())
        {
            await store.WriteAsync([StoreWrite.Delete(StoreTable.Meta, StoreKeys.Format)], default);
        }
        var operatorSide = other.NewOperator();
        await using var next = await OpenAsync(other, disk, new MemoryLink(operatorSide));
        await next.SyncNowAsync(default);
        Assert.Equal((SyncState.Synced, 0), (next.Sync.State, next.Sync.Unsent));
        Assert.Empty(operatorSide.Items);
        Assert.Equal(0, disk.Count(StoreTable.Outbox));
    }

    [Fact]
    public async Task What_was_derived_can_be_thrown_away()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        for (int round = 0; round < 3; round++)
        {
            await using (var history = await OpenAsync(account, disk, null))
            {
                Assert.Equal(round * 30, history.Conversations.SingleOrDefault()?.Messages ?? 0);
                for (int i = 0; i < 30; i++)
                {
                    await history.AddAsync(new(_conversation, null, MessageRole.User, $"word{round} and more"), default);
                }
                Assert.Equal(30, await history.SearchAsync($"word{round}", default).CountAsync());
            }
            if (round == 1)
            {
                disk.ForgetIndex();
            }
        }
    }

    [Fact]
    public async Task Search_finds_titles_first_and_then_the_newest_messages()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, new MemoryDisk(), null);
        await history.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, "About Zanzibar", default);
        var first = await history.AddAsync(new(_conversation, null, MessageRole.User, "Where is Zanzibar?"), default);
        var second = await history.AddAsync(new(_conversation, first.Id, MessageRole.Assistant, "Zanzibar lies off East Africa."), default);
        var gone = await history.AddAsync(new(_conversation, null, MessageRole.User, "zanzibar again"), default);
        await history.DeleteMessageAsync(_conversation, gone.Id, default);
        var hits = await history.SearchAsync("zanzib", default).ToListAsync();
        Assert.Equal([null, second.Id, first.Id], hits.Select(hit => hit.Message?.Id));
        Assert.Empty(await history.SearchAsync("nowhere", default).ToListAsync());
    }

    // More were deleted than a search shows, all of them newer.
    [Fact]
    public async Task Search_finds_what_lives_behind_what_was_deleted()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, new MemoryDisk(), null);
        var kept = await history.AddAsync(new(_conversation, null, MessageRole.User, "an old python"), default);
        var gone = TestAccount.Random();
        for (int i = 0; i < 2100; i++)
        {
            await history.AddAsync(new(gone, null, MessageRole.User, $"python {i}"), default);
        }
        Assert.Equal(1000, await history.SearchAsync("python", default).CountAsync());
        await history.DeleteConversationAsync(gone, default);
        Assert.Equal(kept.Id, (await history.SearchAsync("python", default).SingleAsync()).Message?.Id);
    }

    [Fact]
    public async Task Words_of_deleted_messages_leave_with_the_next_merge()
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        await using var book = new HistoryBook(disk.Open(), account.Keys(), TestAccount.Random(), TimeProvider.System);
        await book.OpenAsync(default);
        var (edits, shelf) = (new HistoryEdits(book), new SearchShelf(book));
        await shelf.KeepUpAsync(default);
        int one = 0;
        for (int round = 0; round < 4; round++)
        {
            if (round == 3)
            {
                await edits.DeleteConversationAsync(_conversation, default);
            }
            var conversation = round < 3 ? _conversation : TestAccount.Random();
            for (int i = 0; i < 250; i++)
            {
                await edits.AddAsync(new(conversation, null, MessageRole.User, string.Join(' ', Enumerable.Range(0, 20).Select(word => $"w{round}x{i}x{word}"))), default);
            }
            await shelf.KeepUpAsync(default);
            Assert.Single(await shelf.SearchAsync($"w{round}x7x7", default).ToListAsync());
            one = one == 0 ? Words() : one;
        }
        Assert.InRange(Words(), one / 2, one * 3 / 2);
        Assert.Empty(await shelf.SearchAsync("w1x7x7", default).ToListAsync());

        int Words() => disk.Read(StoreTable.Index, StoreKeys.Words(""), [2], int.MaxValue).Sum(row => row.Value.Length);
    }

    [Fact]
    public async Task Registers_that_grew_apart_are_merged_whatever_their_size()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var (link, otherLink) = (new MemoryLink(operatorSide), new MemoryLink(operatorSide));
        await using var one = await OpenAsync(account, new MemoryDisk(), link);
        await using var other = await OpenAsync(account, new MemoryDisk(), otherLink);
        await SetAsync(one, "both", 100);
        await one.SyncNowAsync(default);
        await other.SyncNowAsync(default);
        link.Fate = () => RequestFate.Lost;
        otherLink.Fate = () => RequestFate.Lost;
        await SetAsync(one, "one", 295);
        await SetAsync(other, "other", 295);
        await Assert.ThrowsAsync<ArgumentException>(() => SetAsync(one, "more", 10));
        link.Fate = () => RequestFate.Answered;
        otherLink.Fate = () => RequestFate.Answered;
        await one.SyncNowAsync(default);
        await other.SyncNowAsync(default);
        await one.SyncNowAsync(default);
        foreach (var history in new[] { one, other })
        {
            Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
            Assert.Equal(["both", "one", "other"], (await history.RegistersAsync(RegisterKind.Settings, "", default)).Fields.Keys);
        }

        static Task SetAsync(UserHistory history, string field, int kibibytes) => history.SetAsync(RegisterKind.Settings, "", field, new string('x', kibibytes << 10), default);
    }

    [Fact]
    public async Task Registers_that_are_too_large_are_not_imported()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, new MemoryDisk(), null);
        var file = new MemoryStream();
        var export = await HistoryExport.BeginAsync(file, account.Number, DateTimeOffset.UnixEpoch, default);
        foreach (int kibibytes in new[] { 390, 410 })
        {
            var memory = new Registers(RegisterKind.Memory, $"{TestAccount.Random()}").With(Memory.TextField, new string('x', kibibytes << 10), DateTimeOffset.UnixEpoch, default);
            await export.WriteAsync(memory.Name(account.Keys()), memory, default);
        }
        var outcome = await history.ImportAsync(new MemoryStream(file.ToArray()), default);
        Assert.Equal((1, 1, 1), (outcome.Others, outcome.NoteCount, history.Sync.Unsent));
    }

    [Fact]
    public async Task An_export_is_imported_once_and_deleted_things_stay_deleted()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, new MemoryDisk(), null);
        var kept = await history.AddAsync(new(_conversation, null, MessageRole.User, "kept"), default);
        var gone = await history.AddAsync(new(_conversation, null, MessageRole.User, "gone"), default);
        var file = new MemoryStream();
        await history.ExportAsync(file, default);
        Assert.Contains("kept", Encoding.UTF8.GetString(file.ToArray()), StringComparison.Ordinal);
        await history.DeleteMessageAsync(_conversation, gone.Id, default);
        int unsent = history.Sync.Unsent;
        await history.ImportAsync(new MemoryStream(file.ToArray()), default);
        Assert.Equal(unsent, history.Sync.Unsent);
        Assert.Equal(kept.Id, (await history.ReadAsync(_conversation, default)).Branch.Single().Id);

        await using var elsewhere = await OpenAsync(account, new MemoryDisk(), null);
        var outcome = await elsewhere.ImportAsync(new MemoryStream(file.ToArray()), default);
        Assert.Equal(2, outcome.Messages);
        Assert.Equal(2, (await elsewhere.ReadAsync(_conversation, default)).Tree.Count);
    }

    [Fact]
    public async Task Two_programs_share_a_store()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var disk = new MemoryDisk();
        var name = TestAccount.Random();
        await using var one = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), name, TimeProvider.System, default);
        await using var other = await UserHistory.OpenAsync(disk.Open(), account.Keys(), new MemoryLink(operatorSide), name, TimeProvider.System, default);
        var saying = new[] { one, other }.SelectMany((history, which) => Enumerable.Range(0, 50).Select(i => history.AddAsync(new(_conversation, null, MessageRole.User, $"{which} {i}"), default)));
        await Task.WhenAll(saying);
        await Task.WhenAll(one.SyncNowAsync(default), other.SyncNowAsync(default));
        await UntilAsync(one, () => one.Sync is { State: SyncState.Synced, Unsent: 0 });
        foreach (var history in new[] { one, other })
        {
            var texts = (await history.ReadAsync(_conversation, default)).Tree.Roots.Select(message => message.Text).ToList();
            Assert.Equal(100, texts.Count);
            Assert.Equal(100, texts.Distinct().Count());
            Assert.Equal(100, history.Conversations.Single().Messages);
        }
        Assert.Equal(101, operatorSide.Items.Count);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_by_years_loses_nothing()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var ahead = new HandTime(new(2096, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var behind = new HandTime(new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var one = await UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), new MemoryLink(operatorSide), TestAccount.Random(), ahead, default);
        await using var other = await UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), new MemoryLink(operatorSide), TestAccount.Random(), behind, default);
        var question = await one.AddAsync(new(_conversation, null, MessageRole.User, "question"), default);
        await one.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, "from the future", default);
        await one.SyncNowAsync(default);
        await other.SyncNowAsync(default);
        await other.AddAsync(new(_conversation, question.Id, MessageRole.Assistant, "answer"), default);
        await other.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, "from the past, but later", default);
        await other.SyncNowAsync(default);
        await one.SyncNowAsync(default);
        Assert.Equal(["question", "answer"], (await one.ReadAsync(_conversation, default)).Branch.Select(message => message.Text));
        Assert.Equal("from the past, but later", one.Conversations.Single().Title);
    }

    [Fact]
    public async Task A_device_that_may_not_sign_in_any_more_keeps_what_it_has()
    {
        var account = await TestAccount.MakeAsync();
        var link = new MemoryLink(account.NewOperator());
        await using var history = await OpenAsync(account, new MemoryDisk(), link);
        await history.SyncNowAsync(default);
        link.IsEnded = true;
        await history.AddAsync(new(_conversation, null, MessageRole.User, "kept"), default);
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Waiting, SyncWait.AccountEnded), (history.Sync.State, history.Sync.Waiting));
        Assert.Single((await history.ReadAsync(_conversation, default)).Branch);
    }

    [Fact]
    public async Task Another_accounts_store_is_not_opened()
    {
        var disk = new MemoryDisk();
        await using (await OpenAsync(await TestAccount.MakeAsync(), disk, null))
        {
        }
        var stranger = await TestAccount.MakeAsync();
        await Assert.ThrowsAsync<StoreFailedException>(() => OpenAsync(stranger, disk, null));
    }

    [Fact]
    public async Task A_lost_answer_is_recognised()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var link = new MemoryLink(operatorSide);
        await using var history = await OpenAsync(account, new MemoryDisk(), link);
        await history.SyncNowAsync(default);
        link.Fate = () => RequestFate.AnswerLost;
        await history.AddAsync(new(_conversation, null, MessageRole.User, "once"), default);
        await history.SyncNowAsync(default);
        await history.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, "meanwhile", default);
        link.Fate = () => RequestFate.Answered;
        await history.SyncNowAsync(default);
        Assert.Equal((SyncState.Synced, 0), (history.Sync.State, history.Sync.Unsent));
        Assert.Equal(2, operatorSide.Items.Count);
        Assert.Equal("meanwhile", history.Conversations.Single().Title);
    }

    private static Task<UserHistory> OpenAsync(TestAccount account, MemoryDisk disk, AccountLink? link) =>
        UserHistory.OpenAsync(disk.Open(), account.Keys(), link, TestAccount.Random(), TimeProvider.System, default);

    // Waits for what is announced; a test that waits in vain fails by its project's patience.
    private static async Task UntilAsync(UserHistory history, Func<bool> holds)
    {
        var changed = new SemaphoreSlim(0);
        history.Changed += () => changed.Release();
        while (!holds())
        {
            await changed.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }
}
