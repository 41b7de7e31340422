using System.Collections.Immutable;
using System.Text;
using Cloister.Log.Queue;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>The one writer of a log, in the steps of docs/spec/log.md, section 3. After any fault it is thrown away, and another one goes on from what is durable.</summary>
internal sealed class LogWriter : IAsyncDisposable
{
    private readonly SignerKey _key;
    private readonly IPendingQueue _queue;
    private readonly ITileStore _store;
    private readonly GrowingTree _tree;
    private readonly List<TilePath> _replaced = []; // full tiles whose partial ones can go once they are published

    private LogWriter(SignerKey key, IPendingQueue queue, ITileStore store, GrowingTree tree, SignedNote record) =>
        (_key, _queue, _store, _tree, Record) = (key, queue, store, tree, record);

    /// <summary>The last checkpoint that this log signed, published or not.</summary>
    public SignedNote Record { get; private set; }

    public Checkpoint Checkpoint => new(_key.Verifier.Name, _tree.Size, _tree.Root);

    public long Size => _tree.Size;

    /// <summary>Hashes for proofs under <see cref="Checkpoint"/>: of entries and growth since the last publishing.</summary>
    public HashReader Nodes => _tree.Nodes;

    /// <summary>What everybody is shown; null where nothing is.</summary>
    public SignedNote? Published { get; private set; }

    /// <summary>Goes on from what is durable: integrates what was accepted and did not get into the tree.</summary>
    /// <exception cref="LogStoppedException">What is there does not belong together.</exception>
    public static async Task<LogWriter> OpenAsync(SignerKey key, IPendingQueue queue, ITileStore store, CancellationToken cancellation)
    {
        var state = await queue.OpenAsync(key.Verifier.Name, cancellation);
        var published = Parse(await store.ReadCheckpointAsync(cancellation));
        var record = state.Record ?? await BeginAsync(key, queue, published, cancellation);
        if (!Checkpoint.TryParse(record.Text, out var recorded) || recorded.Origin != key.Verifier.Name || !record.Signatures.Any(signature => key.Verifier.Verify(record.Text, signature, out _)))
        {
            throw new LogStoppedException(LogFault.OtherLog, "The queue's record is not one that this key signed.");
        }
        if (published is not null && (!Checkpoint.TryParse(published.Text, out var shown) || shown.Size > recorded.Size || (shown.Size == recorded.Size && !shown.Equals(recorded))))
        {
            throw new LogStoppedException(LogFault.RecordBehindPublished, $"The published checkpoint is not one on the way to the recorded one of size {recorded.Size}: the queue or the storage is an old copy.");
        }

        var tree = await GrowingTree.RestoreAsync(store, recorded, cancellation);
        var writer = new LogWriter(key, queue, store, tree, record) { Published = published };
        await writer.CatchUpAsync(state.Batches, cancellation);
        return writer;
    }

    /// <summary>Accepts entries (step 1) and brings them into a recorded tree (steps 2 and 3).</summary>
    public async Task AppendAsync(ImmutableArray<(TreeHash Leaf, ReadOnlyMemory<byte> Entry)> entries, CancellationToken cancellation)
    {
        // 1: which entry has which index is decided here, once.
        await _queue.AppendAsync(new(Size, [.. entries.Select(entry => entry.Entry)]), cancellation);
        await IntegrateAsync(entries, cancellation);
    }

    /// <summary>Publishes the record with its cosignatures (step 5).</summary>
    public async Task PublishAsync(SignedNote cosigned, CancellationToken cancellation)
    {
        await _store.PublishAsync(cosigned.ToBytes(), cancellation);
        Published = cosigned;
        _tree.ForgetNodes();
        foreach (var full in _replaced)
        {
            await _store.PruneAsync(full, cancellation);
        }
        _replaced.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        await _queue.DisposeAsync();
    }

    private async Task IntegrateAsync(IEnumerable<(TreeHash Leaf, ReadOnlyMemory<byte> Entry)> entries, CancellationToken cancellation)
    {
        // 2: the tiles, durable before anybody vouches for them.
        long before = Size;
        var tiles = _tree.Append(entries);
        await _store.WriteAsync(tiles, cancellation);
        _replaced.AddRange(tiles.Select(tile => tile.Path).Where(path => path.IsFull));

        // 3: the signature exists outside of this process only once it is recorded, and the record only grows: so no size has two.
        var record = Checkpoint.Sign(_key);
        await _queue.RecordAsync(record, Size, before, cancellation);
        Record = record;
    }

    private async Task CatchUpAsync(ImmutableArray<PendingBatch> batches, CancellationToken cancellation)
    {
        long end = Size;
        foreach (var batch in batches)
        {
            end = batch.First == end ? batch.End : throw new LogStoppedException(LogFault.QueueGap, $"The queue goes on at {batch.First} where the log ends at {end}.");
        }
        if (end > Size)
        {
            await IntegrateAsync(batches.SelectMany(batch => batch.Entries).Select(entry => (TreeHash.OfLeaf(entry.Span), entry)), cancellation);
        }
    }

    private static async Task<SignedNote> BeginAsync(SignerKey key, IPendingQueue queue, SignedNote? published, CancellationToken cancellation)
    {
        if (published is not null)
        {
            throw new LogStoppedException(LogFault.RecordBehindPublished, "The storage holds a published log, and the queue knows nothing of it.");
        }
        var empty = new Checkpoint(key.Verifier.Name, 0, TreeHash.Empty).Sign(key);
        await queue.RecordAsync(empty, 0, -1, cancellation);
        return empty;
    }

    private static SignedNote? Parse(byte[]? bytes) => bytes is null ? null
        : SignedNote.TryParse(bytes, out var note, out _) ? note
        : throw new LogStoppedException(LogFault.RecordBehindPublished, $"The published checkpoint, '{Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(bytes.Length, 80)))}', is no note.");
}
