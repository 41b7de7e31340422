using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A reference integrity manifest as NVIDIA publishes it: a SWID tag in XML or a signed CoRIM in CBOR.</summary>
/// <remarks>It is read, not trusted: who signed it, and whether it fits a device, <see cref="NvidiaVerification"/> asks.</remarks>
public sealed class ReferenceManifest
{
    /// <summary>In bytes, of either form.</summary>
    public const int MaxSize = XmlSubset.MaxSize;

    internal const int MaxMeasurements = 254;
    internal const int MaxAlternatives = 64;

    internal ReferenceManifest(ManifestSignature signature) => Signature = signature;

    /// <summary>The chip that it is for, such as <c>GH100</c>.</summary>
    public required string Product { get; init; }

    /// <summary>The version of the driver or of the VBIOS that it is for.</summary>
    public required string Version { get; init; }

    public required string TagId { get; init; }

    /// <summary>The measurements that count, by index.</summary>
    public required ImmutableArray<GoldenMeasurement> Active { get; init; }

    internal ManifestSignature Signature { get; }

    /// <summary>Its own dates, beside those of its certificates. XML has none.</summary>
    internal DateTimeOffset NotBefore { get; init; } = DateTimeOffset.MinValue;

    internal DateTimeOffset NotAfter { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>Reads a manifest strictly; docs/spec/nvidia.md, section 5, says what is accepted.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> document, [NotNullWhen(true)] out ReferenceManifest? manifest) => TryParse(document, out manifest, out _);

    /// <param name="error">What is wrong in CBOR. Of XML it says nothing.</param>
    internal static bool TryParse(ReadOnlyMemory<byte> document, [NotNullWhen(true)] out ReferenceManifest? manifest, out WireError error)
    {
        error = default;
        manifest = Corim.IsOne(document.Span) ? Corim.Parse(document, out error) : ParseXml(document.Span);
        return manifest is not null;
    }

    private static ReferenceManifest? ParseXml(ReadOnlySpan<byte> xml)
    {
        try
        {
            return XmlSubset.TryParse(xml, out var root) ? SwidTag.Parse(root) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>What a measurement may be.</summary>
/// <param name="Index">From 0: the measurement block's index is one more.</param>
/// <param name="Values">48 bytes each. Any of them will do.</param>
public sealed record GoldenMeasurement(int Index, string Name, ImmutableArray<ReadOnlyMemory<byte>> Values);
