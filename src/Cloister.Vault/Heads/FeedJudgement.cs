using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Heads;

/// <summary>
/// What a device makes of what the operator shows it (docs/spec/vault.md, section 7), page by page: where it stands, and what it was told. Immutable: a
/// fault changes nothing.
/// </summary>
/// <remarks>
/// The order: <see cref="Epochs"/> before anything else; then <see cref="Begin"/> with the head last accepted; <see cref="Read"/> for each page, asked for after
/// <see cref="Position"/>; <see cref="Changes"/> and <see cref="Opened"/> for what is in it; once <see cref="IsComplete"/>, <see cref="Tree"/>. Only then
/// is <see cref="Newest"/> the head that is accepted, and what came may be shown and stored as such.
/// </remarks>
public sealed class FeedJudgement
{
    private readonly ImmutableArray<EpochRecord> _epochs;

    // The head at Position: null before the first, and where a new device came in at the middle.
    private readonly SignedHead? _last;

    // Newest heads that were shown while the chain had not come to them yet: it must lead through each.
    private readonly ImmutableArray<SignedHead> _ahead;

    private FeedJudgement(ImmutableArray<EpochRecord> epochs, ulong position, SignedHead? last, SignedHead? newest, ImmutableArray<SignedHead> ahead) =>
        (_epochs, Position, _last, Newest, _ahead) = (epochs, position, last, newest, ahead);

    /// <summary>All that was shown reaches up to this sequence: what to ask for next comes after it.</summary>
    public ulong Position { get; }

    /// <summary>The newest head that was shown; not accepted before <see cref="IsComplete"/> and <see cref="Tree"/>.</summary>
    public SignedHead? Newest { get; }

    /// <summary>Whether everything up to the newest head was shown.</summary>
    public bool IsComplete => Newest is { } newest && Position == newest.Head.Sequence;

    /// <summary>Where a device begins that accepted this head; null for a new device, which believes the first that verifies.</summary>
    /// <param name="epochs">The account's, verified, from the first to the newest.</param>
    /// <param name="accepted">The head last accepted.</param>
    public static FeedJudgement Begin(ImmutableArray<EpochRecord> epochs, SignedHead? accepted) => new(epochs, accepted?.Head.Sequence ?? 0, accepted, accepted, []);

    /// <summary>Whether a page speaks of an epoch that this device has not heard of: it asks for the epoch records first, and begins again with them.</summary>
    public bool NeedsEpochs(ChangePage page) => page.Newest.Head.Epoch > _epochs[^1].Epoch;

    /// <summary>Judges a page's heads. Where the device stands after it, or null and a fault.</summary>
    /// <remarks>The newest head's signature vouches for all that lead to it by their hashes, so only that one is verified.</remarks>
    public FeedJudgement? Read(ChangePage page, out HeadFault fault)
    {
        fault = IsSigned(page.Newest) ? NewestFault(page) : HeadFault.BadSignature;
        var ahead = _ahead.Add(page.Newest);
        var last = _last;
        ulong sequence = Position;
        foreach (var head in page.Heads)
        {
            fault = fault is HeadFault.None ? ChainFault(head, ++sequence, last, ahead) : fault;
            last = head;
        }
        bool entersHere = Position == 0 && page.Heads.IsEmpty;
        if (fault is HeadFault.None && !entersHere && sequence != page.Through)
        {
            fault = HeadFault.Forked;
        }
        if (entersHere)
        {
            last = page.Through == page.Newest.Head.Sequence ? page.Newest : null;
        }
        return fault is HeadFault.None ? new(_epochs, page.Through, last, page.Newest, [.. ahead.Where(head => head.Head.Sequence > page.Through)]) : null;
    }

    /// <summary>Judges the epoch records that the operator shows, against those that were accepted (none on a new device).</summary>
    public static HeadFault Epochs(ImmutableArray<EpochRecord> accepted, IReadOnlyList<EpochRecord> shown)
    {
        bool begins = shown.Count > 0 && shown.Count >= accepted.Length && shown[0].IsFirst();
        bool same = begins && accepted.Zip(shown).All(pair => pair.First.Bytes.Span.SequenceEqual(pair.Second.Bytes.Span));
        return same && shown.Zip(shown.Skip(1)).All(pair => pair.Second.Follows(pair.First)) ? HeadFault.None : HeadFault.EpochsBroken;
    }

    /// <summary>Judges a page's changes against what is held of the same items. A page has the newest version of an item and no other: one that names an item twice has what is taken depend on the order.</summary>
    /// <param name="changes">As shown on one page.</param>
    /// <param name="held">The leaf that the device holds of an item, what earlier pages showed included; null where it holds none.</param>
    public static HeadFault Changes(IEnumerable<SealedChange> changes, Func<Identity, TreeLeaf?> held)
    {
        var seen = new HashSet<Identity>();
        foreach (var change in changes)
        {
            if (!seen.Add(change.Item))
            {
                return HeadFault.Repeated;
            }
            var leaf = TreeLeaf.Of(change);
            if (held(change.Item) is { } known && leaf.Version <= known.Version && leaf != known)
            {
                return HeadFault.Replayed;
            }
        }
        return HeadFault.None;
    }

    /// <summary>Judges what became of opening the changes.</summary>
    public static HeadFault Opened(IEnumerable<OpenedItem> items) => items.All(item => item.IsOpen) ? HeadFault.None : HeadFault.Unreadable;

    /// <summary>Judges the tree of all that was shown against the head that it must be.</summary>
    public static HeadFault Tree(Head head, ItemTree tree) =>
        tree.Leaves < head.Leaves                                                    ? HeadFault.Omitted
        : tree.Leaves > head.Leaves || !tree.Root.Span.SequenceEqual(head.Root.Span) ? HeadFault.Altered
        : HeadFault.None;

    private bool IsSigned(SignedHead signed) =>
        signed.Head.Account == _epochs[0].Account && signed.Head.Epoch <= (uint)_epochs.Length && signed.IsSignedBy(_epochs[(int)signed.Head.Epoch - 1].HeadKey);

    private HeadFault NewestFault(ChangePage page)
    {
        ulong newest = page.Newest.Head.Sequence;
        ulong shown = Newest?.Head.Sequence ?? 0;
        return newest < shown                                             ? HeadFault.RolledBack
            : newest == shown && !IsSame(page.Newest, Newest!)            ? HeadFault.Forked
            : newest > Position && page.Through <= Position               ? HeadFault.Omitted
            : HeadFault.None;
    }

    // A head that goes back to an ended epoch was signed by somebody who was removed.
    private static HeadFault ChainFault(SignedHead head, ulong sequence, SignedHead? before, ImmutableArray<SignedHead> ahead) =>
        head.Head.Sequence != sequence || (before is not null && !head.Head.Previous.Span.SequenceEqual(before.Hash())) ? HeadFault.Forked
        : before is not null && head.Head.Epoch < before.Head.Epoch                                                    ? HeadFault.BadSignature
        : ahead.Any(shown => shown.Head.Sequence == sequence && !IsSame(shown, head))                                  ? HeadFault.Forked
        : HeadFault.None;

    private static bool IsSame(SignedHead one, SignedHead other) => one.Hash().AsSpan().SequenceEqual(other.Hash());
}
