using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;
using Cloister.Vault.Search;

namespace Cloister.Client.Tests.History;

/// <summary>The index is made anew after weeks without a network: much is in the outbox, and some of it on its way to the operator.</summary>
public class SearchShelfTests
{
    private const int Messages = SearchIndex.MaxAdded + 500;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_outbox_comes_into_the_index_in_pieces_and_nothing_is_missed_that_leaves_it_meanwhile(bool isSent)
    {
        var account = await TestAccount.MakeAsync();
        var (disk, link) = (new MemoryDisk(), new MemoryLink(account.NewOperator()));
        var (book, attempt) = await OpenAsync(disk, account, link);
        await new HistoryEdits(book).ImportAsync(await WrittenAsync(account), default);
        link.Fate = () => RequestFate.Lost;
        Assert.Equal(SyncState.Offline, (await attempt.RunAsync(false, false, default)).State);
        Assert.InRange(book.State.InFlight.Count, 1, ChangeBatch.MaxChanges);

        disk.Fate = () => Indexed(disk, account) is > 0 ? WriteFate.DiesBefore : WriteFate.Done;
        await Assert.ThrowsAsync<CrashException>(() => new SearchShelf(book).KeepUpAsync(default));
        disk.Fate = () => WriteFate.Done;
        Assert.Equal(SearchIndex.MaxAdded, Indexed(disk, account));

        (book, attempt) = await OpenAsync(disk, account, link);
        link.Fate = () => RequestFate.Answered;
        if (isSent)
        {
            Assert.Equal(SyncState.Synced, (await attempt.RunAsync(true, false, default)).State);
        }
        else
        {
            await Sending.DissolveAsync(book, default);
        }
        var shelf = new SearchShelf(book);
        for (int number = 0; number < Messages; number += 50)
        {
            Assert.Single(await shelf.SearchAsync($"w{number:00000}", default).ToListAsync());
        }
    }

    private static async Task<(HistoryBook Book, SyncAttempt Attempt)> OpenAsync(MemoryDisk disk, TestAccount account, MemoryLink link)
    {
        var book = new HistoryBook(disk.Open(), account.Keys(), TestAccount.Random(), TimeProvider.System);
        await book.OpenAsync(default);
        return (book, new(book, link));
    }

    private static async Task<Stream> WrittenAsync(TestAccount account)
    {
        var (file, conversation) = (new MemoryStream(), TestAccount.Random());
        var export = await HistoryExport.BeginAsync(file, account.Number, DateTimeOffset.UnixEpoch, default);
        for (int number = 0; number < Messages; number++)
        {
            var message = new MessageDraft(conversation, null, MessageRole.User, $"w{number:00000}").ToMessage(TestAccount.Random(), Clock.After(DateTimeOffset.UnixEpoch.AddDays(number), null, TestAccount.Random()));
            await export.WriteAsync(message.Id, message, default);
        }
        file.Position = 0;
        return file;
    }

    // Messages that the directory on the disk counts. In memory nothing is waited for.
    private static int Indexed(MemoryDisk disk, TestAccount account)
    {
        if (disk.Get(StoreTable.Index, StoreKeys.Directory) is not { } row)
        {
            return 0;
        }
        var opening = account.Keys().OpenForDeviceAsync("words", row.AsMemory(sizeof(ulong) + 1 + row[sizeof(ulong)]), default);
        Assert.True(opening.IsCompleted);
        Assert.True(SearchIndex.TryParse(opening.AsTask().GetAwaiter().GetResult(), out var index, out _));
        return index.Documents;
    }
}
