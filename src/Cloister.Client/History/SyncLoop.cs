using Cloister.Vault.Heads;

namespace Cloister.Client.History;

/// <summary>Syncs in the background: after each change here, whenever the feed tells of one elsewhere, after a while where it failed, and when asked to.</summary>
internal sealed class SyncLoop : IAsyncDisposable
{
    // How often it is looked whether another program wrote to the store.
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(2);

    private readonly HistoryBook _book;
    private readonly AccountLink? _link;
    private readonly SyncAttempt? _attempt;
    private readonly Func<CancellationToken, Task> _keepUp;
    private readonly CancellationTokenSource _end = new();
    private readonly Backoff _backoff = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource _wake = NewSource();                   // _gate
    private List<TaskCompletionSource> _askers = [];                    // _gate
    private bool _hasNews = true;                                       // _gate: something may be newer at the operator
    private bool _hasEdits;                                             // _gate
    private Task _listening = Task.CompletedTask;                       // the loop's own
    private CancellationTokenSource? _ears;                             // the loop's own
    private Task _running = Task.CompletedTask;
    private volatile SyncStatus _status;

    public SyncLoop(HistoryBook book, AccountLink? link, Func<CancellationToken, Task> keepUp)
    {
        (_book, _link, _keepUp) = (book, link, keepUp);
        _attempt = link is null ? null : new(book, link);
        _status = SyncSentences.Of(book.State.Fault is HeadFault.None ? new(SyncState.Offline, SyncWait.None, HeadFault.None) : new(SyncState.Refused, SyncWait.None, book.State.Fault), book.State.UnsentCount, link is null);
    }

    /// <summary>As it is now.</summary>
    public SyncStatus Status => _status with { Unsent = _book.State.UnsentCount };

    public event Action? Changed;

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Something was changed here.</summary>
    public void Edited()
    {
        lock (_gate)
        {
            _hasEdits = true;
            _wake.TrySetResult();
        }
    }

    /// <summary>Ends when an attempt did that began after this call.</summary>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        if (_attempt is null)
        {
            return;
        }
        var asker = NewSource();
        lock (_gate)
        {
            if (_end.IsCancellationRequested)
            {
                return;
            }
            _askers.Add(asker);
            _wake.TrySetResult();
        }
        await asker.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        await StopListeningAsync().ConfigureAwait(false);
        lock (_gate)
        {
            _askers.ForEach(asker => asker.TrySetResult());
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var result = await AttemptAsync().ConfigureAwait(false);
                await GoOnAsync(() => _keepUp(_end.Token)).ConfigureAwait(false); // what is derived can wait
                await RestAsync(result).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // whatever it is that ends with the loop, nobody waits for it
        catch when (_end.IsCancellationRequested)
#pragma warning restore CA1031
        {
            // Disposed.
        }
    }

    private async Task<AttemptResult> AttemptAsync()
    {
        List<TaskCompletionSource> askers;
        bool fetch;
        lock (_gate)
        {
            (askers, _askers) = (_askers, []);
            (fetch, _hasNews, _hasEdits) = (_hasNews || askers.Count > 0, false, false);
            _wake = NewSource();
        }
        if (_attempt is null)
        {
            return new(SyncState.Offline, SyncWait.None, HeadFault.None);
        }
        try
        {
            return await AttemptAsync(fetch, askers.Count > 0).ConfigureAwait(false);
        }
        finally
        {
            askers.ForEach(asker => asker.TrySetResult());
        }
    }

    private async Task<AttemptResult> AttemptAsync(bool fetch, bool isAsked)
    {
        Show(new(SyncState.Syncing, SyncWait.None, HeadFault.None));
        var result = new AttemptResult(SyncState.Offline, SyncWait.None, _book.State.Fault);
        await GoOnAsync(async () => result = await _attempt!.RunAsync(fetch, isAsked, _end.Token).ConfigureAwait(false)).ConfigureAwait(false);
        if (result.State is SyncState.Synced)
        {
            _backoff.Reset();
            Listen();
        }
        else
        {
            lock (_gate)
            {
                _hasNews = true;
            }
            await StopListeningAsync().ConfigureAwait(false);
        }
        Show(result);
        return result;
    }

    // Whatever goes wrong, the device goes on alone and tries again: the link is somebody else's code, and the store may be damaged. The next attempt, or whoever edits, says so.
    private async Task GoOnAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
#pragma warning disable CA1031
        catch when (!_end.IsCancellationRequested)
#pragma warning restore CA1031
        {
            // What it was to do is done later, or said by what comes next.
        }
    }

    // Where an attempt failed, changes do not make it try again sooner: only time and people do. Time that passes, not the clock: somebody may set that back by years.
    private async Task RestAsync(AttemptResult result)
    {
        long began = _book.Time.GetTimestamp();
        TimeSpan? patience = result.Retries && _attempt is not null ? _backoff.Next() : null;
        while (true)
        {
            var left = patience - _book.Time.GetElapsedTime(began);
            Task wake;
            lock (_gate)
            {
                if (_askers.Count > 0 || (result.State is SyncState.Synced && (_hasNews || _hasEdits)) || left <= TimeSpan.Zero || _attempt?.IsForgiven(result) is true)
                {
                    return;
                }
                if (_wake.Task.IsCompleted)
                {
                    _wake = NewSource();
                }
                wake = _wake.Task;
            }
            var pause = left < Glance ? left.Value : Glance;
            await Task.WhenAny(wake, Task.Delay(pause, _book.Time, _end.Token)).ConfigureAwait(false);
            _end.Token.ThrowIfCancellationRequested();
            await GoOnAsync(() => GlanceAsync(result)).ConfigureAwait(false);
        }
    }

    // What another program on this store wrote is shown here too, and what it could not send is sent from here.
    private async Task GlanceAsync(AttemptResult result)
    {
        int unsent = await _book.ReadAsync(() => ValueTask.FromResult(_book.State.UnsentCount), _end.Token).ConfigureAwait(false);
        if (result.State is SyncState.Synced && unsent > 0)
        {
            Edited();
        }
    }

    private void Listen()
    {
        if (_listening.IsCompleted)
        {
            _ears?.Dispose();
            _ears = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            _listening = ListenAsync(_ears.Token);
        }
    }

    private async Task StopListeningAsync()
    {
        if (_ears is { } ears)
        {
            await ears.CancelAsync().ConfigureAwait(false);
            await _listening.ConfigureAwait(false);
            ears.Dispose();
            _ears = null;
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var pause = new Backoff();
        try
        {
            while (true)
            {
                try
                {
                    await foreach (ulong sequence in _link!.ListenAsync(cancellationToken).ConfigureAwait(false))
                    {
                        pause.Reset();
                        Heard(sequence);
                    }
                }
#pragma warning disable CA1031
                catch (Exception fault) when (fault is not AccountEndedException && !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    Hear(); // an attempt finds out whether it is there
                }
                await Task.Delay(pause.Next(), _book.Time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (AccountEndedException)
        {
            Hear();
        }
#pragma warning disable CA1031
        catch when (cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            // Not needed any more.
        }
    }

    // A sequence is a hint: only what is fetched is judged. One that is smaller than the accepted is looked into as well.
    private void Heard(ulong sequence)
    {
        if (sequence != _book.State.Accepted?.Head.Sequence)
        {
            Hear();
        }
    }

    private void Hear()
    {
        lock (_gate)
        {
            _hasNews = true;
            _wake.TrySetResult();
        }
    }

    private void Show(AttemptResult result)
    {
        var before = _status;
        _status = SyncSentences.Of(result, _book.State.UnsentCount, _link is null);
        if (before != _status)
        {
            Changed?.Invoke();
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
