using Cloister.Ledger;
using Cloister.Vault.Heads;
using Cloister.Vault.Keys;

namespace Cloister.Client.History;

/// <summary>Where an attempt to send ended.</summary>
internal enum SendResult : byte
{
    None = 0,
    /// <summary>Nothing is unsent.</summary>
    Done = 1,
    /// <summary>The operator has something newer: fetch first.</summary>
    Stale = 2,
    /// <summary>The account is full. Tombstones were sent.</summary>
    Quota = 3,
    /// <summary>The head's signature is not taken: perhaps another epoch began.</summary>
    Signature = 4,
    /// <summary>Not taken for another reason.</summary>
    Refused = 5,
}

/// <summary>Sends what is unsent, in batches with a signed head (docs/spec/accounts.md, section 3).</summary>
/// <remarks>
/// A batch is written down before it is sent, and does not change until it is known what became of it. So an answer that was lost is asked for again with the very same
/// bytes: the operator says that it was taken, or it was not and is taken now.
/// </remarks>
internal sealed class Sending(HistoryBook book, AccountLink link)
{
    public async Task<SendResult> RunAsync(CancellationToken cancellationToken)
    {
        bool onlyTombstones = false;
        while (await PrepareAsync(onlyTombstones, cancellationToken).ConfigureAwait(false) is { } batch)
        {
            switch (await link.PushAsync(batch, cancellationToken).ConfigureAwait(false))
            {
                case PushOutcome.Taken taken when taken.Sequence == batch.Head.Head.Sequence:
                    await TakenAsync(batch.Head, cancellationToken).ConfigureAwait(false);
                    break;
                case PushOutcome.Taken:
                    throw new OperatorUnreachableException("The operator's answer is another batch's.");
                case PushOutcome.Stale:
                    return SendResult.Stale;
                case PushOutcome.Refused { Code: "quota" }:
                    await DissolveAsync(book, cancellationToken).ConfigureAwait(false);
                    if (onlyTombstones)
                    {
                        return SendResult.Quota;
                    }
                    onlyTombstones = true;
                    break;
                case PushOutcome.Refused { Code: "signature" }:
                    // Signed under an epoch that has ended: it is made again, under the newest.
                    bool isOld = batch.Head.Head.Epoch < book.Keys.Epoch;
                    await DissolveAsync(book, cancellationToken).ConfigureAwait(false);
                    if (!isOld)
                    {
                        return SendResult.Signature;
                    }
                    break;
                default:
                    await DissolveAsync(book, cancellationToken).ConfigureAwait(false);
                    return SendResult.Refused;
            }
        }
        return onlyTombstones ? SendResult.Quota : SendResult.Done;
    }

    /// <summary>What was sent becomes unsent again: nothing of it is lost, whatever became of it. If it was taken after all, it comes back and is recognised (<see cref="Promotion"/>).</summary>
    public static Task DissolveAsync(HistoryBook book, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
    {
        if (batch.State.Sent is null)
        {
            return false;
        }
        var sent = await RowsAsync(book, batch.State.InFlight.Keys, StoreKeys.InFlight, cancellationToken).ConfigureAwait(false);
        var later = await RowsAsync(book, batch.State.InFlight.Keys.Where(batch.State.Unsent.ContainsKey), StoreKeys.Unsent, cancellationToken).ConfigureAwait(false);
        var versions = sent.ToDictionary(held => held.Item, held => held.Version);
        foreach (var held in await ResealAsync(book, [.. later.Select(held => held with { Version = versions[held.Item] })], later, cancellationToken).ConfigureAwait(false))
        {
            batch.PutUnsent(held);
        }
        foreach (var held in sent)
        {
            if (!batch.State.Unsent.ContainsKey(held.Item))
            {
                batch.PutUnsent(held);
            }
            batch.RemoveInFlight(held.Item);
        }
        batch.SetSent(null);
        return true;
    }, cancellationToken);

    // The batch that is under way, or the next one, written down. Null where there is nothing to send.
    private Task<ChangeBatch?> PrepareAsync(bool onlyTombstones, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
    {
        if (batch.State.Sent is { } sent)
        {
            var rows = await RowsAsync(book, batch.State.InFlight.Keys, StoreKeys.InFlight, cancellationToken).ConfigureAwait(false);
            return new ChangeBatch(sent, [.. rows.Select(held => held.ToChange())]);
        }
        if (batch.State.Promoting is not null || batch.State.Fault is not HeadFault.None)
        {
            return null;
        }
        book.DemandKeys(batch.State); // or this head would go back to an epoch that has ended
        Identity[] chosen = [.. Choose(batch.State, onlyTombstones)];
        if (chosen.Length == 0)
        {
            return null;
        }
        var unsent = await RowsAsync(book, chosen, StoreKeys.Unsent, cancellationToken).ConfigureAwait(false);
        var ready = await ResealAsync(book, unsent, unsent, cancellationToken).ConfigureAwait(false);
        var tree = await Promotion.TreeWithAsync(book, ready.Select(held => TreeLeaf.Of(held.ToChange())), cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("A part of the tree has as many items as it can.");
        var before = batch.State.Accepted;
        var head = new Head(book.Keys.Account, book.Keys.Epoch, 1 + (before?.Head.Sequence ?? 0), before?.Hash() ?? new byte[32], tree.Root, tree.Leaves, book.Device);
        var signed = await book.Keys.SignAsync(head, cancellationToken).ConfigureAwait(false);
        foreach (var held in ready)
        {
            batch.RemoveUnsent(held.Item);
            batch.PutInFlight(held);
        }
        batch.SetSent(signed);
        return new ChangeBatch(signed, [.. ready.Select(held => held.ToChange())]);
    }, cancellationToken);

    // As many as fit: sealed again, a thing is as long as before.
    private static IEnumerable<Identity> Choose(BookState state, bool onlyTombstones)
    {
        int room = ChangeBatch.MaxSize - 1024;
        foreach (var (item, outgoing) in state.Unsent.Where(pair => !onlyTombstones || pair.Value.IsTombstone).Take(ChangeBatch.MaxChanges))
        {
            room -= SealedChange.HeaderSize + outgoing.Length;
            if (room < 0)
            {
                yield break;
            }
            yield return item;
        }
    }

    private Task<bool> TakenAsync(SignedHead head, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
    {
        if (!BookState.IsSame(batch.State.Sent, head))
        {
            return false; // another program was told the same
        }
        await Promotion.TakeSentAsync(book, batch, await RowsAsync(book, batch.State.InFlight.Keys, StoreKeys.InFlight, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        batch.SetAccepted(head);
        batch.SetSent(null);
        return true;
    }, cancellationToken);

    private static async ValueTask<List<HeldItem>> RowsAsync(HistoryBook book, IEnumerable<Identity> items, Func<Identity, byte[]> key, CancellationToken cancellationToken)
    {
        Identity[] named = [.. items];
        byte[]?[] rows = await book.Store.GetAllAsync(StoreTable.Outbox, [.. named.Select(item => (ReadOnlyMemory<byte>)key(item))], cancellationToken).ConfigureAwait(false);
        return [.. named.Zip(rows, (item, row) => HeldItem.OfOutboxRow(item, row ?? throw new RowMissingException()))];
    }

    // With the version that it is to have, under the newest epoch: opened and sealed again only where it is not.
    private static async ValueTask<List<HeldItem>> ResealAsync(HistoryBook book, List<HeldItem> wanted, List<HeldItem> there, CancellationToken cancellationToken)
    {
        List<int> old = [.. Enumerable.Range(0, there.Count).Where(at => !there[at].IsTombstone && (there[at].Version != wanted[at].Version || there[at].Epoch != book.Keys.Epoch))];
        var opened = await book.OpenAllAsync([.. old.Select(at => there[at].ToChange())], cancellationToken).ConfigureAwait(false);
        var changes = await book.Keys.SealAsync([.. old.Select((at, number) => new PlainItem(wanted[at].Item, wanted[at].Version, opened[number].Content))], cancellationToken).ConfigureAwait(false);
        List<HeldItem> ready = [.. wanted];
        foreach (var (at, change) in old.Zip(changes))
        {
            ready[at] = wanted[at] with { Sealed = change.Sealed };
        }
        return ready;
    }
}
