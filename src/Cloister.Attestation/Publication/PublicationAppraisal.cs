using System.Collections.Immutable;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Is the build one that was published where everybody can see it (docs/spec/publication.md)? A pure function.</summary>
internal sealed class PublicationAppraisal(PublicationDemands demands, LogMemory? memory, DateTimeOffset now)
{
    private static readonly (PublicationCheck Check, ReleaseFault[] Faults)[] Mapped =
    [
        (PublicationCheck.Form, [ReleaseFault.MalformedEntry, ReleaseFault.MalformedProof]),
        (PublicationCheck.Logged, [ReleaseFault.UnknownLog, ReleaseFault.WrongLogSignature, ReleaseFault.Unlogged]),
        (PublicationCheck.Witnesses, [ReleaseFault.TooFewWitnesses]),
        (PublicationCheck.Recent, [ReleaseFault.TooOld]),
        (PublicationCheck.Signed, [ReleaseFault.WrongType, ReleaseFault.WrongNamespace, ReleaseFault.WrongSignature, ReleaseFault.TooFewPublishers]),
        (PublicationCheck.Valid, [ReleaseFault.NotYetValid, ReleaseFault.Expired]),
        (PublicationCheck.NotRecalled, [ReleaseFault.Recalled]),
        (PublicationCheck.SecurityVersion, [ReleaseFault.BelowMinimumVersion]),
        (PublicationCheck.Rebuilds, [ReleaseFault.TooFewRebuilds, ReleaseFault.OtherCheckpoint]),
        (PublicationCheck.Continuity, [ReleaseFault.CheckpointSmaller, ReleaseFault.CheckpointInconsistent]),
    ];

    private readonly Findings<PublicationCheck> _findings = new();

    /// <summary>One for each <see cref="PublicationCheck"/>, in that order.</summary>
    public IEnumerable<Check> Checks => _findings.ToImmutable().Select(finding => finding.ToCheck(PublicationCheckTexts.Prefix));

    /// <summary>The machines of a fleet that was proved.</summary>
    public ImmutableArray<FleetNode> Fleet { get; private set; } = [];

    /// <returns>Null where the release is not accepted.</returns>
    public AcceptedRelease? Run(Publication? publication, EnclaveStatement? statement)
    {
        if (publication is null || demands.TryCompile() is not { } policy)
        {
            _findings.That(PublicationCheck.Form, false, "a release with its proof", "none");
            return null;
        }

        var result = ReleaseAppraisal.Appraise(new ReleaseEvidence(publication.Release, publication.Others, memory?.Consistency ?? []), policy, memory?.Remembered, now);
        Record(result.Faults);
        result.TryAccept(out var release);
        JudgeFleet(publication.Fleet);
        if (statement is not null && LogEntry.TryParse(publication.Release.Entry.Span, out var entry) && entry.Statement.Release is { } manifest)
        {
            string digest = Hex.Encode(entry.Digest.Span);
            _findings.That(PublicationCheck.Statement, statement.Release == digest, "the release that the statement names", statement.Release is null ? "the statement names none" : statement.Release == digest ? "the same" : "another one");
            bool known = statement.Models.All(model => manifest.Models.Contains(new ReleasedModel(model.Name, model.Weights ?? "", model.Tokenizer ?? "", model.Template ?? "")));
            _findings.That(PublicationCheck.Models, known, $"of {manifest.Models.Length} models", known ? $"{statement.Models.Length} served" : "another one is served");
        }
        return release;
    }

    // Where the log's signature is not known, nothing under it says anything; the rest stays unreached.
    private void Record(ImmutableArray<ReleaseFault> faults)
    {
        bool readable = !faults.Any(fault => fault is ReleaseFault.MalformedEntry or ReleaseFault.MalformedProof);
        bool signed = readable && !faults.Any(fault => fault is ReleaseFault.UnknownLog or ReleaseFault.WrongLogSignature) || faults.Contains(ReleaseFault.CheckpointSmaller);
        foreach (var (check, named) in Mapped)
        {
            var found = faults.Where(named.Contains).ToList();
            bool reached = found.Count > 0 || (check is PublicationCheck.Form or PublicationCheck.Signed or PublicationCheck.Valid ? readable || check is PublicationCheck.Form : signed);
            if (reached)
            {
                _findings.That(check, found.Count == 0, Expected(check), found.Count == 0 ? "as expected" : string.Join(", ", found.Select(fault => $"{fault}")));
            }
        }
    }

    private void JudgeFleet(ProvedEntry? shown)
    {
        if (shown is null)
        {
            _findings.Waive(PublicationCheck.Fleet, "no fleet is shown");
            return;
        }
        bool proved = demands.TryAccept(shown, EntryType.Fleet, now, out var fleet, out _);
        Fleet = proved ? fleet!.Entry.Statement.Fleet!.Nodes : [];
        _findings.That(PublicationCheck.Fleet, proved, "a fleet that is logged, signed and valid", proved ? $"{Fleet.Length} machines" : "one that is not");
    }

    private string Expected(PublicationCheck check) => check switch
    {
        PublicationCheck.Recent          => $"at most {demands.MaximumAgeHours} h old",
        PublicationCheck.Signed          => $"{demands.Threshold} of {demands.Publishers.Length} publishers, as a release of {Shown.Text(demands.Namespace)}",
        PublicationCheck.SecurityVersion => $"{demands.MinimumVersion} or later",
        PublicationCheck.Rebuilds        => $"{demands.Rebuilds} of {demands.Builders.Length} builders",
        PublicationCheck.Continuity      => memory is null ? "nothing remembered yet" : $"grown since size {memory.Remembered.Size}",
        _                                => PublicationCheckTexts.Of(check).PassesIf,
    };
}
