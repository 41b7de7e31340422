using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What the GPUs and switches of a machine said, and what is needed to verify it offline (docs/spec/nvidia.md, section 10). All parts are in base64.</summary>
public sealed record NvidiaGpuEvidence
{
    /// <summary>The platform's name in a bundle.</summary>
    public const string Platform = "nvidia-gpu";

    /// <summary>Ours to choose: more of anything are refused.</summary>
    public const int MaxParts = 64;

    public required ImmutableArray<NvidiaDevicePart> Gpus { get; init; }

    public required ImmutableArray<NvidiaDevicePart> Switches { get; init; }

    /// <summary>Reference manifests, in XML or CBOR.</summary>
    public required ImmutableArray<string> Manifests { get; init; }

    /// <summary>Answers about revocation in DER.</summary>
    public required ImmutableArray<string> OcspResponses { get; init; }

    /// <summary>As it goes into a bundle.</summary>
    public static NvidiaGpuEvidence Of(NvidiaEvidence evidence, NvidiaCollateral collateral) => new()
    {
        Gpus = [.. evidence.Gpus.Select(NvidiaDevicePart.Of)],
        Switches = [.. evidence.Switches.Select(NvidiaDevicePart.Of)],
        Manifests = [.. collateral.Manifests.Select(manifest => Base64.Encode(manifest.Span))],
        OcspResponses = [.. collateral.OcspResponses.Select(answer => Base64.Encode(answer.Span))],
    };

    /// <summary>Reads its form strictly; what it holds is read by the verification.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out NvidiaGpuEvidence? evidence) =>
        (evidence = AttestationJson.Read(json, AttestationJson.Default.NvidiaGpuEvidence)) is not null;

    public PlatformEvidence ToPlatformEvidence() => new(Platform, ToBytes());

    /// <summary>The bytes whose SHA-256 the statement carries as <see cref="EnclaveStatement.GpuEvidence"/>.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.NvidiaGpuEvidence);

    internal (NvidiaEvidence Evidence, NvidiaCollateral Collateral)? Decode()
    {
        var gpus = DecodeAll(Gpus, part => part?.Decode());
        var switches = DecodeAll(Switches, part => part?.Decode());
        var manifests = DecodeAll(Manifests, Decode);
        var answers = DecodeAll(OcspResponses, Decode);
        return gpus is null || switches is null || manifests is null || answers is null ? null
            : (new NvidiaEvidence { Gpus = [.. gpus], Switches = [.. switches] },
                new NvidiaCollateral { Manifests = [.. manifests.Select(one => (ReadOnlyMemory<byte>)one)], OcspResponses = [.. answers.Select(one => (ReadOnlyMemory<byte>)one)] });
    }

    private static byte[]? Decode(string? text) => text is not null && Base64.TryDecode(text, out var bytes) ? bytes : null;

    private static List<TTo>? DecodeAll<TFrom, TTo>(ImmutableArray<TFrom> parts, Func<TFrom, TTo?> decode) where TTo : class
    {
        if (parts.IsDefault || parts.Length > MaxParts)
        {
            return null;
        }
        var decoded = new List<TTo>();
        foreach (var part in parts)
        {
            if (decode(part) is not { } one)
            {
                return null;
            }
            decoded.Add(one);
        }
        return decoded;
    }
}

/// <summary>One device: its SPDM request and response, and its certificates in PEM, each in base64.</summary>
public sealed record NvidiaDevicePart
{
    public required string Report { get; init; }

    public required string Certificates { get; init; }

    internal static NvidiaDevicePart Of(NvidiaDeviceEvidence device) => new() { Report = Base64.Encode(device.Report.Span), Certificates = Base64.Encode(device.Certificates.Span) };

    internal NvidiaDeviceEvidence? Decode() =>
        Base64.TryDecode(Report, out var report) && Base64.TryDecode(Certificates, out var certificates) ? new NvidiaDeviceEvidence(report, certificates) : null;
}
