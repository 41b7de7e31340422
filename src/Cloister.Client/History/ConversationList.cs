using System.Buffers.Binary;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Client.History;

/// <summary>
/// What a device shows without opening a conversation: their headers, and the small registers. Derived from the items, kept in memory, and written now and then as one sealed
/// piece that can be thrown away; what changed since then is in the journal.
/// </summary>
internal sealed class ConversationList
{
    private const string Purpose = "conversations";
    private const int Many = 2000;

    // Ours to choose: as many headers take a page some milliseconds.
    private const int Some = 500;

    // Changed under the book's lock. Readers take the arrays, which are replaced as a whole.
    private Lazy<Dictionary<Identity, ConversationHeader>> _headers = new([]); // what was written is read when it is first needed: a list is shown before
    private Dictionary<(string Kind, string Subject), Registers> _registers = [];
    private ulong _turn;
    private bool _isRead;
    private volatile bool _isReadOn;
    private readonly Lock _sorting = new();
    private IReadOnlyList<ConversationHeader> _sorted = []; // _sorting
    private HashSet<Identity> _moved = [];                  // _sorting: what is not there in it, or otherwise

    /// <summary>Turns since it was written.</summary>
    public ulong Written { get; private set; }

    /// <summary>Items since then, as far as this program saw them: so many are opened again when the next one starts.</summary>
    public int Unwritten { get; private set; }

    public IReadOnlyList<ConversationHeader> Conversations
    {
        get
        {
            lock (_sorting)
            {
                return _sorted = _moved.Count == 0 ? _sorted : Sorted();
            }
        }
    }

    public IReadOnlyList<Registers> Registers(string kind)
    {
        lock (_sorting)
        {
            return [.. _registers.Values.Where(registers => registers.Kind == kind)];
        }
    }

    public ConversationHeader Header(Identity conversation)
    {
        lock (_sorting)
        {
            return _headers.Value.GetValueOrDefault(conversation) ?? ConversationHeader.Of(conversation, null, 0, null);
        }
    }

    /// <summary>It is read anew before it is used again.</summary>
    public void Forget() => _isRead = false;

    /// <summary>Takes what a batch of this program changed. False where the store failed meanwhile: the list is read anew before it is used again.</summary>
    public async ValueTask<bool> TryApplyAsync(HistoryBook book, IReadOnlyList<Touch> touches, CancellationToken cancellationToken)
    {
        try
        {
            await ApplyAsync(book, touches, cancellationToken).ConfigureAwait(false);
            Unwritten += touches.Count;
            _turn = book.State.Turn;
            return true;
        }
        catch (Exception fault) when (fault is IOException or RowMissingException)
        {
            _isRead = false;
            return false;
        }
    }

    /// <summary>Brings it to the book's state: by the journal, or, where that does not reach back, from what was written, or from the items themselves.</summary>
    public async ValueTask CatchUpAsync(HistoryBook book, CancellationToken cancellationToken)
    {
        ulong begin = await book.Store.GetAsync(StoreTable.Index, StoreKeys.JournalBegin, cancellationToken).ConfigureAwait(false) is { } row ? BinaryPrimitives.ReadUInt64BigEndian(row) : 0;
        bool read = _isRead;
        _isRead = false; // until it is done: half of it would be counted twice
        if ((read && _turn >= begin && _turn <= book.State.Turn) || await TryReadAsync(book, cancellationToken).ConfigureAwait(false))
        {
            await ReplayAsync(book, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await RebuildAsync(book, cancellationToken).ConfigureAwait(false);
        }
        (_turn, _isRead) = (book.State.Turn, true);
    }

    /// <summary>Reads what nobody has looked at yet, so that the first search or change need not. In pieces: a page has one thread.</summary>
    public async ValueTask ReadOnAsync(CancellationToken cancellationToken)
    {
        if (_isReadOn)
        {
            return;
        }
        _isReadOn = true;
        var conversations = Conversations;
        for (int i = 0; i < conversations.Count; i++)
        {
            _ = conversations[i];
            if (i % Some == Some - 1)
            {
                await Task.Yield();
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        lock (_sorting)
        {
            _ = _headers.Value;
        }
    }

    /// <summary>Writes it, and forgets the journal that it stands for, but for what <paramref name="needed"/> still needs.</summary>
    public async ValueTask WriteAsync(HistoryBook book, WriteBatch batch, ulong needed, CancellationToken cancellationToken)
    {
        byte[] content = ListBytes.Write(Conversations, [.. _headers.Value.Values.Where(header => !header.IsShown)], _registers.Values);
        byte[] sealedList = await book.Keys.SealForDeviceAsync(Purpose, content, cancellationToken).ConfigureAwait(false);
        ulong turn = batch.State.Turn;
        ulong begin = Math.Min(turn, needed);
        batch.Put(StoreTable.Index, StoreKeys.List, [.. StoreKeys.Number(turn), .. sealedList]);
        batch.Put(StoreTable.Index, StoreKeys.JournalBegin, StoreKeys.Number(begin));
        batch.DeleteRange(StoreTable.Index, StoreKeys.Journal(0), StoreKeys.Journal(begin + 1));
        (Written, Unwritten) = (turn, 0);
    }

    private async ValueTask<bool> TryReadAsync(HistoryBook book, CancellationToken cancellationToken)
    {
        if (await book.Store.GetAsync(StoreTable.Index, StoreKeys.List, cancellationToken).ConfigureAwait(false) is not { Length: > sizeof(ulong) } row
            || BinaryPrimitives.ReadUInt64BigEndian(row) is var turn && turn > book.State.Turn
            || await book.Keys.OpenForDeviceAsync(Purpose, row.AsMemory(sizeof(ulong)), cancellationToken).ConfigureAwait(false) is not { } content
            || !ListBytes.TryRead(content, out var shown, out var hidden, out var registers))
        {
            return false;
        }
        lock (_sorting)
        {
            _headers = new(() => shown.Concat(hidden).ToDictionary(header => header.Id));
            _registers = registers.ToDictionary(one => (one.Kind, one.Subject));
            (_sorted, _moved) = (shown, []);
        }
        _isReadOn = false;
        (_turn, Written, Unwritten) = (turn, turn, 0);
        return true;
    }

    private async ValueTask ReplayAsync(HistoryBook book, CancellationToken cancellationToken)
    {
        var touches = new Dictionary<Identity, Touch>();
        byte[] from = StoreKeys.Journal(_turn + 1);
        while (true)
        {
            var rows = await book.Store.ReadRangeAsync(StoreTable.Index, from, StoreKeys.Journal(book.State.Turn + 1), Many, cancellationToken).ConfigureAwait(false);
            foreach (var touch in rows.SelectMany(row => Touch.Read(row.Value)))
            {
                // Of several steps of one item the sum: what appeared and changed has appeared, what went is gone, whatever came before.
                touches[touch.Item] = touches.TryGetValue(touch.Item, out var before) && before.Kind is not TouchKind.Changed && touch.Kind is not TouchKind.Gone ? before : touch;
            }
            if (rows.Count < Many)
            {
                break;
            }
            from = StoreKeys.Next(rows[^1].Key);
        }
        // Another program may write while this reads, so what is read may be newer than the turn. Counted anew, a conversation is right whenever it was counted last;
        // counted on, what came in between would be counted twice.
        Unwritten += touches.Count;
        foreach (var chunk in touches.Values.Chunk(Many))
        {
            var read = await WithContentAsync(book, chunk, cancellationToken).ConfigureAwait(false);
            await ApplyAsync(book, [.. read.Select(touch => touch.Content is Message ? touch with { Kind = TouchKind.Gone } : touch)], cancellationToken).ConfigureAwait(false);
        }
    }

    private static async ValueTask<List<Touch>> WithContentAsync(HistoryBook book, Touch[] touches, CancellationToken cancellationToken)
    {
        var held = await book.ViewAsync([.. touches.Where(touch => touch.Kind is not TouchKind.Gone).Select(touch => (touch.Place, touch.Item))], cancellationToken).ConfigureAwait(false);
        var there = held.Select(item => item.Item).ToHashSet();
        List<Touch> result = [.. touches.Where(touch => !there.Contains(touch.Item)).Select(touch => touch with { Kind = TouchKind.Gone })];
        var byItem = touches.ToDictionary(touch => touch.Item);
        foreach (var (item, opened) in held.Zip(await book.OpenAsync(held, cancellationToken).ConfigureAwait(false)))
        {
            result.Add(byItem[item.Item] with { Content = opened.Content });
        }
        return result;
    }

    private async ValueTask RebuildAsync(HistoryBook book, CancellationToken cancellationToken)
    {
        lock (_sorting)
        {
            (_headers, _registers, _sorted, _moved) = (new([]), [], [], []);
        }
        Unwritten = 0;
        // While some are opened, the next are read.
        var (held, opening) = (new List<HeldItem>(), Task.CompletedTask);
        try
        {
            await foreach (var item in book.ViewEverythingAsync(cancellationToken).ConfigureAwait(false))
            {
                held.Add(item);
                if (held.Count == Many)
                {
                    await opening.ConfigureAwait(false);
                    (held, opening) = ([], TakeAsync(held));
                }
            }
        }
        finally
        {
            await opening.ConfigureAwait(false);
        }
        await TakeAsync(held).ConfigureAwait(false);
        Written = 0;

        async Task TakeAsync(List<HeldItem> some)
        {
            foreach (var (item, opened) in some.Zip(await book.OpenAsync(some, cancellationToken).ConfigureAwait(false)))
            {
                Take(new(item.Place, item.Item, TouchKind.Appeared, opened.Content));
            }
            Unwritten += some.Count;
        }
    }

    private async ValueTask ApplyAsync(HistoryBook book, IReadOnlyList<Touch> touches, CancellationToken cancellationToken)
    {
        // A message that went may have been the newest, so its conversation is counted anew; what appeared in it is then counted there.
        var counted = touches.Where(touch => touch.Kind is TouchKind.Gone).Select(touch => touch.Place).ToHashSet();
        foreach (var touch in touches.Where(touch => touch.Content is not Message || !counted.Contains(touch.Place)))
        {
            Take(touch);
        }
        foreach (var place in counted)
        {
            await CountAsync(book, place, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask CountAsync(HistoryBook book, Identity place, CancellationToken cancellationToken)
    {
        var held = await book.ViewAllAsync(place, cancellationToken).ConfigureAwait(false);
        Message[] messages = [.. (await book.OpenAsync(held, cancellationToken).ConfigureAwait(false)).Select(one => one.Content).OfType<Message>()];
        Put(Header(place) with { Messages = messages.Length, Newest = messages.Length == 0 ? null : messages.Max(message => message.Clock) });
    }

    private void Take(Touch touch)
    {
        switch (touch.Content)
        {
            case Message message when touch.Kind is TouchKind.Appeared:
                var header = Header(touch.Place);
                Put(header with { Messages = header.Messages + 1, Newest = header.Newest > message.Clock ? header.Newest : message.Clock });
                break;
            case Registers { Kind: RegisterKind.Conversation } registers:
                var before = Header(touch.Place);
                Put(ConversationHeader.Of(touch.Place, registers, before.Messages, before.Newest));
                break;
            case Registers registers:
                lock (_sorting)
                {
                    _registers[(registers.Kind, registers.Subject)] = registers;
                }
                break;
            default:
                break;
        }
    }

    private void Put(ConversationHeader header)
    {
        lock (_sorting)
        {
            _headers.Value[header.Id] = header;
            _moved.Add(header.Id);
        }
    }

    // Few of many move at a time: these are sorted by themselves and put where they belong. Under the lock.
    private ConversationHeader[] Sorted()
    {
        ConversationHeader[] moved = [.. _moved.Select(conversation => _headers.Value[conversation]).Where(header => header.IsShown).Order(ConversationHeader.ListOrder)];
        var all = new List<ConversationHeader>(_headers.Value.Count);
        int next = 0;
        foreach (var header in _sorted.Where(header => !_moved.Contains(header.Id)))
        {
            for (; next < moved.Length && ConversationHeader.ListOrder.Compare(moved[next], header) < 0; next++)
            {
                all.Add(moved[next]);
            }
            all.Add(header);
        }
        all.AddRange(moved.AsSpan(next));
        _moved.Clear();
        return [.. all];
    }
}
