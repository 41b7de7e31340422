using System.Collections.Immutable;
using System.Globalization;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A manifest as a SWID tag in XML (TCG RIM Information Model) with an enveloped signature: docs/spec/nvidia.md, section 5.2.</summary>
internal static class SwidTag
{
    private const string Swid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
    private const string Hashes = "http://www.w3.org/2001/04/xmlenc#sha384";
    private const int NamedAttributes = 6;

    /// <exception cref="FormatException">Another document, or one that is signed in another way.</exception>
    /// <remarks>The signature is the root's last child and nothing else in the document is left out of its digest: what is read here is what was signed.</remarks>
    public static ReferenceManifest Parse(XmlElement root)
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
        XmlSubset.Require(resources.Count is > 0 and <= ReferenceManifest.MaxMeasurements);
        var taken = new bool[ReferenceManifest.MaxMeasurements];
        var active = ImmutableArray.CreateBuilder<GoldenMeasurement>();
        foreach (var resource in resources)
        {
            XmlSubset.Require(resource.Is(Swid, "Resource") && resource.Content.Count == 0 && resource.Attribute("type") == "Measurement");
            int index = Number(resource, "index", ReferenceManifest.MaxMeasurements - 1);
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
        int alternatives = Number(resource, "alternatives", ReferenceManifest.MaxAlternatives);
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
