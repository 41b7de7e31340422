using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Why a release is not accepted.</summary>
public enum ReleaseFault : byte
{
    None, MalformedEntry, MalformedProof, Unlogged, UnknownLog, WrongLogSignature, TooFewWitnesses, TooOld,
    WrongType, WrongNamespace, NotYetValid, Expired, WrongSignature, TooFewPublishers,
    Recalled, BelowMinimumVersion, TooFewRebuilds, OtherCheckpoint, CheckpointSmaller, CheckpointInconsistent,
}

/// <summary>An entry and its proof, as they came.</summary>
public sealed record ProvedEntry(ReadOnlyMemory<byte> Entry, ReadOnlyMemory<byte> Proof);

/// <summary>What is shown of a release.</summary>
/// <param name="Release">The release itself.</param>
/// <param name="Others">Recalls, rebuilds and other releases of the namespace. Those that do not concern the release are passed over.</param>
/// <param name="Consistency">The path from the remembered checkpoint to the one of the release's proof; empty where none is remembered.</param>
public sealed record ReleaseEvidence(ProvedEntry Release, ImmutableArray<ProvedEntry> Others, ImmutableArray<TreeHash> Consistency);

/// <summary>What a client demands of a release.</summary>
public sealed record ReleasePolicy
{
    public required LogPolicy Log { get; init; }

    public required string Namespace { get; init; }

    public required PublisherKeys Publishers { get; init; }

    /// <summary>How old cosignatures may be: 24 hours, or 7 days for those who accept a freshness re-endorsement. Null only where age is judged elsewhere.</summary>
    public required TimeSpan? MaximumAge { get; init; }

    /// <summary>The smallest security version.</summary>
    public required int MinimumVersion { get; init; }

    /// <summary>How many independent builders must have got the same artifacts; 0 asks for none.</summary>
    public required int Rebuilds { get; init; }

    /// <summary>Builders whose rebuilds count, one Ed25519 key (type 1) each. A publisher's key does not: it is not independent.</summary>
    /// <exception cref="ArgumentException">A key is of another type.</exception>
    public required ImmutableArray<VerifierKey> Builders
    {
        get;
        init => field = value.All(key => key.Type is NoteKeyType.Ed25519) ? value : throw new ArgumentException("A builder's key is an Ed25519 key.", nameof(value));
    }
}

/// <summary>A release that passed a policy. Nothing outside of this room can make one.</summary>
public sealed class AcceptedRelease
{
    internal AcceptedRelease(LogEntry entry, Checkpoint checkpoint, ImmutableArray<WitnessedAt> witnesses) =>
        (Entry, Checkpoint, Witnesses) = (entry, checkpoint, witnesses);

    public LogEntry Entry { get; }

    public ReleaseManifest Manifest => Entry.Statement.Release!;

    /// <summary>To be remembered: the next appraisal refuses a smaller or inconsistent one.</summary>
    public Checkpoint Checkpoint { get; }

    public ImmutableArray<WitnessedAt> Witnesses { get; }
}

/// <summary>The account of an appraisal: a release, or all that was found wrong with it.</summary>
public sealed class ReleaseResult
{
    private readonly AcceptedRelease? _release;

    internal ReleaseResult(ImmutableArray<ReleaseFault> faults, AcceptedRelease? release) => (Faults, _release) = (faults, faults.IsEmpty ? release : null);

    /// <summary>Empty where the release is accepted.</summary>
    public ImmutableArray<ReleaseFault> Faults { get; }

    public bool TryAccept([NotNullWhen(true)] out AcceptedRelease? release) => (release = _release) is not null;
}

/// <summary>Entries in, release out (docs/spec/transparency.md, section 6). A pure function: no network, no clock, nothing remembered.</summary>
public static class ReleaseAppraisal
{
    /// <summary>Runs every check; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="remembered">The largest checkpoint of this log accepted so far; null where there is none.</param>
    /// <param name="now">The device's own time.</param>
    public static ReleaseResult Appraise(ReleaseEvidence evidence, ReleasePolicy policy, Checkpoint? remembered, DateTimeOffset now)
    {
        var faults = ImmutableArray.CreateBuilder<ReleaseFault>();
        bool parsed = LogEntry.TryParse(evidence.Release.Entry.Span, out var entry);
        bool proved = LogProof.TryParse(evidence.Release.Proof.Span, out var proof);
        if (!parsed || !proved)
        {
            return new([.. parsed ? [] : (ReleaseFault[])[ReleaseFault.MalformedEntry], .. proved ? [] : (ReleaseFault[])[ReleaseFault.MalformedProof]], null);
        }

        var result = proof!.Verify(evidence.Release.Entry.Span, policy.Log, now, policy.MaximumAge);
        Add(faults, Named(result.Fault));
        Add(faults, Named(entry!.Verify(EntryType.Release, policy.Namespace, policy.Publishers, now)));
        if (result.Checkpoint is { } checkpoint)
        {
            Add(faults, JudgeGrowth(checkpoint, remembered, evidence.Consistency));
            JudgeOthers(faults, evidence, policy, entry, checkpoint, now);
        }
        return new(faults.ToImmutable(), result.Checkpoint is null ? null : new(entry, result.Checkpoint, result.Cosignatures));
    }

    private static ReleaseFault JudgeGrowth(Checkpoint checkpoint, Checkpoint? remembered, ImmutableArray<TreeHash> path) =>
        remembered is null ? ReleaseFault.None
        : remembered.Origin != checkpoint.Origin ? ReleaseFault.UnknownLog
        : checkpoint.Size < remembered.Size ? ReleaseFault.CheckpointSmaller
        : ConsistencyProof.Verify(remembered.Size, remembered.Root, checkpoint.Size, checkpoint.Root, path.AsSpan()) ? ReleaseFault.None : ReleaseFault.CheckpointInconsistent;

    private static void JudgeOthers(ImmutableArray<ReleaseFault>.Builder faults, ReleaseEvidence evidence, ReleasePolicy policy, LogEntry entry, Checkpoint checkpoint, DateTimeOffset now)
    {
        string digest = Hex.Encode(entry.Digest.Span);
        int floor = Math.Max(policy.MinimumVersion, entry.Statement.Release?.MinimumAcceptedVersion ?? 0);
        var builders = new HashSet<VerifierKey>();
        bool recalled = false, elsewhere = false;
        foreach (var shown in evidence.Others)
        {
            if (!LogEntry.TryParse(shown.Entry.Span, out var other))
            {
                continue;
            }

            // What speaks against a release needs the publishers' signatures and nothing else: refusing is the safe side.
            bool published = other.VerifySigned(other.Statement.Type, policy.Namespace, policy.Publishers) is EntryFault.None;
            recalled |= published && other.Statement.Recall?.Release == digest;
            floor = Math.Max(floor, published ? other.Statement.Release?.MinimumAcceptedVersion ?? 0 : 0);

            // What speaks for it must be in the log, under the same checkpoint.
            if (other.Statement.Rebuild is { } rebuild && rebuild.Release == digest && rebuild.Artifacts.SequenceEqual(entry.Statement.Release?.Artifacts ?? []))
            {
                bool logged = LogProof.TryParse(shown.Proof.Span, out var proof) && proof.Verify(shown.Entry.Span, policy.Log, now, policy.MaximumAge) is { Fault: LogProofFault.None } result
                    && (checkpoint.Equals(result.Checkpoint) || !(elsewhere = true));
                builders.UnionWith(policy.Builders.Where(builder => logged && other.Verify(EntryType.Rebuild, policy.Namespace, new(1, builder), now) is EntryFault.None));
            }
        }

        int rebuilds = builders.Where(builder => !policy.Publishers.Keys.Any(builder.HasSameKey)).DistinctBy(builder => Hex.Encode(builder.PublicKey.AsSpan())).Count();
        Add(faults, recalled ? ReleaseFault.Recalled : ReleaseFault.None);
        Add(faults, entry.Statement.Release?.SecurityVersion < floor ? ReleaseFault.BelowMinimumVersion : ReleaseFault.None);
        Add(faults, rebuilds < policy.Rebuilds ? ReleaseFault.TooFewRebuilds : ReleaseFault.None);
        Add(faults, elsewhere ? ReleaseFault.OtherCheckpoint : ReleaseFault.None);
    }

    private static void Add(ImmutableArray<ReleaseFault>.Builder faults, ReleaseFault fault)
    {
        if (fault is not ReleaseFault.None)
        {
            faults.Add(fault);
        }
    }

    private static ReleaseFault Named(LogProofFault fault) => fault switch
    {
        LogProofFault.None => ReleaseFault.None,
        LogProofFault.MalformedCheckpoint => ReleaseFault.MalformedProof,
        LogProofFault.UnknownLog => ReleaseFault.UnknownLog,
        LogProofFault.WrongSignature => ReleaseFault.WrongLogSignature,
        LogProofFault.TooFewWitnesses => ReleaseFault.TooFewWitnesses,
        LogProofFault.TooOld => ReleaseFault.TooOld,
        LogProofFault.NotIncluded => ReleaseFault.Unlogged,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static ReleaseFault Named(EntryFault fault) => fault switch
    {
        EntryFault.None => ReleaseFault.None,
        EntryFault.WrongType => ReleaseFault.WrongType,
        EntryFault.WrongNamespace => ReleaseFault.WrongNamespace,
        EntryFault.NotYetValid => ReleaseFault.NotYetValid,
        EntryFault.Expired => ReleaseFault.Expired,
        EntryFault.WrongSignature => ReleaseFault.WrongSignature,
        EntryFault.TooFewPublishers => ReleaseFault.TooFewPublishers,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
