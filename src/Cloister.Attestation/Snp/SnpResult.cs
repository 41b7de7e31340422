using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>The whole account of a report's verification.</summary>
public sealed class SnpResult
{
    private readonly ReadOnlyMemory<byte> _report;

    internal SnpResult(ReadOnlyMemory<byte> report, Findings<SnpCheck> findings, SnpProduct product, bool simulated)
    {
        (_report, Product, IsSimulated) = (report, product, simulated);
        Findings = findings.ToImmutable();
        FirstFailure = findings.FirstFailure;
        IsAccepted = Findings.All(finding => finding.Verdict is not Verdict.Failed);
    }

    /// <summary>One for each <see cref="SnpCheck"/>, in that order.</summary>
    public ImmutableArray<Finding<SnpCheck>> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the report is accepted.</summary>
    public SnpCheck? FirstFailure { get; }

    public bool IsAccepted { get; }

    /// <summary>What the report says of its processor, and for version 2, which does not say, what the issuer of the chip's certificate tells.</summary>
    public SnpProduct Product { get; }

    /// <summary>The chain ends in a root that the policy marks as one made for development.</summary>
    public bool IsSimulated { get; }

    /// <summary>The report's fields, whether or not they are genuine. False where the bytes are no report.</summary>
    public bool TryGetReport(out SnpReport report) => SnpReport.TryParse(_report.Span, out report, out _);
}
