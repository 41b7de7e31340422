using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Primitives;
using Cloister.Simulation;
using Cloister.Testing;

namespace Cloister.Bench;

/// <summary>What the page appraises, and signatures for the checks beside it, as one JSON text.</summary>
internal static class PageEvidence
{
    public static string Make()
    {
        var now = DateTimeOffset.UtcNow;
        using var authority = DevelopmentAuthority.Create(now);
        using var key = X25519PrivateKey.Generate();
        var bundle = SimulatedEnclave.Bundle(authority, key.PublicKey, now);
        var policy = SimulatedEnclave.Policy(authority);
        var (published, demanding) = AppraisalBench.Published(authority, bundle, policy, now);

        using var intel = new TdxAuthority(now);
        var collateral = intel.Collateral();
        var evidence = new JsonObject
        {
            ["now"] = now.ToUnixTimeMilliseconds(),
            ["root"] = intel.RootFingerprint,
        };
        foreach (var (name, bytes) in ((string, ReadOnlyMemory<byte>)[])
        [
            ("bundle", bundle.ToBytes()), ("policy", policy.ToBytes()), ("publishedBundle", published), ("publishedPolicy", demanding.ToBytes()),
            ("quote", intel.Quote()), ("tcbInfo", collateral.TcbInfo), ("qeIdentity", collateral.QeIdentity), ("issuers", intel.Issuers()),
            ("pckList", collateral.PckRevocationList), ("rootList", collateral.RootRevocationList), .. Checks(),
        ])
        {
            evidence[name] = Convert.ToBase64String(bytes.Span);
        }
        return evidence.ToJsonString();
    }

    private static IEnumerable<(string Name, ReadOnlyMemory<byte> Bytes)> Checks()
    {
        byte[] message = Encoding.ASCII.GetBytes(new string('m', 800));
        yield return ("message", message);

        using var rsa = RSA.Create(4096);
        var numbers = rsa.ExportParameters(false);
        yield return ("rsaModulus", numbers.Modulus);
        yield return ("rsaExponent", numbers.Exponent);
        yield return ("rsaSpki", rsa.ExportSubjectPublicKeyInfo());
        yield return ("rsaSignature", rsa.SignData(message, HashAlgorithmName.SHA384, RSASignaturePadding.Pss));

        foreach (var (name, curve, hash) in ((string, ECCurve, HashAlgorithmName)[])[("p384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384), ("p256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256)])
        {
            using var ecdsa = ECDsa.Create(curve);
            var point = ecdsa.ExportParameters(false).Q;
            yield return ($"{name}Point", (byte[])[4, .. point.X!, .. point.Y!]);
            yield return ($"{name}Spki", ecdsa.ExportSubjectPublicKeyInfo());
            yield return ($"{name}Signature", ecdsa.SignData(message, hash));
        }

        using var ed25519 = Ed25519PrivateKey.Generate();
        var signature = new byte[Ed25519PrivateKey.SignatureSize];
        ed25519.Sign(message, signature);
        yield return ("ed25519Key", ed25519.PublicKey.Bytes.ToArray());
        yield return ("ed25519Spki", (byte[])[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. ed25519.PublicKey.Bytes]); // RFC 8410
        yield return ("ed25519Signature", signature);
    }
}
