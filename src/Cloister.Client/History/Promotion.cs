using Cloister.Ledger;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Client.History;

/// <summary>Takes verified changes of the operator's into the items, and makes what is unsent of the same items again on top of them (docs/spec/vault.md, section 9).</summary>
internal static class Promotion
{
    /// <summary>Adds it to a batch. Nothing may be in flight: what was sent is dissolved first.</summary>
    /// <remarks>
    /// An item's own change is recognised where it comes back, whether its batch was ours or not: merged with itself it changes nothing, and leaves the outbox. So no change is
    /// lost and none is there twice, whatever became of the answer to its batch.
    /// </remarks>
    public static async ValueTask ApplyAsync(HistoryBook book, WriteBatch batch, IReadOnlyList<SealedChange> changes, CancellationToken cancellationToken)
    {
        book.DemandKeys(batch.State);
        var subtrees = await book.SubtreesAsync(changes.Select(change => change.Item), cancellationToken).ConfigureAwait(false);
        List<SealedChange> fresh = [.. changes.Where(change => IsFresh(subtrees, change))];
        byte[]?[] places = await book.Store.GetAllAsync(StoreTable.Leaves, [.. fresh.Select(change => (ReadOnlyMemory<byte>)StoreKeys.Place(change.Item))], cancellationToken).ConfigureAwait(false);
        var opened = await book.OpenAllAsync(fresh, cancellationToken).ConfigureAwait(false);
        var remade = new List<(PlainItem Plain, OpenedContent Content)>();
        for (int i = 0; i < fresh.Count; i++)
        {
            var theirs = OpenedContent.Read(book.Keys, fresh[i], opened[i]);
            Identity? before = places[i] is { } place ? Identity.Read(place) : null;
            batch.PutItem(new(theirs.Place, fresh[i].Item, fresh[i].Version, fresh[i].Sealed), before);
            bool lived = batch.State.Unsent.TryGetValue(fresh[i].Item, out var mine) ? !mine.IsTombstone : before is not null;
            var shown = mine.Version == 0 ? theirs : await MergeAsync(book, batch, fresh[i], theirs, remade, cancellationToken).ConfigureAwait(false);
            TouchOf(batch, fresh[i].Item, before ?? mine.Place, lived, shown);
        }
        await ResealAsync(book, batch, remade, cancellationToken).ConfigureAwait(false);
        PutLeaves(batch, subtrees, fresh);
    }

    /// <summary>Takes what is in flight as taken. The view does not change.</summary>
    public static async ValueTask TakeSentAsync(HistoryBook book, WriteBatch batch, IReadOnlyList<HeldItem> sent, CancellationToken cancellationToken)
    {
        var subtrees = await book.SubtreesAsync(sent.Select(held => held.Item), cancellationToken).ConfigureAwait(false);
        byte[]?[] places = await book.Store.GetAllAsync(StoreTable.Leaves, [.. sent.Select(held => (ReadOnlyMemory<byte>)StoreKeys.Place(held.Item))], cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < sent.Count; i++)
        {
            batch.PutItem(sent[i], places[i] is { } place ? Identity.Read(place) : null);
            batch.RemoveInFlight(sent[i].Item);
        }
        PutLeaves(batch, subtrees, [.. sent.Select(held => held.ToChange())]);
    }

    /// <summary>The tree as it would be with changes. Null where it cannot have them: identities are drawn at random, so of honest ones no part of it gets more than it can have, and of invented ones it may.</summary>
    public static async ValueTask<ItemTree?> TreeWithAsync(HistoryBook book, IEnumerable<TreeLeaf> leaves, CancellationToken cancellationToken)
    {
        var byPrefix = leaves.ToLookup(leaf => ItemTree.PrefixOf(leaf.Item));
        var subtrees = await book.SubtreesAsync(byPrefix.Select(group => group.First().Item), cancellationToken).ConfigureAwait(false);
        return subtrees.Values.All(subtree => subtree.Leaves.Length + byPrefix[subtree.Prefix].Count(leaf => subtree.Find(leaf.Item) is null) <= Subtree.MaxLeaves)
            ? book.State.Tree.With([.. subtrees.Values.Select(subtree => subtree.With(byPrefix[subtree.Prefix]))])
            : null;
    }

    private static bool IsFresh(Dictionary<int, Subtree> subtrees, SealedChange change) =>
        subtrees[ItemTree.PrefixOf(change.Item)].Find(change.Item) is not { } held || held.Version < change.Version;

    private static void PutLeaves(WriteBatch batch, Dictionary<int, Subtree> subtrees, IReadOnlyList<SealedChange> changes) =>
        batch.PutTree([.. changes.Select(TreeLeaf.Of).GroupBy(leaf => ItemTree.PrefixOf(leaf.Item)).Select(group => subtrees[group.Key].With(group))]);

    // What is shown afterwards. What cannot be understood stands: a newer program of the user's wrote it, and it would be destroyed by what this one makes of it.
    private static async ValueTask<OpenedContent> MergeAsync(
        HistoryBook book, WriteBatch batch, SealedChange change, OpenedContent theirs, List<(PlainItem, OpenedContent)> remade, CancellationToken cancellationToken)
    {
        var held = await book.OutgoingAsync(change.Item, cancellationToken).ConfigureAwait(false) ?? throw new RowMissingException();
        var mine = held.IsTombstone ? new OpenedContent(held.Place, null, true) : (await book.OpenAsync([held], cancellationToken).ConfigureAwait(false))[0];
        bool understood = (theirs.Content is not null || theirs.IsTombstone) && (mine.Content is not null || mine.IsTombstone);
        var merged = understood ? ItemContent.Merge(theirs.Content, mine.Content) : theirs.Content;
        byte[] bytes = merged?.ToBytes() ?? [];
        if (!understood || bytes.Length > ItemContent.MaxWritten || bytes.AsSpan().SequenceEqual(theirs.Content?.ToBytes() ?? []))
        {
            batch.RemoveUnsent(change.Item);
            return theirs;
        }
        var place = merged is null ? held.Place : theirs.Content is null ? mine.Place : theirs.Place;
        var shown = new OpenedContent(place, merged, merged is null);
        if (merged is null)
        {
            batch.PutUnsent(new(place, change.Item, change.Version + 1, default));
        }
        else
        {
            remade.Add((new(change.Item, change.Version + 1, bytes), shown));
        }
        return shown;
    }

    private static async ValueTask ResealAsync(HistoryBook book, WriteBatch batch, List<(PlainItem Plain, OpenedContent Content)> remade, CancellationToken cancellationToken)
    {
        var changes = await book.Keys.SealAsync([.. remade.Select(one => one.Plain)], cancellationToken).ConfigureAwait(false);
        foreach (var (change, one) in changes.Zip(remade))
        {
            batch.PutUnsent(new(one.Content.Place, change.Item, change.Version, change.Sealed));
        }
    }

    private static void TouchOf(WriteBatch batch, Identity item, Identity before, bool lived, OpenedContent shown)
    {
        bool lives = !shown.IsTombstone;
        if (lived || lives)
        {
            // A message that is another now may not be the newest any more: its conversation is counted anew, as if it had gone.
            var kind = !lives || (lived && shown.Content is Message) ? TouchKind.Gone : lived ? TouchKind.Changed : TouchKind.Appeared;
            batch.Touches.Add(new(lives ? shown.Place : before, item, kind, shown.Content));
        }
    }
}
