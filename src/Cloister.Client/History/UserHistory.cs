using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.Exchange;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Keys;
using Cloister.Vault.Search;

namespace Cloister.Client.History;

/// <summary>
/// A user's history on one device: everything is there without a network, what is changed is durable before it is shown, and what other devices changed comes
/// by itself (docs/spec/vault.md, sections 6, 7 and 9).
/// </summary>
/// <remarks>
/// Members may be called from any thread. Several of these, in several processes or tabs, may share one store: each write is a compare-and-set over the whole of it, and
/// who comes second reads what the first wrote and does its own again. What is protected: content and order against the operator. What is not: against who can read
/// this process's memory, or replace the store by an older copy of itself.
/// </remarks>
public sealed class UserHistory : IAsyncDisposable
{
    // Changes after which the list is written while running, and when closing: reading them again costs less than writing it each time.
    private const int Several = 200;
    private const int Few = 20;

    // And items: a device that just fetched a long history has seen few turns and very many items.
    private const int SeveralItems = 500;

    // Items that are opened at once.
    private const int Many = 1000;

    private readonly HistoryBook _book;
    private readonly HistoryEdits _edits;
    private readonly SearchShelf _shelf;
    private readonly SyncLoop _loop;

    private UserHistory(HistoryBook book, AccountLink? link)
    {
        (_book, _edits, _shelf) = (book, new(book), new(book));
        _loop = new(book, link, KeepUpAsync);
        _book.Changed += Tell;
        _loop.Changed += Tell;
    }

    /// <summary>Opens a device's history. It can be read and added to when this returns; with a link, syncing begins in the background.</summary>
    /// <param name="store">This account's and no other's; it is disposed of with the history. Empty on a new device, or where the browser evicted it: everything is then fetched again.</param>
    /// <param name="keys">Stay the caller's, and must live as long as the history does, or until <see cref="ReplaceKeysAsync"/>.</param>
    /// <param name="link">Null: this device works alone.</param>
    /// <param name="device">The device's own name, the same for as long as its store lives.</param>
    /// <param name="time">The device's time. It may be wrong by years.</param>
    /// <exception cref="StoreFailedException">The store does not work, is another account's, or of a newer program.</exception>
    public static async Task<UserHistory> OpenAsync(DeviceStore store, VaultKeys keys, AccountLink? link, Identity device, TimeProvider time, CancellationToken cancellationToken)
    {
        var book = new HistoryBook(store, keys, device, time);
        await book.OpenAsync(cancellationToken).ConfigureAwait(false);
        var history = new UserHistory(book, link);
        history._loop.Start();
        return history;
    }

    public AccountNumber Account => _book.Keys.Account;

    /// <summary>Those that are shown, in the list's order: a snapshot. Archived ones are among them.</summary>
    public IReadOnlyList<ConversationHeader> Conversations => _book.List.Conversations;

    /// <summary>By order, then by identity.</summary>
    public IReadOnlyList<Folder> Folders =>
        [.. _book.List.Registers(RegisterKind.Folder).Select(Folder.Read).OfType<Folder>().OrderBy(folder => folder.Order, Comparer<FractionalIndex?>.Create(FractionalIndex.Compare)).ThenBy(folder => folder.Id)];

    public IReadOnlyList<Memory> Memories => [.. _book.List.Registers(RegisterKind.Memory).Select(Memory.Read).OfType<Memory>().OrderBy(memory => memory.Id)];

    /// <summary>The vault's own list (docs/spec/vault.md, section 3): a new epoch is wrapped for these and no others.</summary>
    public IReadOnlyList<UnlockerEntry> Unlockers => [.. _book.List.Registers(RegisterKind.Unlockers).Where(one => one.Subject.Length == 0).SelectMany(one => UnlockerEntry.ReadAll(one))];

    public IReadOnlyList<DeviceEntry> Devices => [.. _book.List.Registers(RegisterKind.Devices).Where(one => one.Subject.Length == 0).SelectMany(one => DeviceEntry.ReadAll(one))];

    public SyncStatus Sync => _loop.Status;

    /// <summary>What is shown, or how it stands to the operator's, has changed. Raised on any thread, never while a lock is held; a burst of changes may raise it once. What a handler throws is dropped: what was confirmed stays confirmed.</summary>
    public event Action? Changed;

    /// <summary>The registers of a kind and subject, for instance the settings; empty ones where there are none.</summary>
    public Task<Registers> RegistersAsync(string kind, string subject, CancellationToken cancellationToken) => _book.ReadAsync(async () =>
        await _book.ViewAsync(OpenedContent.PlaceOf(kind, subject), _book.Keys.Name(kind, subject), cancellationToken).ConfigureAwait(false) is { } held
        && (await _book.OpenAsync([held], cancellationToken).ConfigureAwait(false))[0].Content is Registers registers ? registers : new(kind, subject), cancellationToken);

    /// <summary>A conversation with all its messages; an empty one where it is not known.</summary>
    public Task<ConversationView> ReadAsync(Identity conversation, CancellationToken cancellationToken) => _book.ReadAsync(async () =>
    {
        var opened = await _book.OpenAsync(await _book.ViewAllAsync(conversation, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return ConversationView.Of(conversation, opened.Select(one => one.Content).OfType<Registers>().FirstOrDefault(), opened.Select(one => one.Content).OfType<Message>());
    }, cancellationToken);

    /// <summary>Adds a message, and the conversation's registers where there are none. Durable when this returns.</summary>
    /// <exception cref="StoreFailedException">It could not be written. The message is not there.</exception>
    /// <exception cref="ArgumentException">It is too large for an item.</exception>
    public Task<Message> AddAsync(MessageDraft draft, CancellationToken cancellationToken) => EditAsync(_edits.AddAsync(draft, cancellationToken));

    /// <summary>Adds a message that has an identity and a clock, so that it can be tried again: what is here already, or was deleted, stays as it is, and an answer in a conversation that was deleted meanwhile is not kept. Durable when this returns.</summary>
    /// <exception cref="StoreFailedException">It could not be written, or nobody can say whether it was.</exception>
    /// <exception cref="ArgumentException">It is too large for an item.</exception>
    public Task KeepAsync(Message message, CancellationToken cancellationToken) => EditAsync(_edits.KeepAsync(message, cancellationToken));

    /// <summary>Changes a field of registers. Durable when this returns. The same value again is a change too: it is later.</summary>
    public Task SetAsync(string kind, string subject, string field, JsonNode? value, CancellationToken cancellationToken) => EditAsync(_edits.SetAsync(kind, subject, field, value, cancellationToken));

    /// <summary>Deletes a conversation and all messages that are here. Durable when this returns.</summary>
    public Task DeleteConversationAsync(Identity conversation, CancellationToken cancellationToken) => EditAsync(_edits.DeleteConversationAsync(conversation, cancellationToken));

    /// <summary>Deletes a message for ever. What follows it stays. Durable when this returns.</summary>
    public Task DeleteMessageAsync(Identity conversation, Identity message, CancellationToken cancellationToken) => EditAsync(_edits.DeleteMessageAsync(conversation, message, cancellationToken));

    /// <summary>Messages and titles that have all words of the query, the newest first. It looks at this device alone.</summary>
    public IAsyncEnumerable<SearchHit> SearchAsync(string query, CancellationToken cancellationToken) => _shelf.SearchAsync(query, cancellationToken);

    /// <summary>Syncs until everything is fetched and sent or something is in the way, which <see cref="Sync"/> then says; after a refusal too. Throws nothing but cancellation.</summary>
    public Task SyncNowAsync(CancellationToken cancellationToken) => _loop.AskAsync(cancellationToken);

    /// <summary>Goes on with the keys of a newer epoch of the same account: what is unsent is sealed under it.</summary>
    /// <exception cref="ArgumentException">Another account's, or of an older epoch than those in use.</exception>
    public async Task ReplaceKeysAsync(VaultKeys keys, CancellationToken cancellationToken)
    {
        if (keys.Account != Account || FeedJudgement.Epochs(_book.Keys.Epochs, keys.Epochs) is not HeadFault.None)
        {
            throw new ArgumentException("These are keys of another account, or of an older epoch.", nameof(keys));
        }
        await _book.ReplaceKeysAsync(keys, cancellationToken).ConfigureAwait(false);
        await WriteListAsync(cancellationToken).ConfigureAwait(false);
        await SyncNowAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes everything that is here in a form that everybody can read (docs/spec/vault.md, section 8), and says what of it is not in there. What is deleted while it
    /// writes may be missing, and what is changed then may be there as it was or as it is.
    /// </summary>
    public async Task<ExportOutcome> ExportAsync(Stream destination, CancellationToken cancellationToken)
    {
        var items = await _book.ReadAsync(async () => await ItemsAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        var export = await HistoryExport.BeginAsync(destination, Account, _book.Time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        var (written, leftOut, attachments) = (0, 0, new HashSet<Identity>());
        foreach (var chunk in items.Chunk(Many))
        {
            var held = await _book.ReadAsync(async () => await ViewAsync(chunk, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            foreach (var (item, opened) in held.Zip(await _book.OpenAsync(held, cancellationToken).ConfigureAwait(false)))
            {
                if (opened.Content is not { } content)
                {
                    leftOut++;
                    continue;
                }
                await export.WriteAsync(item.Item, content, cancellationToken).ConfigureAwait(false);
                attachments.UnionWith(content is Message message ? message.Attachments.Select(attachment => attachment.Id) : []);
                written++;
            }
        }
        return new(written, leftOut, attachments.Count);
    }

    /// <summary>Reads an export. What is here already stays as it is, so importing twice changes nothing; what was deleted stays deleted. Attachments' bytes are not taken, and that is noted.</summary>
    /// <exception cref="StoreFailedException">It could not be written. What came before it in the file may be there.</exception>
    public Task<ImportOutcome> ImportAsync(Stream source, CancellationToken cancellationToken) => EditAsync(_edits.ImportAsync(source, cancellationToken));

    /// <summary>Ends syncing and lets go of the store. What was confirmed is there.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _loop.DisposeAsync().ConfigureAwait(false);
            if (_book.State.Turn > _book.List.Written + Few)
            {
                await WriteListAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // It is derived, and made again at the next start.
        }
        finally
        {
            await _book.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Tell()
    {
        try
        {
            Changed?.Invoke();
        }
#pragma warning disable CA1031 // an edit that is durable must not look as if it had failed, nor syncing end
        catch
#pragma warning restore CA1031
        {
            // The handler's own affair.
        }
    }

    // Also what failed may have written something first, which is then to be sent: batches of an import, or a write that the store denied.
    private async Task EditAsync(Task edit)
    {
        try
        {
            await edit.ConfigureAwait(false);
        }
        finally
        {
            _loop.Edited();
        }
    }

    private async Task<T> EditAsync<T>(Task<T> edit)
    {
        await EditAsync((Task)edit).ConfigureAwait(false);
        return await edit.ConfigureAwait(false);
    }

    // Names alone: all of a long history at once is more than a phone's memory.
    private async ValueTask<List<(Identity Place, Identity Item)>> ItemsAsync(CancellationToken cancellationToken)
    {
        var items = new List<(Identity Place, Identity Item)>();
        await foreach (var item in _book.ViewEverythingAsync(cancellationToken).ConfigureAwait(false))
        {
            items.Add((item.Place, item.Item));
        }
        return items;
    }

    // Also what moved since it was listed: understood meanwhile, it belongs to a conversation.
    private async ValueTask<List<HeldItem>> ViewAsync((Identity Place, Identity Item)[] listed, CancellationToken cancellationToken)
    {
        var held = await _book.ViewAsync(listed, cancellationToken).ConfigureAwait(false);
        var found = held.Select(item => item.Item).ToHashSet();
        foreach (var (place, item) in listed.Where(one => !found.Contains(one.Item)))
        {
            held.AddRange(await _book.ViewAsync(place, item, cancellationToken).ConfigureAwait(false) is { } moved ? [moved] : []);
        }
        return held;
    }

    private async Task KeepUpAsync(CancellationToken cancellationToken)
    {
        // Before the words, which take far longer: a browser's tab may be closed at any time.
        if (_book.List.Unwritten > SeveralItems)
        {
            await WriteListAsync(cancellationToken).ConfigureAwait(false);
        }
        await _book.List.ReadOnAsync(cancellationToken).ConfigureAwait(false);
        await _shelf.KeepUpAsync(cancellationToken).ConfigureAwait(false);
        if (_book.State.Turn > _book.List.Written + Several)
        {
            await WriteListAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WriteListAsync(CancellationToken cancellationToken)
    {
        ulong needed = await _shelf.NeededAsync(cancellationToken).ConfigureAwait(false);
        await _book.WriteAsync(async batch =>
        {
            await _book.List.WriteAsync(_book, batch, needed, cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>What an export holds, and what it does not.</summary>
/// <param name="Items">How many messages and registers.</param>
/// <param name="LeftOut">How many items were left out because this program does not understand them: a newer program or a newer key made them.</param>
/// <param name="Attachments">How many attachments the messages name. Their bytes are not in it.</param>
public sealed record ExportOutcome(int Items, int LeftOut, int Attachments);

/// <summary>Where a search found its words.</summary>
/// <param name="Conversation">In which conversation.</param>
/// <param name="Message">In which message; null: in the title.</param>
/// <param name="Snippet">The piece of it around the words.</param>
public sealed record SearchHit(ConversationHeader Conversation, Message? Message, Snippet Snippet);
