using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A TPM's quote in a bundle (docs/spec/tpm.md, section 6). All parts are in base64; those that are not there are absent.</summary>
public sealed record TpmPart
{
    /// <summary>The platform's name in a bundle.</summary>
    public const string Platform = "tpm";

    public required string Quote { get; init; }

    public required string Signature { get; init; }

    public required string Key { get; init; }

    public required string RegisterValues { get; init; }

    public string? EventLog { get; init; }

    public string? Certificates { get; init; }

    public string? HclReport { get; init; }

    public static TpmPart Of(TpmEvidence evidence) => new()
    {
        Quote = Base64.Encode(evidence.Quote.Span),
        Signature = Base64.Encode(evidence.Signature.Span),
        Key = Base64.Encode(evidence.Key.Span),
        RegisterValues = Base64.Encode(evidence.RegisterValues.Span),
        EventLog = Encode(evidence.EventLog),
        Certificates = Encode(evidence.Certificates),
        HclReport = Encode(evidence.HclReport),
    };

    /// <summary>Reads its form strictly; what it holds is read by the verification.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out TpmPart? part) => (part = AttestationJson.Read(json, AttestationJson.Default.TpmPart)) is not null;

    /// <summary>As it goes into a bundle.</summary>
    public PlatformEvidence ToPlatformEvidence() => new(Platform, JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.TpmPart));

    internal TpmEvidence? Decode() =>
        Base64.TryDecode(Quote, out var quote) && Base64.TryDecode(Signature, out var signature) && Base64.TryDecode(Key, out var key) && Base64.TryDecode(RegisterValues, out var values)
        && Base64.TryDecode(EventLog ?? "", out var log) && Base64.TryDecode(Certificates ?? "", out var certificates) && Base64.TryDecode(HclReport ?? "", out var report)
            ? new TpmEvidence { Quote = quote, Signature = signature, Key = key, RegisterValues = values, EventLog = log, Certificates = certificates, HclReport = report }
            : null;

    private static string? Encode(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? null : Base64.Encode(bytes.Span);
}
