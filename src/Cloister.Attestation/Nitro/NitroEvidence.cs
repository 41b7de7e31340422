using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>A Nitro attestation document (docs/spec/nitro.md, section 6). It brings its certificates along: nothing else is needed to verify it offline.</summary>
public sealed record NitroEvidence
{
    /// <summary>The platform's name in a bundle.</summary>
    public const string Platform = "nitro";

    /// <summary>As the hypervisor made it, in base64.</summary>
    public required string Document { get; init; }

    /// <summary>Reads its form strictly; what it holds is read by the verification.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out NitroEvidence? evidence) => (evidence = AttestationJson.Read(json, AttestationJson.Default.NitroEvidence)) is not null;

    /// <summary>As it goes into a bundle.</summary>
    public PlatformEvidence ToPlatformEvidence() => new(Platform, JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.NitroEvidence));
}
