using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>Why an entry has no receipt yet. Each may be asked again; what was accepted keeps its index.</summary>
public enum AddRefusal : byte { None, Full, StorageFault, NotWitnessed, Stopping }

/// <summary>What became of an entry.</summary>
/// <param name="Refusal">Zero is none.</param>
/// <param name="Proof">The receipt, where there is no refusal.</param>
internal readonly record struct AddOutcome(AddRefusal Refusal, LogProof? Proof);

/// <summary>An entry that somebody waits for.</summary>
internal sealed class Submission(byte[] entry)
{
    private readonly TaskCompletionSource<(AddRefusal, long, PublishedTree?)> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public byte[] Entry => entry;

    public TreeHash Leaf { get; } = TreeHash.OfLeaf(entry);

    /// <summary>Its index, once it has one. Owned by the sequencer's loop.</summary>
    public long Index { get; set; }

    public Task<(AddRefusal Refusal, long Index, PublishedTree? Tree)> Answer => _answer.Task;

    public void Publish(PublishedTree tree) => _answer.TrySetResult((AddRefusal.None, Index, tree));

    public void Refuse(AddRefusal refusal) => _answer.TrySetResult((refusal, 0, null));
}
