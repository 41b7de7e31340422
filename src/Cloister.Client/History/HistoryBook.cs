using System.Buffers.Binary;
using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.Heads;
using Cloister.Vault.Keys;

namespace Cloister.Client.History;

/// <summary>
/// A device's history between its store and its readers: one state, changed by one atomic batch after another. Each batch expects the turn that it was made from, so of two
/// programs on one store the second reads what the first wrote and makes its batch again.
/// </summary>
internal sealed class HistoryBook : IAsyncDisposable
{
    // Rows that are read at once where all are read.
    private const int Many = 2000;

    // Ours to choose: items that are worth another thread.
    private const int Share = 200;

    private readonly SemaphoreSlim _lock = new(1, 1); // owns everything below that is not readonly
    private (BookState? Of, ILookup<Identity, Identity>? ByPlace) _outgoing;
    private bool _doubtful = true;                    // the store may be further than State: read it before anything else

    public HistoryBook(DeviceStore store, VaultKeys keys, Identity device, TimeProvider time) => (Store, Keys, Device, Time) = (store, keys, device, time);

    public DeviceStore Store { get; }

    public VaultKeys Keys { get; private set; }

    public Identity Device { get; }

    public TimeProvider Time { get; }

    public BookState State { get; private set; } = BookState.Empty;

    public ConversationList List { get; } = new();

    /// <summary>Part of every batch: a store that was emptied since, or is another account's by now, takes nothing of this one.</summary>
    public StoreWrite IsOurs => StoreWrite.Expect(StoreTable.Meta, StoreKeys.Account, Keys.Account.ToArray());

    /// <summary>What is shown has changed. Raised outside of the lock.</summary>
    public event Action? Changed;

    /// <summary>Reads the store, or makes an empty one this account's.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>[] keys = [StoreKeys.Format, StoreKeys.Account];
        byte[]?[] rows = await Store.GetAllAsync(StoreTable.Meta, keys, cancellationToken).ConfigureAwait(false);
        if (rows[0] is null)
        {
            await MakeAsync(cancellationToken).ConfigureAwait(false);
            rows = await Store.GetAllAsync(StoreTable.Meta, keys, cancellationToken).ConfigureAwait(false);
        }
        if (rows[0] is not [StoreKeys.FormatNumber] || !rows[1].AsSpan().SequenceEqual(Keys.Account.ToArray()))
        {
            throw new StoreFailedException("This device's store is another account's, or a newer program's.");
        }
        bool isNewer = await ReadAsync(() => ValueTask.FromResult(IsNewer(Keys)), cancellationToken).ConfigureAwait(false);
        if (isNewer)
        {
            // So that a program with older keys on this store knows that it needs newer ones.
            await WriteAsync(batch => ValueTask.FromResult(TakeEpoch(batch, Keys)), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads under the lock, from a store that is at <see cref="State"/> from the first row to the last: what another program wrote in between has it read again.</summary>
    public async Task<T> ReadAsync<T>(Func<ValueTask<T>> read, CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        bool changed = false;
        try
        {
            while (true)
            {
                changed |= await CatchUpAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    var result = await read().ConfigureAwait(false);
                    if (await IsCurrentAsync(cancellationToken).ConfigureAwait(false))
                    {
                        return result;
                    }
                }
                catch (RowMissingException) when (!cancellationToken.IsCancellationRequested)
                {
                    await MissingAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _lock.Release();
            Tell(changed);
        }
    }

    /// <summary>
    /// Makes a batch from the state and writes it. When this returns it is durable. Where another program was faster, <paramref name="make"/> is called again with the newer
    /// state, so it must have no effect of its own. An empty batch is not written.
    /// </summary>
    public async Task<T> WriteAsync<T>(Func<WriteBatch, ValueTask<T>> make, CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        bool changed = false;
        try
        {
            while (true)
            {
                changed |= await CatchUpAsync(cancellationToken).ConfigureAwait(false);
                var batch = new WriteBatch(State);
                try
                {
                    var result = await make(batch).ConfigureAwait(false);
                    if (batch.Writes.Count > 0 && !batch.IsAbandoned)
                    {
                        await CommitAsync(batch).ConfigureAwait(false);
                        changed = true;
                    }
                    return result;
                }
                catch (StoreConflictException)
                {
                    _doubtful = true;
                }
                catch (RowMissingException) when (!cancellationToken.IsCancellationRequested)
                {
                    await MissingAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _lock.Release();
            Tell(changed);
        }
    }

    /// <summary>Goes on with other keys of the same account. What the old ones could not open, because another program fetched it with newer ones, is read anew.</summary>
    public async Task ReplaceKeysAsync(VaultKeys keys, CancellationToken cancellationToken)
    {
        // First the epoch: a program with older keys must know of it before anything is sealed with the newer ones.
        await WriteAsync(batch => ValueTask.FromResult(TakeEpoch(batch, keys)), cancellationToken).ConfigureAwait(false);
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        Keys = keys;
        List.Forget();
        _doubtful = true;
        _lock.Release();
    }

    /// <summary>What is in the store may be sealed under its epoch. Keys that are older open not all of it, and what they cannot open they would take for nothing.</summary>
    /// <exception cref="OvertakenException">These keys are older.</exception>
    public void DemandKeys(BookState state)
    {
        if (state.Epoch?.Epoch > Keys.Epoch)
        {
            throw new OvertakenException();
        }
    }

    /// <summary>Opens what was verified or made here.</summary>
    /// <exception cref="OvertakenException">Some of it is sealed under an epoch that these keys do not know.</exception>
    /// <exception cref="StoreFailedException">Some of it does not open.</exception>
    public async ValueTask<IReadOnlyList<OpenedItem>> OpenAllAsync(IReadOnlyList<SealedChange> changes, CancellationToken cancellationToken)
    {
        var opened = await Keys.OpenAsync(changes, cancellationToken).ConfigureAwait(false);
        return opened.FirstOrDefault(one => !one.IsOpen) is not { } shut ? opened
            : shut.Fault is OpenFault.UnknownEpoch ? throw new OvertakenException()
            : throw new StoreFailedException($"This device's store is damaged: something in it does not open ({shut.Fault}).");
    }

    /// <summary>The sealed item as it is shown: what is unsent first, then what is in flight, then what the operator has; null where there is none or it was deleted.</summary>
    public async ValueTask<HeldItem?> ViewAsync(Identity place, Identity item, CancellationToken cancellationToken)
    {
        if (await OutgoingAsync(item, cancellationToken).ConfigureAwait(false) is { } outgoing)
        {
            return outgoing.IsTombstone ? null : outgoing;
        }
        return await HeldAsync(place, item, cancellationToken).ConfigureAwait(false)
            // Where nothing says what an item belongs to, because a newer program or a newer key made it, it is kept elsewhere: whoever took it for none would write over it.
            ?? (await Store.GetAsync(StoreTable.Leaves, StoreKeys.Place(item), cancellationToken).ConfigureAwait(false) is { } elsewhere && Identity.Read(elsewhere) is var there && there != place
                ? await HeldAsync(there, item, cancellationToken).ConfigureAwait(false)
                : null);
    }

    private async ValueTask<HeldItem?> HeldAsync(Identity place, Identity item, CancellationToken cancellationToken)
    {
        byte[] key = StoreKeys.Item(place, item);
        return await Store.GetAsync(StoreTable.Items, key, cancellationToken).ConfigureAwait(false) is { } row ? HeldItem.OfItemRow(new(key, row)) : null;
    }

    /// <summary>Those of the items that are shown, in some order.</summary>
    public async ValueTask<List<HeldItem>> ViewAsync(IReadOnlyList<(Identity Place, Identity Item)> items, CancellationToken cancellationToken)
    {
        var held = new List<HeldItem>(items.Count);
        var elsewhere = items.ToLookup(one => State.Unsent.ContainsKey(one.Item) || State.InFlight.ContainsKey(one.Item));
        foreach (var (_, item) in elsewhere[true])
        {
            if (await OutgoingAsync(item, cancellationToken).ConfigureAwait(false) is { IsTombstone: false } outgoing)
            {
                held.Add(outgoing);
            }
        }
        byte[][] keys = [.. elsewhere[false].Select(one => StoreKeys.Item(one.Place, one.Item))];
        byte[]?[] rows = await Store.GetAllAsync(StoreTable.Items, [.. keys.Select(key => (ReadOnlyMemory<byte>)key)], cancellationToken).ConfigureAwait(false);
        held.AddRange(keys.Zip(rows).Where(pair => pair.Second is not null).Select(pair => HeldItem.OfItemRow(new(pair.First, pair.Second!))));
        return held;
    }

    /// <summary>What is to be sent of an item, tombstones too; null where there is nothing.</summary>
    public async ValueTask<HeldItem?> OutgoingAsync(Identity item, CancellationToken cancellationToken)
    {
        if (!State.Unsent.ContainsKey(item) && !State.InFlight.ContainsKey(item))
        {
            return null;
        }
        byte[] key = State.Unsent.ContainsKey(item) ? StoreKeys.Unsent(item) : StoreKeys.InFlight(item);
        return HeldItem.OfOutboxRow(item, await Store.GetAsync(StoreTable.Outbox, key, cancellationToken).ConfigureAwait(false) ?? throw new RowMissingException());
    }

    /// <summary>All that is shown of a place.</summary>
    public async ValueTask<List<HeldItem>> ViewAllAsync(Identity place, CancellationToken cancellationToken)
    {
        var held = new List<HeldItem>();
        await foreach (var item in RangeAsync(StoreKeys.Item(place, default), StoreKeys.After(place), cancellationToken).ConfigureAwait(false))
        {
            held.Add(item);
        }
        foreach (var item in OutgoingOf(place))
        {
            held.Add((await OutgoingAsync(item, cancellationToken).ConfigureAwait(false))!);
        }
        return held;
    }

    // By place once for each state: after a large import there are many, and every conversation asks.
    private IEnumerable<Identity> OutgoingOf(Identity place)
    {
        if (!ReferenceEquals(_outgoing.Of, State))
        {
            var all = State.InFlight.Where(pair => !State.Unsent.ContainsKey(pair.Key)).Concat(State.Unsent);
            _outgoing = (State, all.Where(pair => !pair.Value.IsTombstone).ToLookup(pair => pair.Value.Place, pair => pair.Key));
        }
        return _outgoing.ByPlace![place];
    }

    /// <summary>All that is shown, in pieces.</summary>
    public async IAsyncEnumerable<HeldItem> ViewEverythingAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in RangeAsync([], [], cancellationToken).ConfigureAwait(false))
        {
            yield return item;
        }
        foreach (var item in State.InFlight.Keys.Union(State.Unsent.Keys))
        {
            if (await OutgoingAsync(item, cancellationToken).ConfigureAwait(false) is { IsTombstone: false } outgoing)
            {
                yield return outgoing;
            }
        }
    }

    /// <summary>What the operator has, as far as nothing of the outbox stands before it.</summary>
    private async IAsyncEnumerable<HeldItem> RangeAsync(byte[] from, byte[] to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var rows = await Store.ReadRangeAsync(StoreTable.Items, from, to, Many, cancellationToken).ConfigureAwait(false);
            foreach (var row in rows)
            {
                var held = HeldItem.OfItemRow(row);
                if (!State.Unsent.ContainsKey(held.Item) && !State.InFlight.ContainsKey(held.Item))
                {
                    yield return held;
                }
            }
            if (rows.Count < Many)
            {
                break;
            }
            from = StoreKeys.Next(rows[^1].Key);
        }
    }

    /// <summary>Opens items in order; null content where this program does not understand it. Many are opened by all of the machine's processors; in a browser there is one.</summary>
    public async ValueTask<IReadOnlyList<OpenedContent>> OpenAsync(IReadOnlyList<HeldItem> items, CancellationToken cancellationToken)
    {
        if (items.Count <= Share || OperatingSystem.IsBrowser())
        {
            return await OpenShareAsync(items, cancellationToken).ConfigureAwait(false);
        }
        var shares = await Task.WhenAll(items.Chunk(Share).Select(share => Task.Run(() => OpenShareAsync(share, cancellationToken), cancellationToken))).ConfigureAwait(false);
        return [.. shares.SelectMany(share => share)];
    }

    private async Task<OpenedContent[]> OpenShareAsync(IReadOnlyList<HeldItem> items, CancellationToken cancellationToken)
    {
        SealedChange[] changes = [.. items.Select(item => item.ToChange())];
        var opened = await Keys.OpenAsync(changes, cancellationToken).ConfigureAwait(false);
        return [.. changes.Zip(opened, (change, one) => OpenedContent.Read(Keys, change, one))];
    }

    /// <summary>The subtrees that the items fall into, by prefix.</summary>
    public async ValueTask<Dictionary<int, Subtree>> SubtreesAsync(IEnumerable<Identity> items, CancellationToken cancellationToken)
    {
        int[] prefixes = [.. items.Select(ItemTree.PrefixOf).Distinct().Order()];
        byte[]?[] rows = await Store.GetAllAsync(StoreTable.Leaves, [.. prefixes.Select(prefix => (ReadOnlyMemory<byte>)StoreKeys.Subtree(prefix))], cancellationToken).ConfigureAwait(false);
        return prefixes.Zip(rows, (prefix, row) => row is null ? Subtree.Empty(prefix)
            : Subtree.TryParse(row, out var subtree, out _) ? subtree : throw new StoreFailedException("This device's store is damaged: a part of its tree is none.")).ToDictionary(subtree => subtree.Prefix);
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    // Of another account, or with other records, they are not taken here: the next attempt to sync names it.
    private bool IsNewer(VaultKeys keys) =>
        State.Epoch is { } known && known.Epoch < keys.Epoch && keys.Epochs[(int)known.Epoch - 1].Bytes.Span.SequenceEqual(known.Bytes.Span);

    private bool TakeEpoch(WriteBatch batch, VaultKeys keys)
    {
        bool isNewer = IsNewer(keys);
        if (isNewer)
        {
            batch.SetEpoch(keys.Epochs[^1]);
        }
        return isNewer;
    }

    // Without a format the store is nobody's: whatever rows stand in it are not this account's, and become none of it.
    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Store.WriteAsync(
            [
                StoreWrite.Expect(StoreTable.Meta, StoreKeys.Format, null),
                .. Enum.GetValues<StoreTable>().Select(table => StoreWrite.DeleteRange(table, [], [])),
                StoreWrite.Put(StoreTable.Meta, StoreKeys.Format, [StoreKeys.FormatNumber]),
                StoreWrite.Put(StoreTable.Meta, StoreKeys.Account, Keys.Account.ToArray()),
                StoreWrite.Put(StoreTable.Meta, StoreKeys.Epoch, Keys.Epochs[^1].Bytes.ToArray()),
            ], cancellationToken).ConfigureAwait(false);
        }
        catch (StoreConflictException)
        {
            // Another program made it.
        }
    }

    // The batch and the turn that it expects are one transaction. What is in memory changes only after it: a crash before finds the old state, a crash after the new one,
    // and both are whole. Not cancelled in the middle: whoever asked would not know whether it was written.
    private async Task CommitAsync(WriteBatch batch)
    {
        ulong turn = State.Turn + 1;
        List<StoreWrite> writes =
        [
            IsOurs,
            StoreWrite.Expect(StoreTable.Meta, StoreKeys.Turn, State.Turn == 0 ? null : StoreKeys.Number(State.Turn)),
            StoreWrite.Put(StoreTable.Meta, StoreKeys.Turn, StoreKeys.Number(turn)),
            .. batch.Writes,
        ];
        if (batch.Touches.Count > 0)
        {
            writes.Add(StoreWrite.Put(StoreTable.Index, StoreKeys.Journal(turn), Touch.Write(batch.Touches)));
        }
        _doubtful = true; // until it is known: a store that throws may have written all the same
        await Store.WriteAsync(writes, CancellationToken.None).ConfigureAwait(false);
        State = batch.State with { Turn = turn };
        _doubtful = !await List.TryApplyAsync(this, batch.Touches, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task<bool> IsCurrentAsync(CancellationToken cancellationToken) => await TurnAsync(cancellationToken).ConfigureAwait(false) == State.Turn;

    // Both in one reading: the turn of an emptied store looks like that of a new one.
    private async Task<ulong> TurnAsync(CancellationToken cancellationToken)
    {
        byte[]?[] rows = await Store.GetAllAsync(StoreTable.Meta, [StoreKeys.Turn, StoreKeys.Account], cancellationToken).ConfigureAwait(false);
        return TurnOf(rows[0], rows[1]);
    }

    private ulong TurnOf(byte[]? turn, byte[]? account) =>
        !account.AsSpan().SequenceEqual(Keys.Account.ToArray()) ? throw new StoreFailedException("This device left the account in another window, or its storage was cleared.")
        : turn is null ? 0 : BinaryPrimitives.ReadUInt64BigEndian(turn);

    // A row that the state names is not there: another program moved it on, or the store is damaged.
    private async Task MissingAsync(CancellationToken cancellationToken)
    {
        if (await IsCurrentAsync(cancellationToken).ConfigureAwait(false))
        {
            throw new StoreFailedException("This device's store is damaged: a row is missing.");
        }
        _doubtful = true;
    }

    // True where something was read anew.
    private async Task<bool> CatchUpAsync(CancellationToken cancellationToken)
    {
        if (!_doubtful && await IsCurrentAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }
        do
        {
            _doubtful = true;
            var state = await LoadAsync(cancellationToken).ConfigureAwait(false);
            State = state;
            try
            {
                await List.CatchUpAsync(this, cancellationToken).ConfigureAwait(false);
                _doubtful = await TurnAsync(cancellationToken).ConfigureAwait(false) != state.Turn;
            }
            catch (RowMissingException)
            {
                await MissingAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        while (_doubtful);
        return true;
    }

    private async Task<BookState> LoadAsync(CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>[] keys = [StoreKeys.Turn, StoreKeys.Account, StoreKeys.Epoch, StoreKeys.Accepted, StoreKeys.Sent, StoreKeys.Promoting, StoreKeys.Fault];
        byte[]?[] rows = await Store.GetAllAsync(StoreTable.Meta, keys, cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<byte>[] partKeys = [.. Enumerable.Range(0, ItemTree.Parts).Select(part => (ReadOnlyMemory<byte>)StoreKeys.TreePart(part))];
        byte[]?[] parts = await Store.GetAllAsync(StoreTable.Leaves, partKeys, cancellationToken).ConfigureAwait(false);
        return new()
        {
            Turn = TurnOf(rows[0], rows[1]),
            Epoch = rows[2] is null ? null : EpochRecord.TryParse(rows[2], out var epoch, out _) ? epoch : throw Damaged(),
            Accepted = HeadOf(rows[3]),
            Sent = HeadOf(rows[4]),
            Promoting = HeadOf(rows[5]),
            Fault = rows[6] is [var fault] ? (HeadFault)fault : HeadFault.None,
            Tree = ItemTree.TryParse([.. parts.Select(part => (ReadOnlyMemory<byte>)(part ?? []))], out var tree, out _) ? tree : throw Damaged(),
            Unsent = await OutboxAsync(StoreKeys.Unsent(default), StoreKeys.InFlight(default), cancellationToken).ConfigureAwait(false),
            InFlight = await OutboxAsync(StoreKeys.InFlight(default), [], cancellationToken).ConfigureAwait(false),
        };
    }

    private async Task<ImmutableDictionary<Identity, Outgoing>> OutboxAsync(byte[] from, byte[] to, CancellationToken cancellationToken)
    {
        var outgoing = ImmutableDictionary.CreateBuilder<Identity, Outgoing>();
        while (true)
        {
            var rows = await Store.ReadRangeAsync(StoreTable.Outbox, from, to, Many, cancellationToken).ConfigureAwait(false);
            foreach (var row in rows)
            {
                var item = Identity.Read(row.Key.AsSpan(1));
                outgoing[item] = Outgoing.Of(HeldItem.OfOutboxRow(item, row.Value));
            }
            if (rows.Count < Many)
            {
                return outgoing.ToImmutable();
            }
            from = StoreKeys.Next(rows[^1].Key);
        }
    }

    private static SignedHead? HeadOf(byte[]? row) => row is null ? null : SignedHead.TryParse(row, out var head, out _) ? head : throw Damaged();

    private static StoreFailedException Damaged() => new("This device's store is damaged: what it says of itself cannot be read.");

    private void Tell(bool changed)
    {
        if (changed)
        {
            Changed?.Invoke();
        }
    }
}

/// <summary>A row that the state names was not there while it was read.</summary>
internal sealed class RowMissingException : Exception;
