using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Primitives;
using Cloister.Transparency;

namespace Cloister.Testing;

/// <summary>One bundle that is good in all, with what is to be otherwise.</summary>
internal sealed record SigstoreParts
{
    public byte[] Artifact { get; init; } = "an artifact"u8.ToArray();
    public string? Statement { get; init; }
    public string PayloadType { get; init; } = "application/vnd.in-toto+json";
    public bool Envelope { get; init; } = true;
    public int Rekor { get; init; } = 1;

    /// <summary>The entry's kind and version; null for the usual one.</summary>
    public string? Kind { get; init; }
    public bool Promise { get; init; } = true;
    public TimeSpan IntegratedAfter { get; init; }
    public int Timestamps { get; init; }
    public TimeSpan StampedAfter { get; init; }
    public bool TimestampHasCertificate { get; init; } = true;
    public byte[]? Stamped { get; init; }
    public string MediaType { get; init; } = "application/vnd.dev.sigstore.bundle.v0.3+json";
    public LeafParts Leaf { get; init; } = new();

    /// <summary>Sign with this key and name none in the bundle.</summary>
    public ECDsa? ManagedKey { get; init; }

    public Action<byte[]>? Signature { get; init; }
    public Action<JsonObject>? Body { get; init; }
    public Action<JsonObject>? Bundle { get; init; }
}

/// <summary>Fulcio, two certificate logs, Rekor 1 and 2 and a timestamp authority of our own.</summary>
internal sealed class SigstoreAuthority : IDisposable
{
    public const string Repository = "owner/name";
    public const string Issuer = "https://token.actions.githubusercontent.com";
    public const string Ref = "refs/tags/v1.2.3";
    public const string Identity = $"https://github.com/{Repository}/.github/workflows/build.yml@{Ref}";
    public const string MultiPlatform = "https://tinfoil.sh/predicate/snp-tdx-multiplatform/v1";
    public const string StatementType = "https://in-toto.io/Statement/v1";

    private const string Origin = "rekor.example - 1234", Name = "rekor.example", Origin2 = "log.rekor.example";

    private readonly DateTimeOffset _now;
    private readonly ECDsa _leaf = P256();
    private readonly ECDsa _rekor = P256();
    private readonly Ed25519PrivateKey _rekor2 = Ed25519PrivateKey.ImportSeed(Enumerable.Repeat((byte)7, 32).ToArray());

    public SigstoreAuthority(DateTimeOffset now)
    {
        _now = now;
        Certificates = new(now);
        Stamps = new(now);
    }

    public FulcioAuthority Certificates { get; }

    public StampAuthority Stamps { get; }

    public DateTimeOffset Signed => _now - TimeSpan.FromDays(30);

    public string TrustedRoot(Action<JsonObject>? change = null)
    {
        var root = new JsonObject
        {
            ["mediaType"] = "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            ["tlogs"] = new JsonArray(Log(_rekor.ExportSubjectPublicKeyInfo(), RekorId, "PKIX_ECDSA_P256_SHA_256"), Log(Ed25519Spki(), Rekor2Id, "PKIX_ED25519")),
            ["certificateAuthorities"] = new JsonArray(Authority(Certificates.Intermediate, Certificates.Root)),
            ["ctlogs"] = new JsonArray([.. Certificates.Logs.Select(log => Log(log.ExportSubjectPublicKeyInfo(), FulcioAuthority.LogId(log), "PKIX_ECDSA_P256_SHA_256"))]),
            ["timestampAuthorities"] = new JsonArray(Authority(Stamps.Signer, Stamps.Root)),
        };
        change?.Invoke(root);
        return root.ToJsonString();
    }

    public static string Statement(byte[]? artifact = null, string? digest = null, string type = StatementType, string predicateType = MultiPlatform, string? predicate = null, string more = "", string? subject = null)
    {
        digest ??= Convert.ToHexStringLower(SHA256.HashData(artifact ?? new SigstoreParts().Artifact));
        subject ??= $$$"""[{"name":"a","digest":{"sha256":"{{{digest}}}"}}]""";
        return $$"""{"_type":"{{type}}","subject":{{subject}},"predicateType":"{{predicateType}}","predicate":{{predicate ?? Predicate}}{{more}}""" + "}";
    }

    public static string Predicate => $$$"""{"snp_measurement":"{{{new string('a', 96)}}}","tdx_measurement":{"rtmr1":"{{{new string('b', 96)}}}","rtmr2":"{{{new string('c', 96)}}}"},"cmdline":"x"}""";

    public string Bundle(SigstoreParts? given = null)
    {
        var parts = given ?? new();
        byte[] certificate = Certificates.Leaf(_leaf, Signed, parts.Leaf);
        byte[] payload = Encoding.UTF8.GetBytes(parts.Statement ?? Statement(parts.Artifact));
        byte[] signed = parts.Envelope ? [.. Encoding.UTF8.GetBytes($"DSSEv1 {parts.PayloadType.Length} {parts.PayloadType} {payload.Length} "), .. payload] : parts.Artifact;
        byte[] signature = (parts.ManagedKey ?? _leaf).SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        byte[] signer = parts.ManagedKey?.ExportSubjectPublicKeyInfo() ?? certificate;

        var entry = Entry(parts, signed, payload, signature, signer);
        byte[] shown = [.. signature];
        parts.Signature?.Invoke(shown);
        var material = new JsonObject { ["tlogEntries"] = new JsonArray(entry) };
        if (parts.ManagedKey is not null)
        {
            material["publicKey"] = new JsonObject { ["hint"] = "a key" };
        }
        else if (parts.MediaType.Contains("0.3", StringComparison.Ordinal))
        {
            material["certificate"] = Raw(certificate);
        }
        else
        {
            material["x509CertificateChain"] = new JsonObject { ["certificates"] = new JsonArray(Raw(certificate)) };
        }
        if (parts.Timestamps > 0)
        {
            var stamps = Enumerable.Range(0, parts.Timestamps).Select(_ => (JsonNode)new JsonObject
            {
                ["signedTimestamp"] = B64(Stamps.Stamp(parts.Stamped ?? signature, Signed + parts.StampedAfter, parts.TimestampHasCertificate)),
            });
            material["timestampVerificationData"] = new JsonObject { ["rfc3161Timestamps"] = new JsonArray([.. stamps]) };
        }
        var bundle = new JsonObject { ["mediaType"] = parts.MediaType, ["verificationMaterial"] = material };
        if (parts.Envelope)
        {
            bundle["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = B64(payload),
                ["payloadType"] = parts.PayloadType,
                ["signatures"] = new JsonArray(new JsonObject { ["sig"] = B64(shown), ["keyid"] = "" }),
            };
        }
        else
        {
            bundle["messageSignature"] = new JsonObject
            {
                ["messageDigest"] = new JsonObject { ["algorithm"] = "SHA2_256", ["digest"] = B64(SHA256.HashData(parts.Artifact)) },
                ["signature"] = B64(shown),
            };
        }
        parts.Bundle?.Invoke(bundle);
        return bundle.ToJsonString();
    }

    private byte[] RekorId => SHA256.HashData(_rekor.ExportSubjectPublicKeyInfo());

    private byte[] Rekor2Id => SHA256.HashData([.. Encoding.UTF8.GetBytes(Origin2), 10, 1, .. _rekor2.PublicKey.Bytes]);

    private JsonObject Entry(SigstoreParts parts, byte[] signed, byte[] payload, byte[] signature, byte[] signer)
    {
        string kind = parts.Kind ?? (parts.Rekor == 2 ? "hashedrekord/0.0.2" : parts.Envelope ? "dsse/0.0.1" : "hashedrekord/0.0.1");
        var spec = Spec(kind, parts, signed, payload, signature, signer);
        parts.Body?.Invoke(spec);
        var (name, version) = (kind.Split('/')[0], kind.Split('/')[1]);
        byte[] body = Encoding.UTF8.GetBytes(new JsonObject { ["apiVersion"] = version, ["kind"] = name, ["spec"] = spec }.ToJsonString());

        // The second of three leaves, so that the path has a step to either side.
        var (left, leaf, last) = (TreeHash.OfLeaf("left"u8), TreeHash.OfLeaf(body), TreeHash.OfLeaf("last"u8));
        var root = TreeHash.OfNode(TreeHash.OfNode(left, leaf), last);
        byte[] id = parts.Rekor == 1 ? RekorId : Rekor2Id;
        string text = $"{(parts.Rekor == 1 ? Origin : Origin2)}\n3\n{root}\n";
        byte[] noteSignature = new byte[64];
        _rekor2.Sign(Encoding.UTF8.GetBytes(text), noteSignature);
        if (parts.Rekor == 1)
        {
            noteSignature = _rekor.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        long time = (Signed + parts.IntegratedAfter).ToUnixTimeSeconds();
        var entry = new JsonObject
        {
            ["logIndex"] = "1001",
            ["logId"] = new JsonObject { ["keyId"] = B64(id) },
            ["kindVersion"] = new JsonObject { ["kind"] = name, ["version"] = version },
            ["inclusionProof"] = new JsonObject
            {
                ["logIndex"] = "1",
                ["rootHash"] = $"{root}",
                ["treeSize"] = "3",
                ["hashes"] = new JsonArray($"{left}", $"{last}"),
                ["checkpoint"] = new JsonObject { ["envelope"] = $"{text}\n— {(parts.Rekor == 1 ? Name : Origin2)} {B64([.. id[..4], .. noteSignature])}\n" },
            },
            ["canonicalizedBody"] = B64(body),
        };
        if (parts.Rekor == 1 && parts.Promise)
        {
            byte[] promised = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"body":"{{B64(body)}}","integratedTime":{{time}},"logID":"{{Convert.ToHexStringLower(id)}}","logIndex":1001}"""));
            entry["integratedTime"] = time.ToString(CultureInfo.InvariantCulture);
            entry["inclusionPromise"] = new JsonObject { ["signedEntryTimestamp"] = B64(_rekor.SignData(promised, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)) };
        }
        return entry;
    }

    private static JsonObject Spec(string kind, SigstoreParts parts, byte[] signed, byte[] payload, byte[] signature, byte[] signer)
    {
        string pem = B64(Encoding.ASCII.GetBytes(PemEncoding.WriteString(parts.ManagedKey is null ? "CERTIFICATE" : "PUBLIC KEY", signer) + "\n"));
        JsonObject Verifier() => new() { ["keyDetails"] = "PKIX_ECDSA_P256_SHA_256", [parts.ManagedKey is null ? "x509Certificate" : "publicKey"] = Raw(signer) };
        static JsonObject Sha(byte[] content) => new() { ["algorithm"] = "sha256", ["value"] = Convert.ToHexStringLower(SHA256.HashData(content)) };
        static JsonObject Sha2(byte[] content) => new() { ["algorithm"] = "SHA2_256", ["digest"] = B64(SHA256.HashData(content)) };
        return kind switch
        {
            "hashedrekord/0.0.1" => new() { ["data"] = new JsonObject { ["hash"] = Sha(signed) }, ["signature"] = new JsonObject { ["content"] = B64(signature), ["publicKey"] = new JsonObject { ["content"] = pem } } },
            "hashedrekord/0.0.2" => new() { ["hashedRekordV002"] = new JsonObject { ["data"] = Sha2(signed), ["signature"] = new JsonObject { ["content"] = B64(signature), ["verifier"] = Verifier() } } },
            "dsse/0.0.1" => new() { ["envelopeHash"] = Sha([]), ["payloadHash"] = Sha(payload), ["signatures"] = new JsonArray(new JsonObject { ["signature"] = B64(signature), ["verifier"] = pem }) },
            "dsse/0.0.2" => new() { ["dsseV002"] = new JsonObject { ["payloadHash"] = Sha2(payload), ["signatures"] = new JsonArray(new JsonObject { ["content"] = B64(signature), ["verifier"] = Verifier() }) } },
            "intoto/0.0.2" => new()
            {
                ["content"] = new JsonObject
                {
                    ["envelope"] = new JsonObject { ["payloadType"] = parts.PayloadType, ["signatures"] = new JsonArray(new JsonObject { ["publicKey"] = pem, ["sig"] = B64(Encoding.ASCII.GetBytes(B64(signature))) }) },
                    ["hash"] = Sha([]),
                    ["payloadHash"] = Sha(payload),
                },
            },
            _ => new(),
        };
    }

    private JsonObject Log(byte[] key, byte[] id, string details) => new()
    {
        ["baseUrl"] = "https://log.example",
        ["hashAlgorithm"] = "SHA2_256",
        ["publicKey"] = new JsonObject { ["rawBytes"] = B64(key), ["keyDetails"] = details, ["validFor"] = Period() },
        ["logId"] = new JsonObject { ["keyId"] = B64(id) },
    };

    private JsonObject Authority(params byte[][] chain) => new()
    {
        ["uri"] = "https://authority.example",
        ["certChain"] = new JsonObject { ["certificates"] = new JsonArray([.. chain.Select(Raw)]) },
        ["validFor"] = Period(),
    };

    private JsonObject Period() => new() { ["start"] = (_now - TimeSpan.FromDays(300)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) };

    private byte[] Ed25519Spki() => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. _rekor2.PublicKey.Bytes];

    public static JsonObject Raw(byte[] der) => new() { ["rawBytes"] = B64(der) };

    public static string B64(byte[] bytes) => Convert.ToBase64String(bytes);

    public static ECDsa P256() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        Certificates.Dispose();
        Stamps.Dispose();
        _leaf.Dispose();
        _rekor.Dispose();
        _rekor2.Dispose();
    }
}
