using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A reference integrity manifest as NVIDIA publishes it: a SWID tag (TCG RIM Information Model) with an enveloped XML signature.</summary>
/// <remarks>It is read, not trusted: who signed it, and whether it fits a device, <see cref="NvidiaVerification"/> asks.</remarks>
public sealed class ReferenceManifest
{
    /// <summary>In bytes.</summary>
    public const int MaxSize = XmlSubset.MaxSize;

    private const string Swid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
    private const string Hashes = "http://www.w3.org/2001/04/xmlenc#sha384";
    private const int MaxMeasurements = 254;
    private const int MaxAlternatives = 64;
    private const int NamedAttributes = 6;

    private ReferenceManifest(XmlSignature signature) => Signature = signature;

    /// <summary>The chip that it is for, such as <c>GH100</c>.</summary>
    public required string Product { get; init; }

    /// <summary>The version of the driver or of the VBIOS that it is for.</summary>
    public required string Version { get; init; }

    public required string TagId { get; init; }

    /// <summary>The measurements that count, by index.</summary>
    public required ImmutableArray<GoldenMeasurement> Active { get; init; }

    internal XmlSignature Signature { get; }

    /// <summary>Reads a manifest strictly; docs/spec/nvidia.md, section 5, says what is accepted.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> xml, [NotNullWhen(true)] out ReferenceManifest? manifest)
    {
        manifest = null;
        try
        {
            manifest = XmlSubset.TryParse(xml.Span, out var root) ? Parse(root) : null;
        }
        catch (FormatException)
        {
            // Another document, or one that is signed in another way.
        }
        return manifest is not null;
    }

    // The signature is the root's last child and nothing else in the document is left out of its digest: what is read here is what was signed.
    private static ReferenceManifest Parse(XmlElement root)
    {
        var children = root.Children();
        XmlSubset.Require(root.Is(Swid, "SoftwareIdentity") && children.Count == 4
            && children[0].Is(Swid, "Entity") && children[1].Is(Swid, "Meta") && children[2].Is(Swid, "Payload"));
        return new ReferenceManifest(XmlSignature.Read(children[3]))
        {
            TagId = Named(root, "tagId"),
            Product = Named(children[1], "product"),
            Version = Named(children[1], "colloquialVersion"),
            Active = ReadMeasurements(children[2]),
        };
    }

    private static ImmutableArray<GoldenMeasurement> ReadMeasurements(XmlElement payload)
    {
        var resources = payload.Children();
        XmlSubset.Require(resources.Count is > 0 and <= MaxMeasurements);
        var taken = new bool[MaxMeasurements];
        var active = ImmutableArray.CreateBuilder<GoldenMeasurement>();
        foreach (var resource in resources)
        {
            XmlSubset.Require(resource.Is(Swid, "Resource") && resource.Content.Count == 0 && resource.Attribute("type") == "Measurement");
            int index = Number(resource, "index", MaxMeasurements - 1);
            XmlSubset.Require(!taken[index]);
            taken[index] = true;

            string state = Named(resource, "active");
            XmlSubset.Require(state is "True" or "False");
            var golden = ReadMeasurement(resource, index);
            if (state == "True")
            {
                active.Add(golden);
            }
        }
        return active.ToImmutable();
    }

    private static GoldenMeasurement ReadMeasurement(XmlElement resource, int index)
    {
        int alternatives = Number(resource, "alternatives", MaxAlternatives);
        XmlSubset.Require(alternatives > 0 && resource.Attributes.Count == NamedAttributes + alternatives && Number(resource, "size", NvidiaReport.MeasurementSize) == NvidiaReport.MeasurementSize);
        var values = new ReadOnlyMemory<byte>[alternatives];
        for (int i = 0; i < alternatives; i++)
        {
            XmlSubset.Require(Hex.TryDecode(resource.Attribute($"Hash{i}", Hashes), out var value) && value.Length == NvidiaReport.MeasurementSize);
            values[i] = value;
        }
        return new GoldenMeasurement(index, Named(resource, "name"), [.. values]);
    }

    private static string Named(XmlElement element, string attribute)
    {
        string? value = element.Attribute(attribute);
        XmlSubset.Require(value is { Length: > 0 and <= 256 });
        return value;
    }

    private static int Number(XmlElement element, string attribute, int max)
    {
        string text = Named(element, attribute);
        XmlSubset.Require(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= max && number.ToString(CultureInfo.InvariantCulture) == text);
        return number;
    }
}

/// <summary>What a measurement may be.</summary>
/// <param name="Index">From 0: the measurement block's index is one more.</param>
/// <param name="Values">48 bytes each. Any of them will do.</param>
public sealed record GoldenMeasurement(int Index, string Name, ImmutableArray<ReadOnlyMemory<byte>> Values);
