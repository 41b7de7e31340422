using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Xml;
using Cloister.Enclave.Evidence;
using Cloister.Wire;

namespace Cloister.Cli.Collateral;

/// <summary>NVIDIA's reference integrity manifests for the wanted drivers and firmwares, and what its responder says of every certificate.</summary>
/// <remarks>As NVIDIA's own verifier asks: not for the device's own certificate, of which the responder knows nothing, nor for roots.</remarks>
internal sealed class NvidiaCollateral(Vendors vendors, NvidiaWant want)
{
    private const int MaxManifest = 2 * 1024 * 1024;
    private const int MaxAnswer = 64 * 1024;
    private const int MaxChainLength = 8;

    /// <exception cref="VendorFault">Something lacks, or is not what was asked for.</exception>
    public async Task<NvidiaSet> GatherAsync(Gathering gathering)
    {
        var manifests = ImmutableArray.CreateBuilder<NvidiaManifest>();
        var links = want.Chains.SelectMany(pem => Links(ReadPem(pem)).Skip(1)).ToList();
        foreach (string id in want.Manifests)
        {
            byte[] xml = ContentOf((await gathering.GetAsync(Manifest(id))).Content, id)!;
            manifests.Add(new NvidiaManifest(id, Base64.Encode(xml)));
            links.AddRange(Links(SignersOf(xml)!));
        }

        var answers = ImmutableArray.CreateBuilder<OcspAnswer>();
        foreach (var (certificate, issuer) in links.DistinctBy(link => link.Certificate.Thumbprint))
        {
            var answer = await gathering.GetAsync(Status(certificate, Ocsp.Request(certificate, issuer)));
            answers.Add(new OcspAnswer(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), Base64.Encode(answer.Content)));
        }
        var set = new NvidiaSet { For = want, Manifests = manifests.ToImmutable(), Revocation = answers.ToImmutable() };
        return set.ToBytes().Length <= NvidiaSet.MaxSize ? set : throw new VendorFault($"NVIDIA's manifests take more than the {NvidiaSet.MaxSize} bytes that a set may have.");
    }

    private VendorItem Manifest(string id) => new()
    {
        Title = $"the manifest {id}",
        Address = new Uri(vendors.NvidiaManifests, Uri.EscapeDataString(id)),
        MaxSize = MaxManifest,
        Changes = false,
        Expiry = answer => ContentOf(answer.Content, id) is { } xml && SignersOf(xml) is [{ } signer, ..] ? signer.NotAfter : null,
    };

    private VendorItem Status(X509Certificate2 certificate, byte[] request) => new()
    {
        Title = $"the status of '{certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)}'",
        Address = vendors.NvidiaOcsp,
        Request = request,
        MaxSize = MaxAnswer,
        Changes = true,
        Expiry = answer => Ocsp.Expiry(answer.Content, request),
    };

    // The service's object has other members too: {"id":"…","rim":"base64 of XML",…}.
    private static byte[]? ContentOf(byte[] json, string id)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            var root = document.RootElement;
            return root.ValueKind is JsonValueKind.Object
                && root.TryGetProperty("id", out var named) && named.ValueKind is JsonValueKind.String && named.GetString() == id
                && root.TryGetProperty("rim", out var rim) && rim.ValueKind is JsonValueKind.String && Base64.TryDecode(rim.GetString()!, out var xml) ? xml : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    // The chain in the manifest's XML signature, from the signer up. Null where it is no XML with such a chain.
    private static List<X509Certificate2>? SignersOf(byte[] xml)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxManifest });
            var chain = new List<X509Certificate2>();
            while (reader.Read())
            {
                while (reader is { NodeType: XmlNodeType.Element, LocalName: "X509Certificate" } && chain.Count < MaxChainLength)
                {
                    chain.Add(X509CertificateLoader.LoadCertificate(Convert.FromBase64String(reader.ReadElementContentAsString())));
                }
            }
            return chain.Count > 0 ? chain : null;
        }
        catch (Exception fault) when (fault is XmlException or FormatException or CryptographicException)
        {
            return null;
        }
    }

    private static List<X509Certificate2> ReadPem(string text)
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(text);
            return chain.Count is > 0 and <= MaxChainLength ? [.. chain] : throw new VendorFault("A GPU's certificate chain holds no certificates, or too many.");
        }
        catch (CryptographicException fault)
        {
            throw new VendorFault("A GPU's certificate chain cannot be read.", inner: fault);
        }
    }

    // Each certificate with the next; the root, which is the last or which nobody sent, with nobody.
    private static IEnumerable<(X509Certificate2 Certificate, X509Certificate2 Issuer)> Links(List<X509Certificate2> chain) => chain.Zip(chain.Skip(1));
}
