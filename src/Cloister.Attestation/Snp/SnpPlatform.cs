using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>AMD SEV-SNP as a platform: from its evidence in a bundle to findings.</summary>
internal sealed class SnpPlatform : Platform
{
    private const string Prefix = "Snp.";

    public override string Name => SnpEvidence.Platform;

    public override string Title => "AMD SEV-SNP";

    public override string MediaType => "application/vnd.cloister.sev-snp+json";

    public override bool IsMachine => true;

    public override ImmutableArray<CheckDescription> Checks { get; } = CheckDescription.List(
        "The AMD processor", Prefix, SnpCheckTexts.Of,
        SnpCheck.HardwareId, SnpCheck.EndorsedTcb, SnpCheck.MigrationAgent, SnpCheck.PolicyReserved, SnpCheck.PlatformReserved,
        SnpCheck.HostData, SnpCheck.IdKeyDigest, SnpCheck.AuthorKeyDigest, SnpCheck.RevocationList, SnpCheck.Product, SnpCheck.TcbFloor, SnpCheck.TcbOrder, SnpCheck.Mitigations,
        SnpCheck.Smt, SnpCheck.Cxl, SnpCheck.Abi, SnpCheck.GuestDemands, SnpCheck.Ecc, SnpCheck.AliasCheck, SnpCheck.CiphertextHiding, SnpCheck.Rapl, SnpCheck.Vmpl);

    public override bool IsNamedBy(AppraisalPolicy policy) => policy.Snp is not null;

    public override string? FaultOf(AppraisalPolicy policy) => policy.Snp?.Fault();

    public override PlatformFindings? Appraise(ReadOnlySpan<byte> evidence, AppraisalPolicy policy, Binding binding)
    {
        if (policy.Snp is not { } machines || !SnpEvidence.TryParse(evidence, out var read) || CollateralOf(read) is not { } collateral
            || !Base64.TryDecode(read.Report, out var report))
        {
            return null;
        }

        var result = SnpVerification.Verify(report, collateral, machines.Demands(binding.Machine, binding.Release), binding.Now);
        string? node = result.TryGetReport(out var parsed) && parsed.ChipId.ContainsAnyExcept((byte)0) ? Hex.Encode(parsed.ChipId) : null;
        return new PlatformFindings([.. result.Findings.Select(finding => finding.ToCheck(Prefix))], node, result.IsSimulated);
    }

    // All three certificates come with the evidence: nothing is filled in from elsewhere.
    private static SnpCollateral? CollateralOf(SnpEvidence evidence)
    {
        byte[]? list = null;
        return evidence.Certificates is [var first, var second, var third]
            && Decode(first, Certificate.MaxSize, out var chip) && Decode(second, Certificate.MaxSize, out var intermediate) && Decode(third, Certificate.MaxSize, out var root)
            && (evidence.RevocationList is null || Decode(evidence.RevocationList, RevocationList.MaxSize, out list))
            ? new SnpCollateral { Chip = chip, Intermediate = intermediate, Root = root, RevocationList = list }
            : null;
    }

    private static bool Decode(string text, int maxSize, out byte[]? bytes)
    {
        bytes = null;
        return text.Length > 0 && text.Length <= 2 * maxSize && Base64.TryDecode(text, out bytes);
    }
}
