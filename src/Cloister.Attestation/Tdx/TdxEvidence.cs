using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>A TDX quote and what is needed to verify it offline (docs/spec/tdx.md, section 6). Binary parts are in base64, texts stand as Intel served them.</summary>
public sealed record TdxEvidence
{
    /// <summary>The platform's name in a bundle.</summary>
    public const string Platform = "tdx";

    public required string Quote { get; init; }

    public required string TcbInfo { get; init; }

    public required string QeIdentity { get; init; }

    /// <summary>DER in base64.</summary>
    public required string PckRevocationList { get; init; }

    /// <summary>DER in base64.</summary>
    public required string RootRevocationList { get; init; }

    /// <summary>PEM, as are the others. Null: Intel's one known signing key counts.</summary>
    public string? TcbInfoIssuers { get; init; }

    public string? QeIdentityIssuers { get; init; }

    public string? PckRevocationListIssuers { get; init; }

    /// <summary>The CCEL in base64; null where there is none.</summary>
    public string? EventLog { get; init; }

    /// <summary>Reads its form strictly; what it holds is read by the verification.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out TdxEvidence? evidence) => (evidence = AttestationJson.Read(json, AttestationJson.Default.TdxEvidence)) is not null;

    /// <summary>As it goes into a bundle.</summary>
    public PlatformEvidence ToPlatformEvidence() => new(Platform, JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.TdxEvidence));
}
