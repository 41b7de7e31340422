using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A statement's exact bytes with the evidence for it (docs/spec/statement.md, section 4).</summary>
public sealed record EnclaveBundle(ReadOnlyMemory<byte> Statement, SnpEvidence Evidence)
{
    /// <summary>The longest bundle, in bytes.</summary>
    public const int MaxSize = 512 * 1024;

    private const string CollectionType = "tag:cloister,2026:enclave-evidence";
    private const string SnpType = "application/vnd.cloister.sev-snp+json";

    public byte[] ToBytes()
    {
        byte[] evidence = JsonSerializer.SerializeToUtf8Bytes(Evidence, AttestationJson.Default.SnpEvidence);
        return JsonSerializer.SerializeToUtf8Bytes(
            new BundleDocument
            {
                Version = 1,
                Statement = Base64.Encode(Statement.Span),
                Evidence = new EvidenceCollection { Type = CollectionType, Snp = [SnpType, Base64.EncodeUrl(evidence)] },
            },
            AttestationJson.Default.BundleDocument);
    }

    /// <summary>Reads the envelope and the evidence's outer form; the statement and the report are read by the appraisal.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EnclaveBundle? bundle)
    {
        bundle = null;
        if (bytes.Length > MaxSize
            || AttestationJson.Read(bytes, AttestationJson.Default.BundleDocument) is not { Version: 1, Evidence: { Type: CollectionType, Snp: { IsDefault: false, Length: 2 } and [SnpType, var encoded] } } document
            || !Base64.TryDecode(document.Statement, out var statement)
            || !Base64.TryDecodeUrl(encoded, out var evidence)
            || AttestationJson.Read(evidence, AttestationJson.Default.SnpEvidence) is not { } snp)
        {
            return false;
        }
        bundle = new EnclaveBundle(statement, snp);
        return true;
    }
}

/// <summary>An SEV-SNP report and what endorses it, each in base64.</summary>
public sealed record SnpEvidence
{
    /// <summary>The report, 1,184 bytes.</summary>
    public required string Report { get; init; }

    /// <summary>DER certificates, from the one that signed the report to the root: VCEK or VLEK, ASK or ASVK, ARK.</summary>
    public required ImmutableArray<string> Certificates { get; init; }

    /// <summary>The root's revocation list in DER. Null where the enclave has none.</summary>
    public string? RevocationList { get; init; }
}

internal sealed record BundleDocument
{
    public required int Version { get; init; }

    public required string Statement { get; init; }

    public required EvidenceCollection Evidence { get; init; }
}

// A conceptual message wrapper collection (draft-ietf-rats-msg-wrap): a type, and a record [type, value] per platform.
internal sealed record EvidenceCollection
{
    [JsonPropertyName("__cmwc_t")]
    public required string Type { get; init; }

    [JsonPropertyName("snp")]
    public required ImmutableArray<string> Snp { get; init; }
}
