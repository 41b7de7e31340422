using System.Text;
using Cloister.Testing;
using Cloister.Transparency;

namespace Cloister.Fuzz;

/// <summary>Bundles of a Sigstore of our own, and their parts.</summary>
internal static class SigstoreSeeds
{
    public static void Write(DateTimeOffset now, Action<string, byte[], byte[]> save)
    {
        using var authority = new SigstoreAuthority(now);
        byte[] leaf = authority.Certificates.Leaf(authority.Certificates.Logs[0], now, new LeafParts { Logs = [0, 1] });
        save("sigstore-bundle", Encoding.UTF8.GetBytes(authority.Bundle(new SigstoreParts { Timestamps = 1 })), Encoding.UTF8.GetBytes(authority.Bundle(new SigstoreParts { Rekor = 2, Envelope = false })));
        save("trusted-root", Encoding.UTF8.GetBytes(authority.TrustedRoot()), []);
        save("rfc3161-timestamp", authority.Stamps.Stamp([1], now), authority.Stamps.Stamp([1], now, withCertificate: false));
        save("sct-list", SigstoreCertificate.TryParse(leaf, out var certificate) && certificate.TryGetExtension(CertificateTimestamps.Oid, out var list) ? list : [], []);
        save("sigstore-certificate", leaf, authority.Certificates.Root);
        save("in-toto-statement", Encoding.UTF8.GetBytes(SigstoreAuthority.Statement()), []);
    }
}
