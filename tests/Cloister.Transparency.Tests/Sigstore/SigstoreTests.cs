using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Transparency.Tests.Sigstore;

/// <summary>Bundles of all versions, both logs, every kind of entry: what is good is accepted, what is spoiled fails where it is spoiled.</summary>
public class SigstoreTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigstoreAuthority Authority = new(Now);
    private static readonly SigstorePolicy Policy = new() { CertificateIdentity = SigstoreAuthority.Identity, OidcIssuer = SigstoreAuthority.Issuer };

    public static TheoryData<string, int, bool> Kinds => new()
    {
        { "dsse/0.0.1", 1, true }, { "intoto/0.0.2", 1, true }, { "hashedrekord/0.0.1", 1, true }, { "hashedrekord/0.0.1", 1, false },
        { "hashedrekord/0.0.2", 2, true }, { "hashedrekord/0.0.2", 2, false }, { "dsse/0.0.2", 2, true },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_of_entry_is_taken_for_its_own_signature_only(string kind, int rekor, bool envelope)
    {
        var parts = new SigstoreParts { Kind = kind, Rekor = rekor, Envelope = envelope, Timestamps = rekor - 1 };
        Accepted(parts);

        // Each text in the entry, spoiled alone; what is not compared is told by name.
        foreach (string path in Leaves(Recorded(parts)).Where(path => !path.EndsWith("keyDetails", StringComparison.Ordinal) && !path.Contains("envelopeHash", StringComparison.Ordinal) && !path.Contains("content/hash/", StringComparison.Ordinal)))
        {
            Refused(SigstoreCheck.EntryContent, parts with { Body = spec => Spoil(spec, path) });
        }
    }

    [Fact]
    public void An_entry_of_an_unknown_kind_is_refused()
    {
        Refused(SigstoreCheck.EntryContent, new() { Kind = "rfc3161/0.0.1" });
        Refused(SigstoreCheck.EntryContent, new() { Kind = "dsse/0.0.1", Envelope = false });
        Refused(SigstoreCheck.EntryContent, new() { Bundle = bundle => Entry(bundle)["kindVersion"]!["version"] = "0.0.2" });
    }

    [Fact]
    public void Each_version_has_its_own_rules()
    {
        const string v1 = "application/vnd.dev.sigstore.bundle+json;version=0.1", v2 = "application/vnd.dev.sigstore.bundle+json;version=0.2";
        Accepted(new() { MediaType = v1 });
        Accepted(new() { MediaType = v2 });
        Accepted(new() { MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.3" });

        Malformed(new() { MediaType = v1, Promise = false });
        Malformed(new() { MediaType = v2, Bundle = bundle => Entry(bundle).Remove("inclusionProof") });
        Malformed(new() { MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.4" });
        Malformed(new() { MediaType = v2, Bundle = bundle => bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.3+json" });
        Malformed(new() { Bundle = bundle => bundle["mediaType"] = v2 });
        Malformed(new() { MediaType = v2, Bundle = bundle => Chain(bundle).Add(SigstoreAuthority.Raw(Authority.Certificates.Root)) });
        Malformed(new() { MediaType = v2, Bundle = bundle => Chain(bundle).Clear() });

        var promised = new SigstoreParts { MediaType = v1, Bundle = bundle => Entry(bundle).Remove("inclusionProof") };
        Refused(SigstoreCheck.EntryProof, promised);
        Accepted(promised, Policy with { ProofRequired = false });
        var chained = new SigstoreParts { MediaType = v2, Bundle = bundle => Chain(bundle).Add(SigstoreAuthority.Raw(Authority.Certificates.Intermediate)) };
        Accepted(chained);
        Refused(SigstoreCheck.Certificate, chained, Policy with { SoleCertificate = true });
    }

    [Fact]
    public void What_is_no_bundle_is_malformed()
    {
        Action<JsonObject>[] spoils =
        [
            bundle => bundle["more"] = 1, bundle => bundle.Remove("dsseEnvelope"), bundle => bundle.Remove("mediaType"), bundle => bundle["mediaType"] = 3, bundle => bundle.Remove("verificationMaterial"),
            bundle => bundle["messageSignature"] = new JsonObject { ["signature"] = "AAAA" }, bundle => Material(bundle)["publicKey"] = new JsonObject(), bundle => Material(bundle)["more"] = 1,
            bundle => Material(bundle)["certificate"]!["rawBytes"] = "AAAA", bundle => Material(bundle)["certificate"]!["rawBytes"] = "AAA", bundle => Material(bundle)["certificate"]!["more"] = 1,
            bundle => Entry(bundle)["logIndex"] = "-1", bundle => Entry(bundle)["logIndex"] = "1x", bundle => Entry(bundle)["logIndex"] = 1.5, bundle => Entry(bundle)["integratedTime"] = "999999999999999",
            bundle => Entry(bundle).Remove("canonicalizedBody"), bundle => Entry(bundle).Remove("logId"), bundle => Entry(bundle).Remove("kindVersion"), bundle => Entry(bundle)["more"] = "1",
            bundle => Proof(bundle)["rootHash"] = "AAAA", bundle => Proof(bundle)["hashes"]![0] = "AAAA", bundle => Proof(bundle).Remove("checkpoint"), bundle => Proof(bundle)["more"] = "1",
            bundle => Proof(bundle)["hashes"] = new JsonArray([.. Enumerable.Repeat((string)Proof(bundle)["rootHash"]!, 64).Select(hash => (JsonNode)hash)]),
            bundle => bundle["dsseEnvelope"]!["more"] = 1, bundle => bundle["dsseEnvelope"]!["payload"] = "AAAB=", bundle => bundle["dsseEnvelope"]!["signatures"]![0]!["more"] = 1,
            bundle => Material(bundle)["tlogEntries"] = new JsonArray([.. Enumerable.Range(0, 17).Select(_ => Entry(bundle).DeepClone())]),
        ];
        Assert.All(spoils, spoil => Malformed(new() { Bundle = spoil }));

        string good = Authority.Bundle();
        Assert.False(SigstoreBundle.TryParse(Encoding.UTF8.GetBytes(good + "{}"), out _));
        Assert.False(SigstoreBundle.TryParse(Encoding.UTF8.GetBytes(good.Insert(1, "\"mediaType\":\"\",")), out _));
        Assert.False(SigstoreBundle.TryParse(new byte[SigstoreBundle.MaxSize + 1], out _));
    }

    [Fact]
    public void Numbers_may_be_written_either_way_and_null_is_nothing()
    {
        Accepted(new() { Bundle = bundle => { Entry(bundle)["logIndex"] = 1001; Proof(bundle)["treeSize"] = 3; Material(bundle)["timestampVerificationData"] = null; bundle["messageSignature"] = null; } });
        Accepted(new() { Rekor = 2, Timestamps = 1, Bundle = bundle => { Entry(bundle)["inclusionPromise"] = null; Entry(bundle)["integratedTime"] = "0"; } });
    }

    [Fact]
    public void A_known_key_stands_for_the_certificate()
    {
        using var key = SigstoreAuthority.P256();
        using var other = SigstoreAuthority.P256();
        var policy = new SigstorePolicy { Key = Key(key), MinimumTimestamps = 0 };
        Accepted(new() { ManagedKey = key }, policy);
        Accepted(new() { ManagedKey = key, Envelope = false }, policy);
        Accepted(new() { ManagedKey = key, Rekor = 2 }, policy);
        Assert.Equal(SigstoreCheck.Signature, Verify(new() { ManagedKey = key }, policy with { Key = Key(other) }, null).FirstFailure);
        Refused(SigstoreCheck.Certificate, new() { ManagedKey = key }, new SigstorePolicy());
        Refused(SigstoreCheck.Certificate, new(), policy);
        Refused(SigstoreCheck.EntryCount, new() { ManagedKey = key, Bundle = bundle => Material(bundle)["tlogEntries"] = new JsonArray() }, policy);
        Accepted(new() { ManagedKey = key, Bundle = bundle => Material(bundle)["tlogEntries"] = new JsonArray() }, policy with { MinimumEntries = 0 });
        Assert.False(SigstorePublicKey.TryParse(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "more"), out _));
        Assert.False(SigstorePublicKey.TryParse("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"u8, out _));
    }

    [Theory, InlineData(2048), InlineData(3072)]
    public void Keys_of_every_kind_sign(int rsaBits)
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(rsaBits);
        byte[] message = "message"u8.ToArray();
        Assert.True(SigstoreKey.TryRead(p384.ExportSubjectPublicKeyInfo(), out var curve) && curve.Verify(curve.Hash, message, p384.SignData(message, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence)));
        byte[] signature = rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Assert.True(SigstoreKey.TryRead(rsa.ExportSubjectPublicKeyInfo(), out var key) && key.Verify(key.Hash, message, signature) && key.VerifyHash(key.Hash, SHA256.HashData(message), signature));
        Assert.True(SigstoreKey.TryRead(rsa.ExportRSAPublicKey(), out var bare) && bare.Verify(bare.Hash, message, signature));
        Assert.False(key.VerifyHash(key.Hash, new byte[32], signature));
        Assert.False(curve.Verify(curve.Hash, message, signature));
    }

    [Fact]
    public void An_artifact_may_be_named_by_its_digest()
    {
        var parts = new SigstoreParts { Envelope = false };
        Assert.True(Verify(parts, Policy, SigstoreArtifact.WithDigest(SHA256.HashData(parts.Artifact))).IsAccepted);
        Assert.Equal(SigstoreCheck.Signature, Verify(parts, Policy, SigstoreArtifact.Of("another"u8.ToArray())).FirstFailure);
        Assert.Equal(SigstoreCheck.Signature, Verify(parts with { Bundle = bundle => bundle["messageSignature"]!["messageDigest"]!["digest"] = Convert.ToBase64String(new byte[32]) }, Policy, null).FirstFailure);
        Assert.Throws<ArgumentException>(() => SigstoreArtifact.WithDigest(new byte[31]));
    }

    [Fact]
    public void Changing_one_demand_changes_the_verdict()
    {
        Refused(SigstoreCheck.CertificateIdentity, new(), Policy with { CertificateIdentity = "someone@example.com" });
        Refused(SigstoreCheck.OidcIssuer, new(), Policy with { OidcIssuer = "https://other.example" });
        Accepted(new(), Policy with { Repository = SigstoreAuthority.Repository, WorkflowRefPrefix = "refs/tags/" });
        Refused(SigstoreCheck.Repository, new(), Policy with { Repository = "owner/other" });
        Refused(SigstoreCheck.WorkflowRef, new(), Policy with { Repository = SigstoreAuthority.Repository, WorkflowRefPrefix = "refs/heads/" });
        Refused(SigstoreCheck.PayloadType, new(), Policy with { PayloadType = "text/plain" });
        Refused(SigstoreCheck.StatementType, new(), Policy with { StatementTypes = [] });
        Refused(SigstoreCheck.PredicateType, new(), Policy with { PredicateTypes = ["other"] });
        Refused(SigstoreCheck.Content, new() { Envelope = false }, Policy with { EnvelopeRequired = true });
        Refused(SigstoreCheck.EntryCount, new(), Policy with { MinimumEntries = 2 });
        Refused(SigstoreCheck.EntryCount, new(), Policy with { MaximumEntries = 0 });
        Refused(SigstoreCheck.CertificateTimestamps, new(), Policy with { MinimumCertificateTimestamps = 2 });
        Refused(SigstoreCheck.Timestamps, new(), Policy with { MinimumTimestamps = 2 });
        Accepted(new() { Timestamps = 1 }, Policy with { MinimumTimestamps = 2 });
        var second = new SigstoreParts { Statement = SigstoreAuthority.Statement(subject: $$$"""[{"name":"b"},{"digest":{"sha256":"{{{Convert.ToHexStringLower(SHA256.HashData(new SigstoreParts().Artifact))}}}"}}]""") };
        Accepted(second);
        Refused(SigstoreCheck.SubjectDigest, second, Policy with { FirstSubjectOnly = true });
    }

    [Fact]
    public void What_is_spoiled_in_one_thing_fails_there_alone()
    {
        Refused(SigstoreCheck.Content, new() { Bundle = bundle => bundle["dsseEnvelope"]!["signatures"] = new JsonArray() });
        Refused(SigstoreCheck.Signature, new() { Envelope = false, Bundle = bundle => bundle["messageSignature"]!["messageDigest"]!["digest"] = Convert.ToBase64String(new byte[32]) });
        Refused(SigstoreCheck.CertificateValidity, new() { IntegratedAfter = TimeSpan.FromMinutes(11) });
        Refused(SigstoreCheck.EntryPromise, new() { Timestamps = 1, Bundle = bundle => Entry(bundle)["logIndex"] = "1002" });
        Refused(SigstoreCheck.EntryProof, new() { Bundle = bundle => Proof(bundle)["hashes"]!.AsArray().RemoveAt(1) });
        Refused(SigstoreCheck.Timestamps, new() { Promise = false });
        Refused(SigstoreCheck.Timestamps, new() { Rekor = 2, Timestamps = 1, Stamped = [1] });
        Refused(SigstoreCheck.StatementForm, new() { Statement = "{}" });
        Refused(SigstoreCheck.StatementForm, new() { Statement = SigstoreAuthority.Statement(more: ",\"predicate\":{}") });
        Refused(SigstoreCheck.SubjectPresent, new() { Statement = SigstoreAuthority.Statement(subject: "[]") });
        Refused(SigstoreCheck.SubjectDigest, new() { Statement = SigstoreAuthority.Statement(digest: new string('0', 64)) });
        Refused(SigstoreCheck.Predicate, new() { Statement = SigstoreAuthority.Statement(predicate: "{}") });
        Assert.Equal(SigstoreCheck.EntryKey, Verify(new() { Rekor = 2, Timestamps = 1 }, Policy, null, root => root["tlogs"]!.AsArray().RemoveAt(1)).FirstFailure);
        Assert.Equal(SigstoreCheck.EntryKey, Verify(new() { Rekor = 2, Timestamps = 1 }, Policy, null, root => root["tlogs"]![1]!["publicKey"]!["rawBytes"] = root["tlogs"]![0]!["publicKey"]!["rawBytes"]!.DeepClone()).FirstFailure);
    }

    /// <summary>A time that is later than the verifier's counts as none, a clock's difference aside.</summary>
    [Fact]
    public void The_future_vouches_for_nothing()
    {
        foreach (var parts in new SigstoreParts[] { new(), new() { Rekor = 2, Timestamps = 1 } })
        {
            Assert.True(SigstoreBundle.TryParse(Encoding.UTF8.GetBytes(Authority.Bundle(parts)), out var bundle) & SigstoreTrustedRoot.TryParse(Encoding.UTF8.GetBytes(Authority.TrustedRoot()), out var root));
            SigstoreCheck? At(TimeSpan before) => SigstoreVerification.Verify(bundle!, root!, SigstoreArtifact.Of(parts.Artifact), Policy, Authority.Signed - before).FirstFailure;
            Assert.Null(At(TimeSpan.FromMinutes(5)));
            Assert.Equal(SigstoreCheck.Timestamps, At(TimeSpan.FromMinutes(6)));
        }
    }

    [Fact]
    public void A_certificate_is_judged_by_what_it_is_for()
    {
        Refused(SigstoreCheck.CertificateChain, new() { Leaf = new() { CriticalStranger = true } });
        Refused(SigstoreCheck.CertificateChain, new() { Leaf = new() { Authority = true } });
        Refused(SigstoreCheck.CertificateChain, new() { Leaf = new() { Purpose = "1.3.6.1.5.5.7.3.8" } });
        Refused(SigstoreCheck.CertificateIdentity, new() { Leaf = new() { Subject = null } });
        Accepted(new() { Leaf = new() { TimestampExtensions = [0, 0, 5, 0, 0, 0, 0, 9] } });
        Accepted(new() { Leaf = new() { Logs = [0, 1] } }, Policy with { MinimumCertificateTimestamps = 2 });
        Refused(SigstoreCheck.CertificateTimestampLogs, new() { Leaf = new() { Logs = [1, 1] } });
    }

    [Fact]
    public void A_checkpoint_of_another_log_in_the_same_name_is_refused()
    {
        Refused(SigstoreCheck.CheckpointSigner, Checkpoint(text => text.Replace("— rekor.example", "— other.example", StringComparison.Ordinal)));
        Refused(SigstoreCheck.CheckpointSigner, Checkpoint(text => text.Replace("rekor.example - 1234", "other.example - 1234", StringComparison.Ordinal)));
        Refused(SigstoreCheck.CheckpointSignature, Checkpoint(text => text.Replace("1234\n", "1235\n", StringComparison.Ordinal)));
        Refused(SigstoreCheck.CheckpointSignature, Checkpoint(text => text.Replace("\n\n", "\nmore\n\n", StringComparison.Ordinal)) with { Rekor = 2, Timestamps = 1 });
        Assert.Equal(SigstoreCheck.CheckpointRoot, Verify(Checkpoint(text => text.Replace("\n3\n", "\n4\n", StringComparison.Ordinal)), Policy, null).FirstFailure);
        Refused(SigstoreCheck.CheckpointRoot, new() { Bundle = bundle => Proof(bundle)["rootHash"] = $"{TreeHash.Empty}" });
        Accepted(Checkpoint(text => text + "— witness.example AAAAAAAA\n"));

        static SigstoreParts Checkpoint(Func<string, string> change) => new()
        {
            Bundle = bundle => Proof(bundle)["checkpoint"]!["envelope"] = change((string)Proof(bundle)["checkpoint"]!["envelope"]!),
        };
    }

    [Fact]
    public void A_trusted_root_needs_each_of_its_three_parts()
    {
        Action<JsonObject>[] spoils =
        [
            root => root["certificateAuthorities"] = new JsonArray(), root => root.Remove("tlogs"), root => root["ctlogs"] = null, root => root["mediaType"] = "other", root => root["tlogs"] = 1,
            root => root["certificateAuthorities"]![0]!["certChain"]!["certificates"]![0]!["rawBytes"] = "AAAA", root => root["certificateAuthorities"]![0]!["certChain"]!["certificates"] = new JsonArray(),
            root => root["tlogs"]![0]!["logId"]!["keyId"] = "AAA=", root => root["ctlogs"]![0]!["publicKey"]!["validFor"]!["start"] = "yesterday",
            root => { foreach (var log in root["tlogs"]!.AsArray()) { log!["publicKey"]!["rawBytes"] = "AAAA"; } },
        ];
        Assert.All(spoils, spoil => Assert.False(SigstoreTrustedRoot.TryParse(Encoding.UTF8.GetBytes(Authority.TrustedRoot(spoil)), out var root) && root.IsComplete));
        Assert.True(SigstoreTrustedRoot.TryParse(Encoding.UTF8.GetBytes(Authority.TrustedRoot(root => { root.Remove("mediaType"); root["more"] = 1; root.Remove("timestampAuthorities"); })), out var whole) && whole.IsComplete);
        Assert.True(SigstoreTrustedRoot.TryParse("{}"u8.ToArray(), out var empty) && !empty.IsComplete);
        Assert.False(SigstoreTrustedRoot.TryParse(new byte[SigstoreTrustedRoot.MaxSize + 1], out _));
        Assert.Equal((2, 2, 2, 1), (SigstoreTrustedRoot.PublicGood.Logs.Length, SigstoreTrustedRoot.PublicGood.CertificateLogs.Length, SigstoreTrustedRoot.PublicGood.CertificateAuthorities.Length, SigstoreTrustedRoot.PublicGood.TimestampAuthorities.Length));
    }

    /// <summary>Old roots name the root before the intermediate.</summary>
    [Fact]
    public void The_order_of_authorities_does_not_matter_and_a_lone_intermediate_is_an_anchor()
    {
        Assert.True(Verify(new(), Policy, null, root => Chain(root, Authority.Certificates.Root, Authority.Certificates.Intermediate)).IsAccepted);
        Assert.True(Verify(new(), Policy, null, root => Chain(root, Authority.Certificates.Intermediate)).IsAccepted);
        Assert.Equal(SigstoreCheck.CertificateChain, Verify(new(), Policy, null, root => Chain(root, Authority.Certificates.Root)).FirstFailure);
        Assert.Equal(SigstoreCheck.CertificateChain, Verify(new(), Policy, null, root => Chain(root, Authority.Certificates.Intermediate, Authority.Stamps.Root)).FirstFailure);

        static void Chain(JsonObject root, params byte[][] chain) => root["certificateAuthorities"]![0]!["certChain"]!["certificates"] = new JsonArray([.. chain.Select(SigstoreAuthority.Raw)]);
    }

    private static SigstoreResult Verify(SigstoreParts parts, SigstorePolicy policy, SigstoreArtifact? artifact, Action<JsonObject>? root = null)
    {
        Assert.True(SigstoreBundle.TryParse(Encoding.UTF8.GetBytes(Authority.Bundle(parts)), out var bundle));
        Assert.True(SigstoreTrustedRoot.TryParse(Encoding.UTF8.GetBytes(Authority.TrustedRoot(root)), out var trusted));
        return SigstoreVerification.Verify(bundle, trusted, artifact ?? SigstoreArtifact.Of(parts.Artifact), policy, Now);
    }

    private static void Accepted(SigstoreParts parts, SigstorePolicy? policy = null)
    {
        var result = Verify(parts, policy ?? Policy, null);
        Assert.True(result.IsAccepted && result.FirstFailure is null, $"{result.FirstFailure}: {string.Join(", ", result.Findings.Where(one => one.Verdict is SigstoreVerdict.Failed))}");
    }

    // That check alone: whatever else did not pass was not reached.
    private static void Refused(SigstoreCheck check, SigstoreParts parts, SigstorePolicy? policy = null)
    {
        var result = Verify(parts, policy ?? Policy, null);
        Assert.False(result.IsAccepted);
        Assert.Equal([check], result.Findings.Where(one => one.Verdict is SigstoreVerdict.Failed && one.Found != "not reached").Select(one => one.Name));
    }

    private static void Malformed(SigstoreParts parts) => Assert.False(SigstoreBundle.TryParse(Encoding.UTF8.GetBytes(Authority.Bundle(parts)), out _));

    private static SigstorePublicKey Key(ECDsa key) => SigstorePublicKey.TryParse(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()), out var read) ? read : throw new InvalidOperationException();

    private static JsonObject Material(JsonObject bundle) => bundle["verificationMaterial"]!.AsObject();

    private static JsonObject Entry(JsonObject bundle) => Material(bundle)["tlogEntries"]![0]!.AsObject();

    private static JsonObject Proof(JsonObject bundle) => Entry(bundle)["inclusionProof"]!.AsObject();

    private static JsonArray Chain(JsonObject bundle) => Material(bundle)["x509CertificateChain"]!["certificates"]!.AsArray();

    private static JsonObject Recorded(SigstoreParts parts)
    {
        JsonObject? spec = null;
        Authority.Bundle(parts with { Body = body => spec = body.DeepClone().AsObject() });
        return spec!;
    }

    private static IEnumerable<string> Leaves(JsonNode node, string path = "") => node switch
    {
        JsonObject members => members.SelectMany(member => Leaves(member.Value!, $"{path}/{member.Key}")),
        JsonArray items => items.SelectMany((item, index) => Leaves(item!, $"{path}/{index}")),
        _ => [path],
    };

    private static void Spoil(JsonNode node, string path)
    {
        string[] steps = path.Split('/')[1..];
        foreach (string step in steps[..^1])
        {
            node = (node is JsonArray items ? items[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : node[step])!;
        }
        string text = (string)node[steps[^1]]!;
        node[steps[^1]] = (text[0] == 'A' ? "B" : text[0] == '0' ? "1" : "A") + text[1..];
    }
}
