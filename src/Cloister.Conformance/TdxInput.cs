namespace Cloister.Conformance;

internal sealed record TdxInput
{
    public required string SchemaVersion { get; init; }
    public required string QuoteB64 { get; init; }
    public required TdxCollateralInput Collateral { get; init; }
    public required long ExpirationCheckDateUnix { get; init; }
    public string? ExecutionMode { get; init; }
    public TdxPolicyInput? Policy { get; init; }
}

internal sealed record TdxCollateralInput
{
    public string? TcbInfoJson { get; init; }
    public string? QeIdentityJson { get; init; }
    public string? PckCrlDerB64 { get; init; }
    public string? RootCrlDerB64 { get; init; }
    public string? IntelRootCaPem { get; init; }
    public string? TcbInfoIssuerChainPem { get; init; }
    public string? QeIdentityIssuerChainPem { get; init; }
    public string? PckCrlIssuerChainPem { get; init; }
}

internal sealed record TdxPolicyInput
{
    public string[]? AcceptedQvResults { get; init; }
    public bool? TcbEvaluationRequired { get; init; }
    public string? ExpectedFmspcHex { get; init; }
    public string? ExpectedTdAttributesHex { get; init; }
    public string? ExpectedXfamHex { get; init; }
    public string? ExpectedMrSignerSeamHex { get; init; }
    public string? ExpectedSeamAttributesHex { get; init; }
    public string? ExpectedMrtdHex { get; init; }
    public string? ExpectedMrConfigIdHex { get; init; }
    public string? ExpectedMrOwnerHex { get; init; }
    public string? ExpectedMrOwnerConfigHex { get; init; }
    public string? ExpectedRtmr3Hex { get; init; }
    public string? ExpectedReportDataHex { get; init; }
    public string? ExpectedQeVendorIdHex { get; init; }
    public string[]? ExpectedMrseamAllowlist { get; init; }
    public string? MinTeeTcbSvnHex { get; init; }
    public int? MinTcbEvaluationDataNumber { get; init; }
    public bool? EnforceSpecDefaults { get; init; }
}
