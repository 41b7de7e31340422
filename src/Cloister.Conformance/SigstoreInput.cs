namespace Cloister.Conformance;

internal sealed record SigstoreInput
{
    public required string SchemaVersion { get; init; }
    public required string BundleB64 { get; init; }
    public required string ExpectedDigestSha256Hex { get; init; }
    public required string Repo { get; init; }
    public required string TrustRootB64 { get; init; }
    public required long VerificationTimeUnix { get; init; }
    public SigstorePolicyInput? Policy { get; init; }
}

internal sealed record SigstorePolicyInput
{
    public string? OidcIssuer { get; init; }
    public string? WorkflowRefPrefix { get; init; }
    public string? PayloadType { get; init; }
    public string[]? PredicateTypesAllowed { get; init; }
    public string[]? InTotoStatementTypesAllowed { get; init; }
    public int? TlogEntriesMin { get; init; }
    public int? TlogEntriesMax { get; init; }
    public int? SctMin { get; init; }
    public int? ObserverTimestampsMin { get; init; }
}
