using System.Collections.Immutable;

namespace Cloister.Transparency;

/// <summary>Every question about a bundle, in the order in which the first failure names the fault (docs/spec/sigstore.md, section 6).</summary>
public enum SigstoreCheck : byte
{
    Content, Certificate, Signature,
    CertificateChain, CertificateValidity, CertificateTimestamps, CertificateTimestampLogs,
    EntryCount, EntryKey, EntryContent, EntryPromise, EntryProof, CheckpointSigner, CheckpointRoot, CheckpointSignature,
    Timestamps,
    CertificateIdentity, OidcIssuer, Repository, WorkflowRef,
    PayloadType, StatementForm, StatementType, PredicateType, SubjectPresent, SubjectDigest, Predicate,
}

/// <summary>Zero is the failing value.</summary>
public enum SigstoreVerdict : byte { Failed, Passed, Waived }

/// <summary>One question, its answer, and both sides of the comparison. The texts hold nothing of the bundle but what its certificate and statement say.</summary>
public sealed record SigstoreFinding(SigstoreCheck Name, SigstoreVerdict Verdict, string Expected, string Found);

/// <summary>The whole account of a bundle's verification.</summary>
public sealed class SigstoreResult
{
    internal SigstoreResult(SigstoreFindings findings, FulcioIdentity? identity, InTotoStatement? statement, ImmutableArray<DateTimeOffset> times)
    {
        (Findings, FirstFailure) = (findings.ToImmutable(), findings.FirstFailure);
        IsAccepted = Findings.All(finding => finding.Verdict is not SigstoreVerdict.Failed);
        (Identity, Statement, Times) = (identity, statement, times);
    }

    /// <summary>One for each <see cref="SigstoreCheck"/>, in that order. A check that was not reached counts as failed.</summary>
    public ImmutableArray<SigstoreFinding> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the bundle is accepted.</summary>
    public SigstoreCheck? FirstFailure { get; }

    public bool IsAccepted { get; }

    /// <summary>What the certificate says, whether or not it is genuine; null where there is none.</summary>
    public FulcioIdentity? Identity { get; }

    /// <summary>The statement, whether or not it is genuine; null where there is none that can be read.</summary>
    public InTotoStatement? Statement { get; }

    /// <summary>When others saw the signature: the verified ones.</summary>
    public ImmutableArray<DateTimeOffset> Times { get; }
}

/// <summary>A verification in progress: each check has one place, and fails once it has failed.</summary>
internal sealed class SigstoreFindings
{
    private static readonly SigstoreCheck[] Names = Enum.GetValues<SigstoreCheck>();

    private readonly SigstoreFinding?[] _places = new SigstoreFinding?[Names.Length];

    public SigstoreCheck? FirstFailure => _places.FirstOrDefault(place => place?.Verdict is SigstoreVerdict.Failed)?.Name;

    public bool That(SigstoreCheck name, bool holds, string expected, string found)
    {
        if (_places[(int)name] is not { Verdict: SigstoreVerdict.Failed })
        {
            _places[(int)name] = new(name, holds ? SigstoreVerdict.Passed : SigstoreVerdict.Failed, expected, found);
        }
        return holds;
    }

    public void Waive(SigstoreCheck name, string reason) => _places[(int)name] ??= new(name, SigstoreVerdict.Waived, "nothing", reason);

    public ImmutableArray<SigstoreFinding> ToImmutable() =>
        [.. Names.Select((name, index) => _places[index] ?? new SigstoreFinding(name, SigstoreVerdict.Failed, "to be checked", "not reached"))];
}
