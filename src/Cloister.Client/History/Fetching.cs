using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Heads;

namespace Cloister.Client.History;

/// <summary>What came of one attempt to fetch.</summary>
/// <param name="Fault">Why what was shown is refused.</param>
/// <param name="Wait">What has to happen first.</param>
internal readonly record struct FetchResult(HeadFault Fault, SyncWait Wait)
{
    public bool IsDone => Fault is HeadFault.None && Wait is SyncWait.None;
}

/// <summary>Takes what other devices changed: judged page by page, staged, and shown only once all of it is what their head says (docs/spec/vault.md, section 7).</summary>
internal sealed class Fetching(HistoryBook book, AccountLink link)
{
    // Staged items that are taken in one batch.
    private const int Many = 256;

    // Programs that stage at once on one store. What was begun before so many others is a dead program's.
    private const int MaxStages = 4;

    // What says that a stage is still there. A page is written only where it is.
    private static readonly byte[] Here = [1];

    private Identity? _stage;

    /// <summary>Finds out whether there are epochs that these keys do not know, and whether those that they know are still there.</summary>
    public async Task<FetchResult> CheckEpochsAsync(CancellationToken cancellationToken)
    {
        // What is learned while the operator answers is no measure of its answer.
        var (keys, known) = (book.Keys.Epochs, book.State.Epoch);
        var shown = await link.EpochsAsync(cancellationToken).ConfigureAwait(false);
        var fault = FeedJudgement.Epochs(keys, shown);
        if (fault is HeadFault.None && known is not null && !Has(shown, known))
        {
            fault = HeadFault.EpochsBroken;
        }
        if (fault is HeadFault.None)
        {
            await book.WriteAsync(batch =>
            {
                bool isNewer = batch.State.Epoch is not { } before || (shown[^1].Epoch > before.Epoch && Has(shown, before));
                if (isNewer)
                {
                    batch.SetEpoch(shown[^1]);
                }
                return ValueTask.FromResult(isNewer);
            }, cancellationToken).ConfigureAwait(false);
        }
        return new(fault, fault is HeadFault.None && shown[^1].Epoch > book.Keys.Epoch ? SyncWait.NewKeys : SyncWait.None);
    }

    /// <summary>Fetches up to the newest head. What is fetched when the connection ends is thrown away; what is verified is taken to the end, now or after a crash.</summary>
    /// <exception cref="OvertakenException">Another program on the same store was faster.</exception>
    public async Task<FetchResult> RunAsync(CancellationToken cancellationToken)
    {
        await PromoteAsync(cancellationToken).ConfigureAwait(false);
        var (keys, accepted) = (book.Keys, book.State.Accepted);
        var result = await RunAsync(accepted, cancellationToken).ConfigureAwait(false);
        // Judged against what another program replaced meanwhile, or is replacing, an honest page looks like a replay: such a judgement is none.
        return result.Fault is HeadFault.None || await book.ReadAsync(() => ValueTask.FromResult(IsStill()), cancellationToken).ConfigureAwait(false)
            ? result : throw new OvertakenException();

        bool IsStill() => book.State.Promoting is null && BookState.IsSame(book.State.Accepted, accepted) && ReferenceEquals(book.Keys, keys);
    }

    private async Task<FetchResult> RunAsync(SignedHead? accepted, CancellationToken cancellationToken)
    {
        var judgement = FeedJudgement.Begin(book.Keys.Epochs, accepted);
        var shown = new Dictionary<Identity, TreeLeaf>();
        Identity? stage = null;
        while (true)
        {
            var page = await link.FetchAsync(judgement.Position, cancellationToken).ConfigureAwait(false);
            if (page is null)
            {
                return new(judgement.Newest is null ? HeadFault.None : HeadFault.RolledBack, SyncWait.None);
            }
            if (judgement.NeedsEpochs(page))
            {
                var epochs = await CheckEpochsAsync(cancellationToken).ConfigureAwait(false);
                return epochs.IsDone ? new(HeadFault.BadSignature, SyncWait.None) : epochs;
            }
            if (judgement.Read(page, out var fault) is not { } next || (fault = await JudgeAsync(page, shown, cancellationToken).ConfigureAwait(false)) is not HeadFault.None)
            {
                return new(fault, SyncWait.None);
            }
            judgement = next;
            // Tombstones are anybody's to invent, and nothing but the last head tells. A signed head bounds what is kept until then: what it counts is never taken away again.
            if ((ulong)shown.Count > judgement.Newest!.Head.Leaves)
            {
                return new(HeadFault.Altered, SyncWait.None);
            }
            if (!judgement.IsComplete || stage is not null)
            {
                stage = await StageAsync(stage, page, cancellationToken).ConfigureAwait(false);
            }
            if (judgement.IsComplete)
            {
                fault = await TakeAsync(accepted, judgement.Newest!, shown, page, stage, cancellationToken).ConfigureAwait(false);
                return new(fault, SyncWait.None);
            }
        }
    }

    /// <summary>Ends what a crash interrupted: the staged changes of a head that was verified become items, a batch at a time, each item once.</summary>
    public async Task PromoteAsync(CancellationToken cancellationToken)
    {
        while (await book.WriteAsync(async batch =>
        {
            if (batch.State.Promoting is not { } head)
            {
                return false;
            }
            var rows = await book.Store.ReadRangeAsync(StoreTable.Staged, default, default, Many, cancellationToken).ConfigureAwait(false);
            if (rows.Count > 0)
            {
                await Promotion.ApplyAsync(book, batch, [.. rows.Select(Staged)], cancellationToken).ConfigureAwait(false);
                batch.DeleteRange(StoreTable.Staged, [], StoreKeys.Next(rows[^1].Key));
                return true;
            }
            if (FeedJudgement.Tree(head.Head, batch.State.Tree) is not HeadFault.None)
            {
                throw new StoreFailedException("This device's store is damaged: verified changes are missing.");
            }
            batch.SetAccepted(head);
            batch.SetPromoting(null);
            return false;
        }, cancellationToken).ConfigureAwait(false))
        {
        }
    }

    // Against what is held and against each other. What is held already is not counted again.
    private async Task<HeadFault> JudgeAsync(ChangePage page, Dictionary<Identity, TreeLeaf> shown, CancellationToken cancellationToken)
    {
        var subtrees = await book.SubtreesAsync(page.Changes.Select(change => change.Item), cancellationToken).ConfigureAwait(false);
        var fault = FeedJudgement.Changes(page.Changes, item => shown.TryGetValue(item, out var leaf) ? leaf : subtrees[ItemTree.PrefixOf(item)].Find(item));
        if (fault is HeadFault.None)
        {
            fault = FeedJudgement.Opened(await book.Keys.OpenAsync(page.Changes, cancellationToken).ConfigureAwait(false));
        }
        foreach (var change in page.Changes)
        {
            shown[change.Item] = TreeLeaf.Of(change);
        }
        return fault;
    }

    // Each fetch has rows of its own, so that programs on one store do not take away each other's: the first that comes to its end is taken.
    private async Task<Identity> StageAsync(Identity? begun, ChangePage page, CancellationToken cancellationToken)
    {
        List<StoreWrite> writes = [book.IsOurs];
        if (begun is not { } stage)
        {
            var others = await StagesAsync(cancellationToken).ConfigureAwait(false);
            stage = After(others);
            // While another program promotes, all rows are its own.
            writes.Add(StoreWrite.Expect(StoreTable.Meta, StoreKeys.Promoting, null));
            writes.AddRange(others.Where((other, at) => other == _stage || at <= others.Count - MaxStages)
                .Select(gone => StoreWrite.DeleteRange(StoreTable.Staged, StoreKeys.Stage(gone), StoreKeys.After(gone))));
            writes.Add(StoreWrite.Put(StoreTable.Staged, StoreKeys.Stage(stage), Here));
            _stage = stage;
        }
        else
        {
            writes.Add(StoreWrite.Expect(StoreTable.Staged, StoreKeys.Stage(stage), Here));
        }
        writes.AddRange(page.Changes.Select(change => StoreWrite.Put(StoreTable.Staged, StoreKeys.Staged(stage, change.Item), [.. StoreKeys.Number(change.Version), .. change.Sealed.Span])));
        try
        {
            await book.Store.WriteAsync(writes, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreConflictException)
        {
            throw new OvertakenException();
        }
        return stage;
    }

    // In the order in which they were begun.
    private async Task<List<Identity>> StagesAsync(CancellationToken cancellationToken)
    {
        var stages = new List<Identity>();
        for (byte[] from = []; await book.Store.ReadRangeAsync(StoreTable.Staged, from, default, 1, cancellationToken).ConfigureAwait(false) is [var row]; from = StoreKeys.After(stages[^1]))
        {
            stages.Add(Identity.Read(row.Key.AsSpan(0, Identity.Size)));
        }
        return stages;
    }

    // A number, so that the next one comes after it, and enough at random that two programs do not make the same.
    private static Identity After(List<Identity> stages)
    {
        ulong last = stages.Count == 0 ? 0 : BinaryPrimitives.ReadUInt64BigEndian(stages[^1].ToArray());
        return Identity.Read([.. StoreKeys.Number(last + 1), .. RandomNumberGenerator.GetBytes(Identity.Size - sizeof(ulong))]);
    }

    // Verified against the head before anything of it is taken. The expectation that nothing was accepted since is part of the batch that takes it.
    private async Task<HeadFault> TakeAsync(SignedHead? accepted, SignedHead newest, Dictionary<Identity, TreeLeaf> shown, ChangePage page, Identity? stage, CancellationToken cancellationToken)
    {
        if (BookState.IsSame(accepted, newest) && shown.Count == 0)
        {
            return HeadFault.None;
        }
        var (fault, moved) = await book.ReadAsync(async () =>
        {
            var judged = await Promotion.TreeWithAsync(book, shown.Values, cancellationToken).ConfigureAwait(false) is { } tree ? FeedJudgement.Tree(newest.Head, tree) : HeadFault.Altered;
            return (judged, !BookState.IsSame(book.State.Accepted, accepted) || book.State.Promoting is not null);
        }, cancellationToken).ConfigureAwait(false);
        if (moved)
        {
            throw new OvertakenException();
        }
        if (fault is not HeadFault.None || BookState.IsSame(accepted, newest))
        {
            return fault;
        }
        // A newer head of the account's stands where the sent batch would: that batch was taken, and is among what came, or never will be.
        await Sending.DissolveAsync(book, cancellationToken).ConfigureAwait(false);
        await book.WriteAsync(async batch =>
        {
            bool isStaged = stage is not { } mine || await book.Store.GetAsync(StoreTable.Staged, StoreKeys.Stage(mine), cancellationToken).ConfigureAwait(false) is not null;
            if (!BookState.IsSame(batch.State.Accepted, accepted) || batch.State.Promoting is not null || batch.State.Sent is not null || !isStaged)
            {
                throw new OvertakenException();
            }
            // What other programs stage goes on from a head that is not the accepted one any more: it is nothing.
            if (stage is { } taken)
            {
                batch.Writes.Add(StoreWrite.Expect(StoreTable.Staged, StoreKeys.Stage(taken), Here));
                batch.DeleteRange(StoreTable.Staged, [], StoreKeys.Next(StoreKeys.Stage(taken)));
                batch.DeleteRange(StoreTable.Staged, StoreKeys.After(taken), []);
                batch.SetPromoting(newest);
            }
            else
            {
                await Promotion.ApplyAsync(book, batch, page.Changes, cancellationToken).ConfigureAwait(false);
                batch.DeleteRange(StoreTable.Staged, [], []);
                batch.SetAccepted(newest);
            }
            return true;
        }, cancellationToken).ConfigureAwait(false);
        await PromoteAsync(cancellationToken).ConfigureAwait(false);
        return HeadFault.None;
    }

    private static bool Has(ImmutableArray<EpochRecord> shown, EpochRecord known) => shown.Length >= known.Epoch && shown[(int)known.Epoch - 1].Bytes.Span.SequenceEqual(known.Bytes.Span);

    private static SealedChange Staged(StoreRow row) => new(Identity.Read(row.Key.AsSpan()[^Identity.Size..]), BinaryPrimitives.ReadUInt64BigEndian(row.Value), row.Value.AsMemory(sizeof(ulong)));
}

/// <summary>Another program on the same store was faster, or has newer keys: what was fetched or made here is thrown away, and begun anew.</summary>
internal sealed class OvertakenException : Exception;
