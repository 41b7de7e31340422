namespace Cloister.Conformance;

internal sealed record SevInput
{
    public required string SchemaVersion { get; init; }
    public required string AttestationDocB64 { get; init; }
    public required string VcekDerB64 { get; init; }
    public string? AmdRootCaPem { get; init; }
    public string? AskPem { get; init; }
    public required long ExpirationCheckDateUnix { get; init; }
    public SevPolicy? Policy { get; init; }
}

internal sealed record SevPolicy
{
    public string? ExpectedMeasurementHex { get; init; }
    public string? ExpectedHostDataHex { get; init; }
    public string? ExpectedReportDataHex { get; init; }
    public string? ExpectedIdKeyDigestHex { get; init; }
    public string? ExpectedAuthorKeyDigestHex { get; init; }
    public byte? MinTcbBlSpl { get; init; }
    public byte? MinTcbTeeSpl { get; init; }
    public byte? MinTcbSnpSpl { get; init; }
    public byte? MinTcbUcodeSpl { get; init; }
    public bool? EnforceSpecDefaults { get; init; }
}
