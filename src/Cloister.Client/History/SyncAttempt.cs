using Cloister.Vault.Heads;

namespace Cloister.Client.History;

/// <summary>What came of an attempt to sync.</summary>
/// <param name="State">How it stands now.</param>
/// <param name="Wait">What is waited for.</param>
/// <param name="Fault">Why what was shown is refused.</param>
internal readonly record struct AttemptResult(SyncState State, SyncWait Wait, HeadFault Fault)
{
    /// <summary>Whether to try again without being asked, after a while.</summary>
    public bool Retries => State is SyncState.Offline || Wait is SyncWait.NewKeys or SyncWait.Quota or SyncWait.Store or SyncWait.OperatorRefuses or SyncWait.Overtaken;
}

/// <summary>One attempt to have everything fetched and sent.</summary>
internal sealed class SyncAttempt(HistoryBook book, AccountLink link)
{
    // A device that others always outrun gives the others time.
    private const int MaxRounds = 20;

    // Nor does a program go on without end after others on its store: each time, one of them got further.
    private const int MaxOvertaken = 5;

    private readonly Fetching _fetching = new(book, link);
    private readonly Sending _sending = new(book, link);
    private bool _epochsAreKnown;

    /// <summary>What the last attempt ended by, for whoever looks for a reason.</summary>
    public Exception? Failure { get; private set; }

    /// <param name="fetch">False where nothing is known to be newer: what is unsent is sent at once.</param>
    /// <param name="isAsked">Whether a person wants it tried again after a refusal.</param>
    public async Task<AttemptResult> RunAsync(bool fetch, bool isAsked, CancellationToken cancellationToken)
    {
        try
        {
            var result = await GoOnAsync(fetch, isAsked, cancellationToken).ConfigureAwait(false);
            _epochsAreKnown &= result.State is SyncState.Synced;
            return result;
        }
        catch (Exception fault) when (fault is IOException or AccountEndedException || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            (_epochsAreKnown, Failure) = (false, fault);
            return fault switch
            {
                AccountEndedException                         => new(SyncState.Waiting, SyncWait.AccountEnded, book.State.Fault),
                StoreFailedException or StoreConflictException => new(SyncState.Waiting, SyncWait.Store, book.State.Fault),
                _                                             => new(SyncState.Offline, SyncWait.None, book.State.Fault),
            };
        }
    }

    /// <summary>Whether what was refused here is remembered no more: another program on the store was asked to try again, and was shown what is in order.</summary>
    public bool IsForgiven(AttemptResult result) => result.State is SyncState.Refused && book.State.Fault is HeadFault.None && KeysFault() is not { State: SyncState.Refused };

    // What another program on the store did meanwhile is nothing to wait for: it is read, and gone on from.
    private async Task<AttemptResult> GoOnAsync(bool fetch, bool isAsked, CancellationToken cancellationToken)
    {
        for (int overtaken = 0; overtaken < MaxOvertaken; overtaken++)
        {
            try
            {
                return await TryAsync(fetch, isAsked, cancellationToken).ConfigureAwait(false);
            }
            catch (OvertakenException fault)
            {
                (_epochsAreKnown, Failure, fetch) = (false, fault, true);
            }
        }
        return Waiting(SyncWait.Overtaken);
    }

    private async Task<AttemptResult> TryAsync(bool fetch, bool isAsked, CancellationToken cancellationToken)
    {
        await book.ReadAsync(() => ValueTask.FromResult(true), cancellationToken).ConfigureAwait(false); // what another program on the store knows
        if (book.State.Fault is not HeadFault.None && !isAsked)
        {
            return Refused(book.State.Fault);
        }
        if (KeysFault() is { } keys)
        {
            return keys;
        }
        fetch |= book.State.Fault is not HeadFault.None;
        var (isStale, stale) = (false, book.State.Accepted);
        for (int round = 0; round < MaxRounds; round++)
        {
            if (fetch)
            {
                var fetched = await FetchAsync(cancellationToken).ConfigureAwait(false);
                if (!fetched.IsDone)
                {
                    return fetched.Fault is HeadFault.None ? Waiting(fetched.Wait) : await RefuseAsync(fetched.Fault, cancellationToken).ConfigureAwait(false);
                }
                await ForgiveAsync(cancellationToken).ConfigureAwait(false);
            }
            if (isStale && BookState.IsSame(stale, book.State.Accepted))
            {
                return Waiting(SyncWait.OperatorRefuses); // "stale", and then nothing newer
            }
            var sent = await _sending.RunAsync(cancellationToken).ConfigureAwait(false);
            if (sent is SendResult.Done)
            {
                return new(SyncState.Synced, SyncWait.None, HeadFault.None);
            }
            if (sent is SendResult.Quota)
            {
                return Waiting(SyncWait.Quota);
            }
            if (sent is SendResult.Signature)
            {
                _epochsAreKnown = false;
                var epochs = await _fetching.CheckEpochsAsync(cancellationToken).ConfigureAwait(false);
                return epochs.Fault is not HeadFault.None ? await RefuseAsync(epochs.Fault, cancellationToken).ConfigureAwait(false)
                    : Waiting(epochs.Wait is SyncWait.None ? SyncWait.OperatorRefuses : epochs.Wait);
            }
            if (sent is SendResult.Refused)
            {
                return Waiting(SyncWait.OperatorRefuses);
            }
            (isStale, stale) = (true, book.State.Accepted);
            fetch = true;
        }
        return Waiting(SyncWait.OperatorRefuses);
    }

    private async Task<FetchResult> FetchAsync(CancellationToken cancellationToken)
    {
        if (!_epochsAreKnown)
        {
            var epochs = await _fetching.CheckEpochsAsync(cancellationToken).ConfigureAwait(false);
            if (!epochs.IsDone)
            {
                return epochs;
            }
            _epochsAreKnown = true;
        }
        return await _fetching.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    // Keys of an epoch that has ended since, or that are not the ones that were accepted.
    private AttemptResult? KeysFault() => book.State.Epoch is not { } known ? null
        : known.Epoch > book.Keys.Epoch ? Waiting(SyncWait.NewKeys)
        : book.Keys.Epochs[(int)known.Epoch - 1].Bytes.Span.SequenceEqual(known.Bytes.Span) ? null
        : Refused(HeadFault.EpochsBroken);

    // Remembered, so that starting the program again is no way around it. What was staged is nothing.
    private async Task<AttemptResult> RefuseAsync(HeadFault fault, CancellationToken cancellationToken)
    {
        await book.WriteAsync(batch =>
        {
            batch.SetFault(fault);
            if (batch.State.Promoting is null)
            {
                batch.DeleteRange(StoreTable.Staged, [], []);
            }
            return ValueTask.FromResult(true);
        }, cancellationToken).ConfigureAwait(false);
        return Refused(fault);
    }

    private async Task ForgiveAsync(CancellationToken cancellationToken)
    {
        if (book.State.Fault is not HeadFault.None)
        {
            await book.WriteAsync(batch =>
            {
                batch.SetFault(HeadFault.None);
                return ValueTask.FromResult(true);
            }, cancellationToken).ConfigureAwait(false);
        }
    }

    private static AttemptResult Refused(HeadFault fault) => new(SyncState.Refused, SyncWait.None, fault);

    private static AttemptResult Waiting(SyncWait wait) => new(SyncState.Waiting, wait, HeadFault.None);
}
