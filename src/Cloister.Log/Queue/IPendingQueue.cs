using System.Collections.Immutable;
using Cloister.Transparency;

namespace Cloister.Log.Queue;

/// <summary>Entries that were accepted together. Their indices are fixed from here on.</summary>
/// <param name="First">The index of the first of them.</param>
internal sealed record PendingBatch(long First, ImmutableArray<ReadOnlyMemory<byte>> Entries)
{
    public long End => First + Entries.Length;
}

/// <summary>What a queue held when it was opened.</summary>
/// <param name="Record">The last checkpoint that this log signed; null in a new log.</param>
/// <param name="Batches">In order of their indices. None ends before the record's size.</param>
internal sealed record PendingState(SignedNote? Record, ImmutableArray<PendingBatch> Batches);

/// <summary>Where accepted entries wait until they are in the tree, and where the last signed checkpoint is recorded. A log's one source of truth.</summary>
/// <remarks>Each task ends when what it did outlives a power cut. After one that failed, nobody knows whether it did: the queue is opened anew.</remarks>
internal interface IPendingQueue : IAsyncDisposable
{
    /// <summary>Takes the one writer's place and reads what is there.</summary>
    /// <exception cref="LogStoppedException">Another process has it.</exception>
    Task<PendingState> OpenAsync(string origin, CancellationToken cancellation);

    Task AppendAsync(PendingBatch batch, CancellationToken cancellation);

    /// <summary>Records a checkpoint and forgets the entries below its size, in one step.</summary>
    /// <param name="previous">The size recorded before, -1 in a new log.</param>
    /// <exception cref="LogStoppedException">Another size is recorded.</exception>
    Task RecordAsync(SignedNote checkpoint, long size, long previous, CancellationToken cancellation);
}
