using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>An enveloped XML signature (W3C XML Signature 1.1) in the one form that manifests have: docs/spec/nvidia.md, section 5.2.</summary>
internal static class XmlSignature
{
    public const string Uri = "http://www.w3.org/2000/09/xmldsig#";

    private const string Canonical11 = "http://www.w3.org/2006/12/xml-c14n11";
    private const string EcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
    private const string Enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    private const string Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";

    /// <summary>Reads a signature that is a child of the document's root. Throws <see cref="FormatException"/> for any other form.</summary>
    public static ManifestSignature Read(XmlElement signature)
    {
        var children = signature.Children();
        XmlSubset.Require(signature.Is(Uri, "Signature") && signature.Attributes.Count == 0 && children is [{ LocalName: "SignedInfo" }, { LocalName: "SignatureValue" }, { LocalName: "KeyInfo" }]);
        byte[] digest = ReadDigest(Plain(children[0]));
        byte[] value = Bytes(Plain(children[1]).Text());
        var certificates = ReadCertificates(Plain(children[2]));

        bool intact = SHA384.HashData(XmlCanonical.Write(signature.Parent!, without: signature)).AsSpan().SequenceEqual(digest);
        return new ManifestSignature(XmlCanonical.Write(children[0]), value, certificates, intact);
    }

    // One reference, to the whole document. With any other the signature would be over something else than what is read.
    private static byte[] ReadDigest(XmlElement signedInfo)
    {
        var parts = signedInfo.Children();
        XmlSubset.Require(parts.Count == 3);
        Algorithm(parts[0], "CanonicalizationMethod", Canonical11);
        Algorithm(parts[1], "SignatureMethod", EcdsaSha384);

        var reference = parts[2];
        XmlSubset.Require(reference.Is(Uri, "Reference") && reference.Attributes is [{ QualifiedName: "URI", Value: "" }]);
        var described = reference.Children();
        XmlSubset.Require(described is [{ LocalName: "Transforms" }, { LocalName: "DigestMethod" }, { LocalName: "DigestValue" }]);
        var transforms = Plain(described[0]).Children();
        XmlSubset.Require(transforms.Count == 2);
        Algorithm(transforms[0], "Transform", Enveloped);
        Algorithm(transforms[1], "Transform", Canonical11);
        Algorithm(described[1], "DigestMethod", Sha384);
        return Bytes(Plain(described[2]).Text());
    }

    private static ImmutableArray<byte[]> ReadCertificates(XmlElement keyInfo)
    {
        var parts = keyInfo.Children();
        XmlSubset.Require(parts is [{ LocalName: "X509Data" }]);
        var certificates = Plain(parts[0]).Children();
        XmlSubset.Require(certificates.Count is > 0 and <= ManifestSignature.MaxCertificates && certificates.TrueForAll(one => one.LocalName == "X509Certificate"));
        return [.. certificates.ConvertAll(one => Bytes(Plain(one).Text()))];
    }

    private static void Algorithm(XmlElement element, string name, string wanted) =>
        XmlSubset.Require(element.Is(Uri, name) && element.Attributes is [{ QualifiedName: "Algorithm" } algorithm] && algorithm.Value == wanted && element.Content.Count == 0);

    // In the signature's namespace, and without attributes.
    private static XmlElement Plain(XmlElement element)
    {
        XmlSubset.Require(element.Namespace == Uri && element.Attributes.Count == 0);
        return element;
    }

    private static byte[] Bytes(string text)
    {
        string unbroken = text.Replace("\n", "", StringComparison.Ordinal).Replace("\t", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        XmlSubset.Require(Base64.TryDecode(unbroken, out var bytes));
        return bytes!;
    }
}
