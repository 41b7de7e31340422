using System.Text;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Transparency.Tests.Sigstore;

/// <summary>The bundles of Sigstore's conformance suite: each verdict, and for each refusal its reason (docs/sigstore-vectors.md).</summary>
public class SigstoreVectorTests
{
    private const string Workflow = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
    private const string Issuer = "https://token.actions.githubusercontent.com";

    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    // Null is accepted, "malformed" is that it is no bundle or no key.
    public static TheoryData<string, string?> Cases => new()
    {
        { "bundle-malformed-json_fail", "malformed" },
        { "bundle-with-sct-with-extensions", null },
        { "checkpoint-bad-keyhint_fail", nameof(SigstoreCheck.CheckpointSigner) },
        { "checkpoint-wrong-roothash_fail", nameof(SigstoreCheck.CheckpointRoot) },
        { "dsse-invalid-sig_fail", nameof(SigstoreCheck.Signature) },
        { "dsse-mismatch-envelope_fail", nameof(SigstoreCheck.EntryContent) },
        { "dsse-mismatch-sig_fail", nameof(SigstoreCheck.EntryContent) },
        { "happy-path-intoto-in-dsse-v3", null },
        { "happy-path-v0.1", null },
        { "happy-path-v0.3", null },
        { "incorrect-public-key_fail", nameof(SigstoreCheck.EntryContent) },
        { "intoto-missing-inclusion-proof_fail", "malformed" },
        { "invalid-ct-key_fail", nameof(SigstoreCheck.CertificateTimestamps) },
        { "managed-key-no-key_fail", nameof(SigstoreCheck.Certificate) },
        { "managed-key-wrong-key_fail", "malformed" },
        { "rekor2-checkpoint-cosigned", null },
        { "rekor2-checkpoint-missing-log-signature_fail", nameof(SigstoreCheck.EntryProof) },
        { "rekor2-checkpoint-missing-origin_fail", nameof(SigstoreCheck.EntryProof) },
        { "rekor2-checkpoint-missing-root-hash_fail", nameof(SigstoreCheck.EntryProof) },
        { "rekor2-checkpoint-multiple-cosigs", null },
        { "rekor2-checkpoint-two-sigs-cosigned", null },
        { "rekor2-dsse-happy-path", null },
        { "rekor2-dsse-mismatch-envelope_fail", nameof(SigstoreCheck.EntryContent) },
        { "rekor2-happy-path", null },
        { "rekor2-no-inclusion-proof_fail", "malformed" },
        { "rekor2-timestamp-outside-trust-root-tsa-validity_fail", nameof(SigstoreCheck.Timestamps) },
        { "rekor2-timestamp-payload-mismatch_fail", nameof(SigstoreCheck.Timestamps) },
        { "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", nameof(SigstoreCheck.Timestamps) },
        { "rekor2-timestamp-with-embedded-cert", null },
        { "rekor2-timestamp-with-incorrect-time_fail", "malformed" },
        { "rekor2-timestamp-without-embedded-cert", null },
        { "trust-root-tlog-validity-end-inclusive", null },
        { "wrong-hashedrekord-entry_fail", nameof(SigstoreCheck.EntryContent) },
        { "wrong-material_fail", nameof(SigstoreCheck.Signature) },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Every_bundle_has_the_right_verdict(string name, string? reason)
    {
        Assert.Equal(name.EndsWith("_fail", StringComparison.Ordinal), reason is not null);
        Assert.Equal(reason, Judge(name, Repository.Vector($"sigstore/{name}/bundle.sigstore.json")));
    }

    [Fact]
    public void Every_published_bundle_is_judged()
    {
        string folder = Repository.VectorPath("sigstore");
        Assert.SkipUnless(Directory.Exists(folder), "The published bundles are not beside this checkout.");
        Assert.Equal(Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal), Cases.Select(one => (string)one.Data.Item1).Order(StringComparer.Ordinal));
    }

    /// <summary>The bundle that is refused for want of a key is good with the key that the log recorded.</summary>
    [Fact]
    public void A_real_bundle_of_a_known_key_is_accepted_by_artifact_and_by_digest()
    {
        byte[] json = Repository.Vector("sigstore/managed-key-no-key_fail/bundle.sigstore.json"), artifact = Repository.Vector("sigstore/a.txt");
        byte[] body = Convert.FromBase64String((string)JsonNode.Parse(json)!["verificationMaterial"]!["tlogEntries"]![0]!["canonicalizedBody"]!);
        byte[] pem = Convert.FromBase64String((string)JsonNode.Parse(body)!["spec"]!["signature"]!["publicKey"]!["content"]!);
        Assert.True(SigstoreBundle.TryParse(json, out var bundle) & SigstorePublicKey.TryParse(pem, out var key));
        foreach (var named in new[] { SigstoreArtifact.Of(artifact), SigstoreArtifact.WithDigest(System.Security.Cryptography.SHA256.HashData(artifact)) })
        {
            Assert.True(SigstoreVerification.Verify(bundle!, SigstoreTrustedRoot.PublicGood, named, new SigstorePolicy { Key = key, MinimumTimestamps = 0 }, Now).IsAccepted);
        }
    }

    /// <summary>That bundle's timestamp is broken into lines, which no base64 here may be; as one line it is refused for its time.</summary>
    [Fact]
    public void The_timestamp_of_another_time_is_refused_for_its_time()
    {
        const string name = "rekor2-timestamp-with-incorrect-time_fail";
        var bundle = JsonNode.Parse(Repository.Vector($"sigstore/{name}/bundle.sigstore.json"))!;
        var stamp = bundle["verificationMaterial"]!["timestampVerificationData"]!["rfc3161Timestamps"]![0]!;
        stamp["signedTimestamp"] = ((string)stamp["signedTimestamp"]!).Replace("\n", "", StringComparison.Ordinal);
        Assert.Equal(nameof(SigstoreCheck.CertificateValidity), Judge(name, Encoding.UTF8.GetBytes(bundle.ToJsonString())));
    }

    private static string? Judge(string name, byte[] json)
    {
        var root = SigstoreTrustedRoot.PublicGood;
        Assert.True(!IsThere(name, "trusted_root.json") || SigstoreTrustedRoot.TryParse(Repository.Vector($"sigstore/{name}/trusted_root.json"), out root));
        SigstorePublicKey? key = null;
        if (!SigstoreBundle.TryParse(json, out var bundle) || (IsThere(name, "key.pub") && !SigstorePublicKey.TryParse(Repository.Vector($"sigstore/{name}/key.pub"), out key)))
        {
            return "malformed";
        }
        byte[] artifact = Repository.Vector(IsThere(name, "artifact") ? $"sigstore/{name}/artifact" : "sigstore/a.txt");
        var policy = key is null ? new SigstorePolicy { CertificateIdentity = Workflow, OidcIssuer = Issuer, ProofRequired = false } : new SigstorePolicy { Key = key, MinimumTimestamps = 0 };
        return SigstoreVerification.Verify(bundle, root!, SigstoreArtifact.Of(artifact), policy, Now).FirstFailure?.ToString();
    }

    private static bool IsThere(string name, string file) => File.Exists(Repository.VectorPath($"sigstore/{name}/{file}"));
}
