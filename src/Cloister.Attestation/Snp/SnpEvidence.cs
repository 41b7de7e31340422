using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>An SEV-SNP report and what endorses it, each in base64 (docs/spec/snp.md, section 1).</summary>
public sealed record SnpEvidence
{
    /// <summary>The platform's name in a bundle.</summary>
    public const string Platform = "snp";

    /// <summary>The report, 1,184 bytes.</summary>
    public required string Report { get; init; }

    /// <summary>DER certificates, from the one that signed the report to the root: VCEK or VLEK, ASK or ASVK, ARK.</summary>
    public required ImmutableArray<string> Certificates { get; init; }

    /// <summary>The root's revocation list in DER. Null where the enclave has none.</summary>
    public string? RevocationList { get; init; }

    /// <summary>Reads its form strictly; what it holds is read by the verification.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out SnpEvidence? evidence)
    {
        evidence = null;
        if (JsonMembers.Parse(json) is { } parsed)
        {
            var members = new JsonMembers(parsed);
            var (report, certificates, list) = (members.Text("report"), members.Texts("certificates"), members.OptionalText("revocation_list"));
            evidence = members.End() ? new SnpEvidence { Report = report, Certificates = certificates, RevocationList = list } : null;
        }
        return evidence is not null;
    }

    /// <summary>As it goes into a bundle.</summary>
    public PlatformEvidence ToPlatformEvidence() => new(Platform, JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.SnpEvidence));
}
