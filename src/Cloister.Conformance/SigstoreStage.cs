using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Transparency;

namespace Cloister.Conformance;

/// <summary><c>verify-sigstore</c>: <see cref="SigstoreVerification"/> in the contract's words.</summary>
internal static class SigstoreStage
{
    private const int DigestSize = 32;

    public static Judgement Run(byte[] json)
    {
        var input = JsonSerializer.Deserialize(json, InputJson.Default.SigstoreInput) ?? throw new JsonException();
        byte[] digest = Encodings.Hex(input.ExpectedDigestSha256Hex);
        if (input.SchemaVersion != Contract.SchemaVersion || digest.Length != DigestSize)
        {
            throw new JsonException();
        }
        byte[] bundleBytes = Encodings.Base64(input.BundleB64), rootBytes = Encodings.Base64(input.TrustRootB64);
        var policy = PolicyOf(input.Policy ?? new SigstorePolicyInput()) with { Repository = input.Repo };
        var now = Encodings.Time(input.VerificationTimeUnix);

        if (!SigstoreTrustedRoot.TryParse(rootBytes, out var root) || !root.IsComplete)
        {
            return Judgement.Rejected("TRUST_ROOT_INVALID");
        }
        if (!SigstoreBundle.TryParse(bundleBytes, out var bundle))
        {
            return Judgement.Rejected("BUNDLE_MALFORMED");
        }
        var result = SigstoreVerification.Verify(bundle, root, SigstoreArtifact.WithDigest(digest), policy, now);
        return result.FirstFailure is { } failure ? Judgement.Rejected(Code(failure)) : Judgement.Accepted(Outputs(result, digest));
    }

    private static string Code(SigstoreCheck check) => check switch
    {
        SigstoreCheck.Content or SigstoreCheck.Certificate or SigstoreCheck.StatementForm => "BUNDLE_MALFORMED",
        SigstoreCheck.Signature                => "DSSE_SIGNATURE_INVALID",
        SigstoreCheck.CertificateChain         => "FULCIO_CHAIN_INVALID",
        SigstoreCheck.CertificateValidity      => "CERT_EXPIRED",
        SigstoreCheck.CertificateTimestamps    => "SCT_INSUFFICIENT",
        SigstoreCheck.CertificateTimestampLogs => "SCT_DUPLICATE_LOG",
        SigstoreCheck.EntryCount               => "TLOG_COUNT_OUT_OF_RANGE",
        SigstoreCheck.EntryKey or SigstoreCheck.CheckpointSigner => "REKOR_KEY_NOT_TRUSTED",
        SigstoreCheck.EntryContent or SigstoreCheck.EntryPromise or SigstoreCheck.EntryProof or SigstoreCheck.CheckpointSignature => "REKOR_INCLUSION_INVALID",
        SigstoreCheck.CheckpointRoot           => "CHECKPOINT_ROOT_MISMATCH",
        SigstoreCheck.Timestamps               => "OBSERVER_TIMESTAMP_INSUFFICIENT",
        SigstoreCheck.OidcIssuer               => "OIDC_ISSUER_MISMATCH",
        SigstoreCheck.Repository               => "WORKFLOW_REPOSITORY_MISMATCH",
        SigstoreCheck.WorkflowRef              => "WORKFLOW_REF_PREFIX_MISMATCH",
        SigstoreCheck.PayloadType              => "PAYLOAD_TYPE_MISMATCH",
        SigstoreCheck.StatementType            => "IN_TOTO_STATEMENT_TYPE_NOT_ALLOWED",
        SigstoreCheck.PredicateType            => "PREDICATE_TYPE_NOT_ALLOWED",
        SigstoreCheck.SubjectPresent           => "SUBJECT_MISSING",
        SigstoreCheck.SubjectDigest            => "SUBJECT_DIGEST_MISMATCH",
        SigstoreCheck.Predicate                => "PREDICATE_MEASUREMENT_INVALID",
        _                                      => throw new InvalidOperationException("A check without a code."),
    };

    private static SigstorePolicy PolicyOf(SigstorePolicyInput policy) => new()
    {
        OidcIssuer = policy.OidcIssuer,
        WorkflowRefPrefix = policy.WorkflowRefPrefix,
        EnvelopeRequired = true,
        PayloadType = policy.PayloadType ?? InTotoStatement.PayloadType,
        StatementTypes = Types(policy.InTotoStatementTypesAllowed),
        PredicateTypes = Types(policy.PredicateTypesAllowed),
        FirstSubjectOnly = true,
        SoleCertificate = true,
        MinimumEntries = Count(policy.TlogEntriesMin) ?? 1,
        MaximumEntries = Count(policy.TlogEntriesMax) ?? int.MaxValue,
        MinimumCertificateTimestamps = Count(policy.SctMin) ?? 1,
        MinimumTimestamps = Count(policy.ObserverTimestampsMin) ?? 1,
    };

    private static int? Count(int? count) => count is < 0 ? throw new JsonException() : count;

    // The serialiser looks into members, not into lists.
    private static ImmutableArray<string>? Types(string[]? types) => types is null ? null : types.Contains(null!) ? throw new JsonException() : [.. types];

    private static JsonObject Outputs(SigstoreResult result, byte[] digest)
    {
        var (statement, identity) = (result.Statement!, result.Identity!);
        _ = MeasurementPredicate.TryRead(statement, out var registers);
        return new JsonObject
        {
            ["measurement"] = registers.IsEmpty ? null
                : new JsonObject { ["type"] = statement.PredicateType, ["registers"] = new JsonArray([.. registers.Select(register => (JsonNode)register)]) },
            ["statement_type"] = statement.Type,
            ["predicate_type"] = statement.PredicateType,
            ["subject_digest_sha256_hex"] = Encodings.Hex(digest),
            ["oidc_issuer"] = identity.Issuer,
            ["workflow_repository"] = identity.Repository,
            ["workflow_ref"] = identity.Ref,
            ["build_signer_uri"] = identity.BuildSignerUri,
            ["certificate_identity"] = identity.Subject,
            ["observer_timestamps_unix"] = new JsonArray([.. result.Times.Select(time => (JsonNode)time.ToUnixTimeSeconds())]),
        };
    }
}
