using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is demanded of a quote besides that it is genuine (docs/spec/tdx.md, section 5).</summary>
public sealed record TdxPolicy
{
    /// <summary>Root keys that may stand at the end of the chains: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> Roots { get; init; }

    public required TdxEvaluation Evaluation { get; init; }

    /// <summary>The verdicts over the firmware that are accepted. <see cref="TcbStatus.Revoked"/> and <see cref="TcbStatus.NotSupported"/> never are.</summary>
    public required ImmutableArray<TcbStatus> AcceptedStatuses { get; init; }

    /// <summary>The least evaluation data number of both collateral documents.</summary>
    public required int MinimumEvaluationDataNumber { get; init; }

    /// <summary>The least value of each byte of the security versions at launch: 16 bytes.</summary>
    public required ImmutableArray<byte> MinimumTeeTcbSvn { get; init; }

    /// <summary>No debugging, and no bit of the attributes or of the extended features that the architecture does not allow.</summary>
    public required bool ArchitecturalDefaults { get; init; }

    /// <summary>Fields that must have one of the listed values. A field that is not named is not compared; an empty list accepts no value.</summary>
    public required IReadOnlyDictionary<TdxField, ImmutableArray<ReadOnlyMemory<byte>>> Expected { get; init; }

    /// <summary>Builds, of which the domain must be one in all five registers. Null: they are not compared.</summary>
    public ImmutableArray<TdxBuild>? Builds { get; init; }

    /// <summary>Advisories that may be open on the machine. Null: whichever come with an accepted status.</summary>
    public ImmutableArray<string>? AcceptedAdvisories { get; init; }

    /// <summary>Firmware up to date, the architecture's defaults, no field compared: say which builds are meant with <see cref="Builds"/> or <see cref="Expected"/>.</summary>
    public static TdxPolicy Strict { get; } = new()
    {
        Roots = [TdxRoot.Intel],
        Evaluation = TdxEvaluation.Full,
        AcceptedStatuses = [TcbStatus.UpToDate],
        MinimumEvaluationDataNumber = 0,
        MinimumTeeTcbSvn = [.. new byte[16]],
        ArchitecturalDefaults = true,
        Expected = new Dictionary<TdxField, ImmutableArray<ReadOnlyMemory<byte>>>(),
    };
}

/// <summary>What a build measures: 48 bytes each, in lower-case hex.</summary>
/// <param name="Rtmrs">RTMR0 to RTMR3.</param>
public sealed record TdxBuild(string Mrtd, ImmutableArray<string> Rtmrs)
{
    internal bool IsWellFormed() => !Rtmrs.IsDefault && Rtmrs.Length == 4 && Rtmrs.Append(Mrtd).All(register => Wire.Hex.TryDecode(register, out var bytes) && bytes.Length == 48);
}

/// <summary>How much of the collateral is asked for.</summary>
public enum TdxEvaluation : byte
{
    /// <summary>Lists of revoked certificates, TCB info and identity of the quoting enclave: all there, genuine and in date.</summary>
    Full,

    /// <summary>Signatures and chains only. Lists of revoked certificates are used where they are there and genuine; the firmware is not judged.</summary>
    ChainsOnly,
}

/// <summary>Fields that a policy can compare.</summary>
public enum TdxField : byte
{
    Fmspc, TdAttributes, Xfam, MrSignerSeam, SeamAttributes, MrSeam, MrTd, MrConfigId, MrOwner, MrOwnerConfig,
    RtMr0, RtMr1, RtMr2, RtMr3, MrServiceTd, ReportData, QeVendorId,
}

public static class TdxRoot
{
    /// <summary>The key of the Intel SGX Root CA.</summary>
    public const string Intel = "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e";

    /// <summary>The key of "Intel SGX TCB Signing" under that root, x ‖ y: it signs collateral whose issuer chain was not handed over.</summary>
    internal const string IntelTcbSigning = "43451bcc73c9d5917caf766e61af3fe98087dd4f13257b261e851897799dd13d6811fb47713803bb9bae587fccddc2e31be9a28b86962acc6daf96da58eeca96";
}

/// <summary>What is needed to verify a quote offline, as Intel's PCS serves it. Empty where it is not there.</summary>
public sealed record TdxCollateral
{
    /// <summary>The outer JSON object of TCB info, exactly as it was served.</summary>
    public ReadOnlyMemory<byte> TcbInfo { get; init; }

    /// <summary>The outer JSON object of the quoting enclave's identity, exactly as it was served.</summary>
    public ReadOnlyMemory<byte> QeIdentity { get; init; }

    /// <summary>In DER, by the authority that made the PCK certificate.</summary>
    public ReadOnlyMemory<byte> PckRevocationList { get; init; }

    /// <summary>In DER.</summary>
    public ReadOnlyMemory<byte> RootRevocationList { get; init; }

    /// <summary>PEM: the signer, and behind it the root or nothing. Without it Intel's one known signing key counts.</summary>
    public ReadOnlyMemory<byte> TcbInfoIssuers { get; init; }

    /// <summary>The same for the identity.</summary>
    public ReadOnlyMemory<byte> QeIdentityIssuers { get; init; }

    /// <summary>PEM: where it is there it must be the quote's own intermediate and root.</summary>
    public ReadOnlyMemory<byte> PckRevocationListIssuers { get; init; }
}
