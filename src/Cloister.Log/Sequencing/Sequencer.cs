using System.Collections.Immutable;
using System.Data.Common;
using System.Threading.Channels;
using Cloister.Log.Storage;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>What the sequencer was told to keep to. Sizes are of what waits for its receipt.</summary>
internal sealed record SequencerLimits
{
    public required int MaxEntries { get; init; }

    public required long MaxBytes { get; init; }

    /// <summary>How long an entry waits for its receipt before its publisher is asked to come back.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>The least time between two checkpoints: what comes meanwhile shares one.</summary>
    public required TimeSpan Pace { get; init; }

    /// <summary>How often witnesses are asked for fresh cosignatures where nothing is added.</summary>
    public required TimeSpan Refresh { get; init; }

    /// <summary>How long to wait after a fault, or after a round that brought too few cosignatures.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>Takes entries from everybody and gives them, one batch after the other, to the one writer; answers each when the witnesses have cosigned.</summary>
internal sealed partial class Sequencer(Func<CancellationToken, Task<OpenLog>> open, WitnessCircle witnesses, LogPolicy policy, SequencerLimits limits, TimeProvider time, ILogger logger)
{
    private const int MaxBatch = 4096;

    private readonly Channel<Submission> _arrivals = Channel.CreateUnbounded<Submission>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<Submission> _waiting = []; // they have an index and no published checkpoint yet; owned by the loop
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _entries; // admitted and not answered
    private long _bytes;
    private volatile PublishedTree? _published;

    /// <summary>Ends when the log is open for the first time. Fails where it must not be opened.</summary>
    public Task Started => _started.Task;

    /// <summary>What is published, once there is anything.</summary>
    public PublishedTree? Published => _published;

    /// <summary>Adds an entry, or finds it, and gives the receipt. Safe to call from any thread; after any refusal the same entry may come again.</summary>
    public async Task<AddOutcome> AddAsync(byte[] entry, CancellationToken cancellation)
    {
        if (!TryAdmit(entry.Length))
        {
            return new(AddRefusal.Full, null);
        }
        var submission = new Submission(entry);
        if (!_arrivals.Writer.TryWrite(submission))
        {
            Release(submission.Entry.Length);
            return new(AddRefusal.Stopping, null);
        }

        try
        {
            var (refusal, index, tree) = await submission.Answer.WaitAsync(limits.Patience, time, cancellation);
            return new(refusal, tree is null ? null : await tree.ProveAsync(index, cancellation));
        }
        catch (TimeoutException)
        {
            return new(AddRefusal.NotWitnessed, null);
        }
    }

    /// <summary>Works until it is cancelled. What passes is waited out; what does not ends it with a <see cref="LogStoppedException"/>.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                try
                {
                    await using var log = await open(cancellation);
                    await ServeAsync(log.Writer, log.Recent, log.Store, cancellation);
                }
                catch (Exception fault) when (fault is IOException or DbException or HttpRequestException or UnauthorizedAccessException or TimeoutException)
                {
                    // Whether the step was done nobody knows: the next writer reads what is durable.
                    LogPassing(fault.Message);
                    RefuseAll(AddRefusal.StorageFault);
                    await Task.Delay(limits.Retry, time, cancellation);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Stopped.
        }
        catch (LogStoppedException stopped)
        {
            LogStopped(stopped.Fault, stopped.Message);
            _started.TrySetException(stopped);
            throw;
        }
        catch (Exception unforeseen)
        {
            _started.TrySetException(unforeseen);
            throw;
        }
        finally
        {
            _arrivals.Writer.TryComplete();
            RefuseAll(AddRefusal.Stopping);
            _started.TrySetCanceled(CancellationToken.None);
        }
    }

    private async Task ServeAsync(LogWriter writer, RecentEntries recent, ITileStore store, CancellationToken cancellation)
    {
        var (began, renewed) = (time.GetUtcNow(), DateTimeOffset.MinValue);
        while (true)
        {
            // Repeated entries alone bother no witness: anybody may repeat what is public.
            bool due = renewed == DateTimeOffset.MinValue || writer.Size > _published?.Size || time.GetUtcNow() - renewed >= limits.Refresh;
            if (due)
            {
                renewed = await TryPublishAsync(writer, store, cancellation) ? time.GetUtcNow() : DateTimeOffset.MinValue;
            }
            var now = time.GetUtcNow();
            await PauseAsync(began + limits.Pace - now, renewed == DateTimeOffset.MinValue ? limits.Retry : renewed + limits.Refresh - now, cancellation);
            began = time.GetUtcNow();
            await TakeAsync(writer, recent, cancellation);
        }
    }

    // Until something came; or until cosignatures are to be renewed or asked for again.
    private async Task PauseAsync(TimeSpan pace, TimeSpan atMost, CancellationToken cancellation)
    {
        if (pace > TimeSpan.Zero)
        {
            await Task.Delay(pace, time, cancellation);
        }
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var came = _arrivals.Reader.WaitToReadAsync(enough.Token).AsTask();
        if (!came.IsCompleted)
        {
            await Task.WhenAny(came, Task.Delay(atMost > TimeSpan.Zero ? atMost : TimeSpan.Zero, time, enough.Token));
            await enough.CancelAsync();
        }
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task TakeAsync(LogWriter writer, RecentEntries recent, CancellationToken cancellation)
    {
        var batch = ImmutableArray.CreateBuilder<(TreeHash, ReadOnlyMemory<byte>)>();
        var known = new List<Submission>();
        long end = writer.Size;
        while (batch.Count < MaxBatch && _arrivals.Reader.TryRead(out var submission))
        {
            bool found = recent.TryFind(submission.Leaf, out long index);
            submission.Index = found ? index : end;
            if (!found)
            {
                batch.Add((submission.Leaf, submission.Entry));
                recent.Add(submission.Leaf, end++);
            }
            bool shown = found && index < _published?.Size;
            (shown ? known : _waiting).Add(submission);
        }

        foreach (var submission in known)
        {
            Release(submission.Entry.Length);
            submission.Publish(_published!);
        }
        if (batch.Count > 0)
        {
            await writer.AppendAsync(batch.ToImmutable(), cancellation);
        }
    }

    private async Task<bool> TryPublishAsync(LogWriter writer, ITileStore store, CancellationToken cancellation)
    {
        long size = writer.Size;
        var nodes = writer.Nodes;
        _started.TrySetResult();
        var cosigned = await witnesses.CosignAsync(writer.Record, size, (oldSize, cancel) => ProveGrowthAsync(nodes, store, oldSize, size, cancel), cancellation);
        if (cosigned is null)
        {
            LogTooFew(size);
            return false;
        }

        // What we would not accept ourselves is not published.
        if (CheckpointVerification.Verify(cosigned, policy, time.GetUtcNow(), null).Fault is not CheckpointFault.None and var fault)
        {
            LogUnverified(size, fault);
            return false;
        }
        await writer.PublishAsync(cosigned, cancellation);
        _published = new PublishedTree(cosigned, size, nodes, store);
        foreach (var submission in _waiting)
        {
            Release(submission.Entry.Length);
            submission.Publish(_published);
        }
        _waiting.Clear();
        return true;
    }

    private static async Task<TreeHash[]?> ProveGrowthAsync(HashReader nodes, ITileStore store, long oldSize, long size, CancellationToken cancellation)
    {
        if (ConsistencyProof.TryMake(nodes, oldSize, size, out var path))
        {
            return path;
        }
        var tiles = await store.ReadSetAsync(TileSet.ForConsistency(oldSize, size), cancellation);
        return tiles is not null && ConsistencyProof.TryMake(tiles.Reader, oldSize, size, out path) ? path : null;
    }

    private bool TryAdmit(int length)
    {
        int entries = Interlocked.Increment(ref _entries);
        long bytes = Interlocked.Add(ref _bytes, length);
        if (entries <= limits.MaxEntries && bytes <= limits.MaxBytes)
        {
            return true;
        }
        Release(length);
        return false;
    }

    private void Release(int length)
    {
        Interlocked.Decrement(ref _entries);
        Interlocked.Add(ref _bytes, -length);
    }

    private void RefuseAll(AddRefusal refusal)
    {
        while (_arrivals.Reader.TryRead(out var submission))
        {
            _waiting.Add(submission);
        }
        foreach (var submission in _waiting)
        {
            Release(submission.Entry.Length);
            submission.Refuse(refusal);
        }
        _waiting.Clear();
    }

    [LoggerMessage(LogLevel.Error, "The log waits and goes on from what is durable: {Reason}")]
    private partial void LogPassing(string reason);

    [LoggerMessage(LogLevel.Critical, "The log stops: {Fault}. {Reason}")]
    private partial void LogStopped(LogFault fault, string reason);

    [LoggerMessage(LogLevel.Error, "The checkpoint of size {Size} is not published: too few witnesses cosigned.")]
    private partial void LogTooFew(long size);

    [LoggerMessage(LogLevel.Critical, "The checkpoint of size {Size} is not published: {Fault}.")]
    private partial void LogUnverified(long size, CheckpointFault fault);
}
