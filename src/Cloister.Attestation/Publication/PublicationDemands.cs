using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cloister.Transparency;

namespace Cloister.Attestation;

/// <summary>Where a build must have been published, by whom, and who must have seen it. There is no "null means unchecked".</summary>
public sealed record PublicationDemands
{
    private const int MaxAgeHours = 7 * 24;

    /// <summary>Logs, witnesses and how many of them: a policy's text (C2SP tlog-policy).</summary>
    public required string Log { get; init; }

    /// <summary>Whose releases count, for example <c>example.com/assistant</c>.</summary>
    public required string Namespace { get; init; }

    /// <summary>The publishers' keys, as vkeys of type 1.</summary>
    public required ImmutableArray<string> Publishers { get; init; }

    /// <summary>How many publishers must have signed.</summary>
    public required int Threshold { get; init; }

    /// <summary>Independent builders' keys, as vkeys of type 1.</summary>
    public required ImmutableArray<string> Builders { get; init; }

    /// <summary>How many builders must have got the same artifacts.</summary>
    public required int Rebuilds { get; init; }

    /// <summary>The smallest security version of a release.</summary>
    public required int MinimumVersion { get; init; }

    /// <summary>How old the witnesses' signatures may be, 1 to 168.</summary>
    public required int MaximumAgeHours { get; init; }

    /// <summary>Whether an entry other than a release was published as is demanded here: logged, seen, recent, of this type and namespace, signed, valid now.</summary>
    /// <remarks>A release is for <see cref="Publication.Appraise"/> to judge: it can be recalled or too old.</remarks>
    /// <param name="fault">The first thing that is wrong with it, as a name.</param>
    public bool TryAccept(ProvedEntry shown, EntryType type, DateTimeOffset now, [NotNullWhen(true)] out AcceptedEntry? accepted, [NotNullWhen(false)] out string? fault)
    {
        accepted = null;
        if (!LogEntry.TryParse(shown.Entry.Span, out var entry))
        {
            fault = nameof(ReleaseFault.MalformedEntry);
            return false;
        }
        if (!LogProof.TryParse(shown.Proof.Span, out var proof) || TryCompile() is not { } policy)
        {
            fault = nameof(ReleaseFault.MalformedProof);
            return false;
        }
        var signed = entry.Verify(type, policy.Namespace, policy.Publishers, now);
        var result = proof.Verify(shown.Entry.Span, policy.Log, now, policy.MaximumAge);
        fault = signed is not EntryFault.None ? $"{signed}" : result.Fault is not LogProofFault.None ? $"{result.Fault}" : null;
        accepted = fault is null ? new AcceptedEntry(entry, proof.Index, result.Checkpoint!, result.Cosignatures) : null;
        return accepted is not null;
    }

    internal string? Fault() =>
        Publishers.IsDefault || Builders.IsDefault ? "A list of the publication is missing."
        : !LogPolicy.TryParse(Encoding.UTF8.GetBytes(Log), out _, out var fault) ? $"The log's policy is none: {fault}."
        : TryCompile() is null ? $"Publishers and builders are different keys of type 1, the threshold is one to all publishers, and the witnesses' signatures may be 1 to {MaxAgeHours} hours old." : null;

    /// <summary>Null where a key or a number is none.</summary>
    internal ReleasePolicy? TryCompile()
    {
        var publishers = Publishers.Select(Read).ToImmutableArray();
        var builders = Builders.Select(Read).ToImmutableArray();
        bool keys = AreDifferent(publishers) && AreDifferent(builders);
        if (!keys || Threshold < 1 || Threshold > publishers.Length || Rebuilds < 0 || MaximumAgeHours is < 1 or > MaxAgeHours || !LogPolicy.TryParse(Encoding.UTF8.GetBytes(Log), out var log, out _))
        {
            return null;
        }
        return new ReleasePolicy
        {
            Log = log,
            Namespace = Namespace,
            Publishers = new PublisherKeys(Threshold, publishers!),
            MaximumAge = TimeSpan.FromHours(MaximumAgeHours),
            MinimumVersion = MinimumVersion,
            Rebuilds = Rebuilds,
            Builders = builders!,
        };
    }

    // A key under two names is one key.
    private static bool AreDifferent(ImmutableArray<VerifierKey?> keys) =>
        !keys.Contains(null) && keys.DistinctBy(key => Convert.ToHexStringLower(key!.PublicKey.AsSpan())).Count() == keys.Length;

    private static VerifierKey? Read(string text) => VerifierKey.TryParse(text, out var key) && key.Type is NoteKeyType.Ed25519 ? key : null;
}

/// <summary>An entry that was published as a client demands.</summary>
/// <param name="Index">Its place in the log.</param>
/// <param name="Checkpoint">Under which it is: to be held against what is remembered.</param>
public sealed record AcceptedEntry(LogEntry Entry, long Index, Checkpoint Checkpoint, ImmutableArray<WitnessedAt> Witnesses);
