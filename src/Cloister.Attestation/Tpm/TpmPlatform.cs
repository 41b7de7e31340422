using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>A TPM as a platform: it accompanies a confidential machine and tells what was started on it, or stands alone for one's own machine.</summary>
internal sealed class TpmPlatform : Platform
{
    private const string Prefix = "Tpm.";

    public override string Name => TpmPart.Platform;

    public override string Title => "TPM 2.0";

    public override string MediaType => "application/vnd.cloister.tpm+json";

    public override bool IsMachine => false;

    public override ImmutableArray<CheckDescription> Checks { get; } = CheckDescription.List<TpmCheck>("The TPM", Prefix, TpmCheckTexts.Of);

    public override bool IsNamedBy(AppraisalPolicy policy) => policy.Tpm is not null;

    public override bool StandsAlone(AppraisalPolicy policy) => policy.Tpm is { StandsAlone: true };

    public override string? FaultOf(AppraisalPolicy policy) => policy.Tpm?.Fault();

    // On Azure a paravisor stands between processor and statement: the report carries the hash of its claims, and these the TPM's key. Only a policy that
    // trusts the key for that reason lets it.
    public override ReadOnlyMemory<byte>? CarriedReportData(ReadOnlySpan<byte> evidence, AppraisalPolicy policy) =>
        policy.Tpm is { Trust: TpmTrust.HardwareBound } && TpmPart.TryParse(evidence, out var part) && part.Decode() is { } read && HclReport.TryParse(read.HclReport.Span, out var report, out _)
            ? report.ReportData
            : (ReadOnlyMemory<byte>?)null;

    public override PlatformFindings? Appraise(ReadOnlySpan<byte> evidence, AppraisalPolicy policy, Binding binding)
    {
        if (policy.Tpm is not { } machines || !TpmPart.TryParse(evidence, out var part) || part.Decode() is not { } read)
        {
            return null;
        }
        var result = TpmVerification.Verify(read, machines.Demands(binding), binding.Now);
        return new PlatformFindings([.. result.Findings.Select(finding => finding.ToCheck(Prefix))], result.Key is { } key ? key.Name : null);
    }
}
