using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Simulation;

/// <summary>Statements and bundles of an enclave that is not one, for development and tests.</summary>
public static class SimulatedEnclave
{
    /// <summary>The launch measurement of the simulated build: 48 bytes that a development policy names.</summary>
    public static ReadOnlyMemory<byte> Measurement { get; } = SHA384.HashData("cloister simulated build"u8);

    /// <summary>Evidence for a statement: what a confidential machine's hardware would answer.</summary>
    public static SnpEvidence Evidence(DevelopmentAuthority authority, ReadOnlySpan<byte> statement) =>
        authority.Attest(new SimulatedReport { ReportData = EnclaveStatement.ReportData(statement), Measurement = Measurement });

    /// <summary>The same for any report data: the answer of an enclave's evidence source.</summary>
    public static ImmutableArray<PlatformEvidence> Answer(DevelopmentAuthority authority, ReadOnlyMemory<byte> reportData) =>
        [authority.Attest(new SimulatedReport { ReportData = reportData, Measurement = Measurement }).ToPlatformEvidence()];

    /// <summary>The development policy that accepts it.</summary>
    public static AppraisalPolicy Policy(DevelopmentAuthority authority) => AppraisalPolicy.Development(authority.RootFingerprint, [Hex.Encode(Measurement.Span)], Hex.Encode(authority.ChipId.Span), authority.Expires);

    /// <summary>A statement of the usual configuration, valid for an hour from <paramref name="now"/>.</summary>
    public static EnclaveStatement Statement(DevelopmentAuthority authority, X25519PublicKey channelKey, DateTimeOffset now) => new()
    {
        Version = EnclaveStatement.CurrentVersion,
        Role = EnclaveStatement.InferenceRole,
        Node = Hex.Encode(authority.ChipId.Span),
        ChannelKey = Base64.Encode(channelKey.Bytes),
        Config = new EnclaveConfiguration
        {
            Engine = new EngineConfiguration { Kind = EngineKind.Embedded },
            Limits = EnclaveLimits.Usual,
            ShapingFloor = ShapingFloor.Padded,
            Egress = [],
            Counters = [],
        },
        Models = [],
        IssuedAt = EnclaveStatement.FormatTime(now),
        ExpiresAt = EnclaveStatement.FormatTime(now + EnclaveStatement.MaxValidity),
    };

    /// <summary>A whole bundle for a channel key, and nothing else to say.</summary>
    public static EnclaveBundle Bundle(DevelopmentAuthority authority, X25519PublicKey channelKey, DateTimeOffset now)
    {
        byte[] statement = Statement(authority, channelKey, now).ToBytes();
        return new EnclaveBundle(statement, [Evidence(authority, statement).ToPlatformEvidence()]);
    }
}
