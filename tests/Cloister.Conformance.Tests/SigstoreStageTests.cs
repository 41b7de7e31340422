using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Conformance.Tests;

/// <summary>One bundle that is accepted, and each code by what is spoiled only there.</summary>
public class SigstoreStageTests
{
    private const string Stage = "verify-sigstore";

    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigstoreAuthority Sigstore = new(Now);

    [Theory, InlineData(1), InlineData(2)]
    public async Task A_genuine_bundle_is_accepted_and_read(int rekor)
    {
        var (exitCode, answer) = await RunAsync(Bundle(new() { Rekor = rekor, Timestamps = rekor - 1 }));
        Assert.Equal((0, true, Stage), (exitCode, (bool)answer!["accepted"]!, (string)answer["stage"]!));
        var outputs = answer["outputs"]!;
        Assert.Equal(SigstoreAuthority.MultiPlatform, (string)outputs["measurement"]!["type"]!);
        Assert.Equal([new string('a', 96), new string('b', 96), new string('c', 96)], outputs["measurement"]!["registers"]!.AsArray().Select(register => (string)register!));
        Assert.Equal((SigstoreAuthority.Issuer, SigstoreAuthority.Repository, SigstoreAuthority.Ref), ((string)outputs["oidc_issuer"]!, (string)outputs["workflow_repository"]!, (string)outputs["workflow_ref"]!));
    }

    [Fact]
    public async Task A_real_bundle_is_accepted_under_the_root_that_came_with_it()
    {
        const string folder = "sigstore/rekor2-dsse-happy-path", repository = "sigstore-conformance/extremely-dangerous-public-oidc-beacon";
        var input = Demand("workflow_ref_prefix", "refs/heads/main");
        input["bundle_b64"] = Convert.ToBase64String(Repository.Vector($"{folder}/bundle.sigstore.json"));
        input["trust_root_b64"] = Convert.ToBase64String(Repository.Vector($"{folder}/trusted_root.json"));
        input["expected_digest_sha256_hex"] = Convert.ToHexString(SHA256.HashData(Repository.Vector("sigstore/a.txt")));
        input["repo"] = repository;
        var (exitCode, answer) = await RunAsync(input);
        Assert.Equal((0, repository, "https://slsa.dev/provenance/v1"), (exitCode, (string)answer!["outputs"]!["workflow_repository"]!, (string)answer["outputs"]!["predicate_type"]!));
    }

    public static TheoryData<string> Codes => new(Spoiled.Select(one => one.Case));

    [Theory, MemberData(nameof(Codes))]
    public async Task Each_code_is_given_for_its_own_fault(string name)
    {
        var (exitCode, answer) = await RunAsync(Spoiled.Single(one => one.Case == name).Make());
        Assert.Equal((10, name.Split(':')[0]), (exitCode, (string?)answer?["rejection"]?["code"]));
    }

    // A code may come from several faults: what stands behind the colon tells them apart.
    private static readonly (string Case, Func<JsonObject> Make)[] Spoiled =
    [
        ("BUNDLE_MALFORMED", () => With("bundle_b64", Text("{"))),
        ("BUNDLE_MALFORMED:unknown member", () => Changed(bundle => bundle["more"] = 1)),
        ("BUNDLE_MALFORMED:no envelope", () => Bundle(new() { Envelope = false })),
        ("BUNDLE_MALFORMED:two signatures", () => Changed(bundle => Signatures(bundle).Add(Signatures(bundle)[0]!.DeepClone()))),
        ("BUNDLE_MALFORMED:no signature", () => Changed(bundle => Signatures(bundle).Clear())),
        ("BUNDLE_MALFORMED:no certificate", () => Changed(bundle => Material(bundle).Remove("certificate"))),
        ("BUNDLE_MALFORMED:no proof", () => Changed(bundle => Entry(bundle).Remove("inclusionProof"))),
        ("BUNDLE_MALFORMED:statement", () => Statement(SigstoreAuthority.Statement(more: ",\"more\":1"))),
        ("DSSE_SIGNATURE_INVALID", () => Bundle(new() { Signature = signature => signature[20] ^= 1 })),
        ("DSSE_SIGNATURE_INVALID:payload", () => Changed(bundle => bundle["dsseEnvelope"]!["payload"] = Text(SigstoreAuthority.Statement(more: " ")))),
        ("FULCIO_CHAIN_INVALID", () => Root(root => root["certificateAuthorities"]![0]!["certChain"]!["certificates"] = new JsonArray(SigstoreAuthority.Raw(Sigstore.Stamps.Root)))),
        ("FULCIO_CHAIN_INVALID:purpose", () => Leaf(new() { Purpose = "1.3.6.1.5.5.7.3.1" })),
        ("FULCIO_CHAIN_INVALID:authority", () => Leaf(new() { Authority = true })),
        ("FULCIO_CHAIN_INVALID:period", () => Root(root => root["certificateAuthorities"]![0]!["validFor"]!["end"] = "2026-01-01T00:00:00Z")),
        ("CERT_EXPIRED", () => Bundle(new() { IntegratedAfter = TimeSpan.FromMinutes(11) })),
        ("CERT_EXPIRED:not yet", () => Bundle(new() { IntegratedAfter = -TimeSpan.FromMinutes(1) })),
        ("CERT_EXPIRED:stamped", () => Bundle(new() { Timestamps = 1, StampedAfter = TimeSpan.FromMinutes(11) })),
        ("CERT_EXPIRED:claimed", () => Changed(bundle => Entry(bundle)["integratedTime"] = "1700000000")),
        ("SCT_INSUFFICIENT", () => Leaf(new() { Logs = [] })),
        ("SCT_INSUFFICIENT:two", () => Demand("sct_min", 2)),
        ("SCT_INSUFFICIENT:another key", () => Root(root => root["ctlogs"]![0]!["publicKey"]!["rawBytes"] = root["ctlogs"]![1]!["publicKey"]!["rawBytes"]!.DeepClone())),
        ("SCT_INSUFFICIENT:period", () => Root(root => root["ctlogs"]![0]!["publicKey"]!["validFor"]!["end"] = "2026-01-01T00:00:00Z")),
        ("SCT_DUPLICATE_LOG", () => Leaf(new() { Logs = [0, 0] }, Demand("sct_min", 2))),
        ("TLOG_COUNT_OUT_OF_RANGE", () => Changed(bundle => Material(bundle)["tlogEntries"] = new JsonArray())),
        ("TLOG_COUNT_OUT_OF_RANGE:more", () => Demand("tlog_entries_min", 2)),
        ("TLOG_COUNT_OUT_OF_RANGE:fewer", () => Changed(bundle => Material(bundle)["tlogEntries"]!.AsArray().Add(Entry(bundle).DeepClone()), Demand("tlog_entries_max", 1))),
        ("TLOG_COUNT_OUT_OF_RANGE:twice", () => Changed(bundle => Material(bundle)["tlogEntries"]!.AsArray().Add(Entry(bundle).DeepClone()), Demand("tlog_entries_min", 2))),
        ("REKOR_INCLUSION_INVALID", () => Changed(bundle => Entry(bundle)["inclusionProof"]!["hashes"]![0] = Convert.ToBase64String(new byte[32]))),
        ("REKOR_INCLUSION_INVALID:index", () => Changed(bundle => Entry(bundle)["inclusionProof"]!["logIndex"] = "0")),
        ("REKOR_INCLUSION_INVALID:promise", () => Changed(bundle => Entry(bundle)["logIndex"] = "1002")),
        ("REKOR_INCLUSION_INVALID:another signature", () => Bundle(new() { Body = spec => spec["signatures"]![0]!["signature"] = "AAAA" })),
        ("REKOR_INCLUSION_INVALID:another payload", () => Bundle(new() { Body = spec => spec["payloadHash"]!["value"] = new string('0', 64) })),
        ("REKOR_INCLUSION_INVALID:another signer", () => Bundle(new() { Body = spec => spec["signatures"]![0]!["verifier"] = "AAAA" })),
        ("REKOR_INCLUSION_INVALID:another kind", () => Changed(bundle => Entry(bundle)["kindVersion"]!["kind"] = "intoto")),
        ("REKOR_INCLUSION_INVALID:checkpoint", () => Changed(bundle => Checkpoint(bundle, text => text.Replace("\n\n", "\nmore\n\n", StringComparison.Ordinal)))),
        ("REKOR_INCLUSION_INVALID:no checkpoint", () => Changed(bundle => Checkpoint(bundle, _ => "no note\n"))),
        ("REKOR_KEY_NOT_TRUSTED", () => Root(root => root["tlogs"]!.AsArray().RemoveAt(0))),
        ("REKOR_KEY_NOT_TRUSTED:another key", () => Root(root => root["tlogs"]![0]!["publicKey"]!["rawBytes"] = root["ctlogs"]![0]!["publicKey"]!["rawBytes"]!.DeepClone())),
        ("REKOR_KEY_NOT_TRUSTED:period", () => Root(root => root["tlogs"]![0]!["publicKey"]!["validFor"]!["end"] = "2026-01-01T00:00:00Z")),
        ("REKOR_KEY_NOT_TRUSTED:key hint", () => Changed(bundle => Checkpoint(bundle, text => text.Replace("\n— rekor.example ", "\n— rekor.example AAAA", StringComparison.Ordinal)))),
        ("CHECKPOINT_ROOT_MISMATCH", () => Changed(bundle => Entry(bundle)["inclusionProof"]!["rootHash"] = Convert.ToBase64String(new byte[32]))),
        ("CHECKPOINT_ROOT_MISMATCH:text", () => Changed(bundle => Checkpoint(bundle, text => text.Replace((string)Entry(bundle)["inclusionProof"]!["rootHash"]!, Convert.ToBase64String(new byte[32]), StringComparison.Ordinal)))),
        ("OBSERVER_TIMESTAMP_INSUFFICIENT", () => Demand("observer_timestamps_min", 2)),
        ("OBSERVER_TIMESTAMP_INSUFFICIENT:none", () => Bundle(new() { Promise = false })),
        ("OBSERVER_TIMESTAMP_INSUFFICIENT:without a promise", () => Changed(bundle => Entry(bundle).Remove("inclusionPromise"))),
        ("OBSERVER_TIMESTAMP_INSUFFICIENT:of something else", () => Bundle(new() { Rekor = 2, Timestamps = 1, Stamped = [1] })),
        ("OBSERVER_TIMESTAMP_INSUFFICIENT:one authority twice", () => Bundle(new() { Rekor = 2, Timestamps = 2 }, Demand("observer_timestamps_min", 2))),
        ("OBSERVER_TIMESTAMP_INSUFFICIENT:from the future", () => With("verification_time_unix", Now.AddDays(-31).ToUnixTimeSeconds())),
        ("OIDC_ISSUER_MISMATCH", () => Demand("oidc_issuer", "https://other.example")),
        ("OIDC_ISSUER_MISMATCH:newer first", () => Leaf(new() { Issuer = "https://other.example" })),
        ("WORKFLOW_REPOSITORY_MISMATCH", () => With("repo", "owner/other")),
        ("WORKFLOW_REPOSITORY_MISMATCH:case", () => With("repo", "Owner/name")),
        ("WORKFLOW_REPOSITORY_MISMATCH:prefix", () => With("repo", "owner/nam")),
        ("WORKFLOW_REPOSITORY_MISMATCH:build signer", () => Leaf(new() { BuildSigner = $"https://github.com/owner/other/.github/workflows/build.yml@{SigstoreAuthority.Ref}" })),
        ("WORKFLOW_REPOSITORY_MISMATCH:newer", () => Leaf(new() { SourceRepository = "https://github.com/owner/other" })),
        ("WORKFLOW_REPOSITORY_MISMATCH:none", () => Leaf(new() { SourceRepository = null, OldRepository = null })),
        ("WORKFLOW_REF_PREFIX_MISMATCH", () => Demand("workflow_ref_prefix", "refs/heads/")),
        ("WORKFLOW_REF_PREFIX_MISMATCH:build signer", () => Leaf(new() { BuildSigner = $"https://github.com/{SigstoreAuthority.Repository}/.github/workflows/build.yml@refs/tags/v1" })),
        ("PAYLOAD_TYPE_MISMATCH", () => Demand("payload_type", "text/plain")),
        ("PAYLOAD_TYPE_MISMATCH:another", () => Bundle(new() { PayloadType = "text/plain" })),
        ("IN_TOTO_STATEMENT_TYPE_NOT_ALLOWED", () => Demand("in_toto_statement_types_allowed", new JsonArray("https://in-toto.io/Statement/v0.1"))),
        ("IN_TOTO_STATEMENT_TYPE_NOT_ALLOWED:none", () => Demand("in_toto_statement_types_allowed", new JsonArray())),
        ("PREDICATE_TYPE_NOT_ALLOWED", () => Demand("predicate_types_allowed", new JsonArray("https://slsa.dev/provenance/v1"))),
        ("PREDICATE_TYPE_NOT_ALLOWED:none", () => Demand("predicate_types_allowed", new JsonArray())),
        ("SUBJECT_DIGEST_MISMATCH", () => With("expected_digest_sha256_hex", new string('0', 64))),
        ("SUBJECT_DIGEST_MISMATCH:second", () => Statement(SigstoreAuthority.Statement(subject: $$$"""[{"name":"b","digest":{"sha256":"{{{new string('0', 64)}}}"}},{"name":"a","digest":{"sha256":"{{{Digest}}}"}}]"""))),
        ("SUBJECT_DIGEST_MISMATCH:another hash", () => Statement(SigstoreAuthority.Statement(subject: $$$"""[{"name":"a","digest":{"sha512":"{{{Digest}}}"}}]"""))),
        ("SUBJECT_MISSING", () => Statement(SigstoreAuthority.Statement(subject: "[]"))),
        ("SUBJECT_MISSING:absent", () => Statement(SigstoreAuthority.Statement(subject: "null"))),
        ("PREDICATE_MEASUREMENT_INVALID", () => Statement(SigstoreAuthority.Statement(predicate: SigstoreAuthority.Predicate.Replace("rtmr2", "rtmr3", StringComparison.Ordinal)))),
        ("PREDICATE_MEASUREMENT_INVALID:length", () => Statement(SigstoreAuthority.Statement(predicate: SigstoreAuthority.Predicate.Replace("aaaa", "aa", StringComparison.Ordinal)))),
        ("PREDICATE_MEASUREMENT_INVALID:hex", () => Statement(SigstoreAuthority.Statement(predicate: SigstoreAuthority.Predicate.Replace("bb", "xx", StringComparison.Ordinal)))),
        ("PREDICATE_MEASUREMENT_INVALID:number", () => Statement(SigstoreAuthority.Statement(predicate: """{"snp_measurement":1,"tdx_measurement":[]}"""))),
        ("TRUST_ROOT_INVALID", () => With("trust_root_b64", Text("{}"))),
        ("TRUST_ROOT_INVALID:no JSON", () => With("trust_root_b64", Text("none"))),
        ("TRUST_ROOT_INVALID:no Fulcio", () => Root(root => root["certificateAuthorities"] = new JsonArray())),
        ("TRUST_ROOT_INVALID:no Rekor", () => Root(root => root.Remove("tlogs"))),
        ("TRUST_ROOT_INVALID:no CT", () => Root(root => root["ctlogs"] = null)),
    ];

    [Fact]
    public async Task What_the_policy_leaves_open_is_accepted()
    {
        var open = Input();
        open.Remove("policy");
        Assert.Equal(0, (await RunAsync(open)).ExitCode);
        foreach (var (name, value) in new (string, JsonNode?)[]
        {
            ("predicate_types_allowed", null), ("in_toto_statement_types_allowed", null), ("predicate_types_allowed", new JsonArray(SigstoreAuthority.MultiPlatform)),
            ("tlog_entries_min", 1), ("tlog_entries_max", 1), ("workflow_ref_prefix", SigstoreAuthority.Ref), ("oidc_issuer", null),
        })
        {
            Assert.Equal(0, (await RunAsync(Demand(name, value))).ExitCode);
        }
        Assert.Equal(0, (await RunAsync(Leaf(new() { Logs = [] }, Demand("sct_min", 0)))).ExitCode);
        Assert.Equal(0, (await RunAsync(Leaf(new() { Logs = [0, 1] }, Demand("sct_min", 2)))).ExitCode);
        Assert.Equal(0, (await RunAsync(Bundle(new() { Timestamps = 1 }, Demand("observer_timestamps_min", 2)))).ExitCode);
        Assert.Equal(0, (await RunAsync(With("expected_digest_sha256_hex", Digest.ToUpperInvariant()))).ExitCode);
        Assert.Equal(0, (await RunAsync(Statement(SigstoreAuthority.Statement(digest: Digest.ToUpperInvariant())))).ExitCode);
        Assert.Equal(0, (await RunAsync(Leaf(new() { Issuer = null, SourceRepository = null, Ref = null, BuildSigner = null }))).ExitCode);
        var (exitCode, answer) = await RunAsync(Statement(SigstoreAuthority.Statement(predicateType: "https://example.com/other", predicate: "{}")));
        Assert.Equal((0, true), (exitCode, answer!["outputs"]!.AsObject()["measurement"] is null));
    }

    /// <summary>Nobody saw it, and nobody had to: then the certificate is judged by the time of verification.</summary>
    [Fact]
    public async Task Without_times_the_certificate_must_be_valid_now()
    {
        var input = Bundle(new() { Promise = false }, Demand("observer_timestamps_min", 0));
        Assert.Equal("CERT_EXPIRED", (string)(await RunAsync(input)).Answer!["rejection"]!["code"]!);
        input["verification_time_unix"] = (Sigstore.Signed + TimeSpan.FromMinutes(1)).ToUnixTimeSeconds();
        Assert.Equal(0, (await RunAsync(input)).ExitCode);
    }

    [Fact]
    public async Task What_is_no_such_input_is_malformed()
    {
        var missing = Input();
        missing.Remove("repo");
        JsonObject[] malformed =
        [
            With("bundle_b64", "?"), With("trust_root_b64", "?"), With("expected_digest_sha256_hex", "00"), With("expected_digest_sha256_hex", "zz"), With("more", 1), With("schema_version", "2"),
            With("verification_time_unix", -1), With("repo", null), Demand("more", 1), Demand("tlog_entries_min", -1), Demand("sct_min", "1"), Demand("predicate_types_allowed", new JsonArray((JsonNode?)null)), missing,
        ];
        foreach (var input in malformed)
        {
            Assert.Equal(30, (await RunAsync(input)).ExitCode);
        }
        Assert.Equal(30, (await ConformanceProgram.RunAsync(Stage, "{")).ExitCode);
    }

    private static string Digest => Convert.ToHexStringLower(SHA256.HashData(new SigstoreParts().Artifact));

    private static JsonObject Input() => new()
    {
        ["schema_version"] = "1",
        ["bundle_b64"] = Text(Sigstore.Bundle()),
        ["expected_digest_sha256_hex"] = Digest,
        ["repo"] = SigstoreAuthority.Repository,
        ["trust_root_b64"] = Text(Sigstore.TrustedRoot()),
        ["verification_time_unix"] = Now.ToUnixTimeSeconds(),
        ["policy"] = new JsonObject
        {
            ["oidc_issuer"] = SigstoreAuthority.Issuer,
            ["workflow_ref_prefix"] = "refs/tags/",
            ["payload_type"] = "application/vnd.in-toto+json",
            ["predicate_types_allowed"] = null,
            ["in_toto_statement_types_allowed"] = new JsonArray(SigstoreAuthority.StatementType),
            ["tlog_entries_min"] = 1,
            ["sct_min"] = 1,
            ["observer_timestamps_min"] = 1,
        },
    };

    private static Task<(int ExitCode, JsonNode? Answer)> RunAsync(JsonObject input) => ConformanceProgram.RunAsync(Stage, input.ToJsonString());

    private static JsonObject With(string name, JsonNode? value, JsonObject? input = null)
    {
        input ??= Input();
        input[name] = value;
        return input;
    }

    private static JsonObject Demand(string name, JsonNode? value)
    {
        var input = Input();
        input["policy"]![name] = value;
        return input;
    }

    private static JsonObject Bundle(SigstoreParts parts, JsonObject? input = null) => With("bundle_b64", Text(Sigstore.Bundle(parts)), input);

    private static JsonObject Changed(Action<JsonObject> change, JsonObject? input = null) => Bundle(new SigstoreParts { Bundle = change }, input);

    private static JsonObject Leaf(LeafParts leaf, JsonObject? input = null) => Bundle(new SigstoreParts { Leaf = leaf }, input);

    private static JsonObject Statement(string statement) => Bundle(new SigstoreParts { Statement = statement });

    private static JsonObject Root(Action<JsonObject> change) => With("trust_root_b64", Text(Sigstore.TrustedRoot(change)));

    private static JsonObject Material(JsonObject bundle) => bundle["verificationMaterial"]!.AsObject();

    private static JsonObject Entry(JsonObject bundle) => Material(bundle)["tlogEntries"]![0]!.AsObject();

    private static JsonArray Signatures(JsonObject bundle) => bundle["dsseEnvelope"]!["signatures"]!.AsArray();

    private static void Checkpoint(JsonObject bundle, Func<string, string> change)
    {
        var checkpoint = Entry(bundle)["inclusionProof"]!["checkpoint"]!;
        checkpoint["envelope"] = change((string)checkpoint["envelope"]!);
    }

    private static string Text(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
