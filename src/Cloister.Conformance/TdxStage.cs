using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation;

namespace Cloister.Conformance;

/// <summary><c>verify-attestation-tdx</c>: <see cref="TdxVerification"/> in the contract's words.</summary>
internal static class TdxStage
{
    private const string MeasurementType = "https://tinfoil.sh/predicate/tdx-guest/v2";
    private const int SvnLength = 16;

    // What the contract calls a verdict over the firmware, and what Intel calls it.
    private static readonly (TcbStatus Status, string QvResult, string Text)[] Statuses =
    [
        (TcbStatus.UpToDate, "OK", "UpToDate"),
        (TcbStatus.SwHardeningNeeded, "SW_HARDENING_NEEDED", "SWHardeningNeeded"),
        (TcbStatus.ConfigurationNeeded, "CONFIG_NEEDED", "ConfigurationNeeded"),
        (TcbStatus.ConfigurationAndSwHardeningNeeded, "CONFIG_AND_SW_HARDENING_NEEDED", "ConfigurationAndSWHardeningNeeded"),
        (TcbStatus.OutOfDate, "OUT_OF_DATE", "OutOfDate"),
        (TcbStatus.OutOfDateConfigurationNeeded, "OUT_OF_DATE_CONFIG_NEEDED", "OutOfDateConfigurationNeeded"),
        (TcbStatus.TdRelaunchAdvised, "TD_RELAUNCH_ADVISED", "TDRelaunchAdvised"),
        (TcbStatus.TdRelaunchAdvisedConfigurationNeeded, "TD_RELAUNCH_ADVISED_CONFIG_NEEDED", "TDRelaunchAdvisedConfigurationNeeded"),
    ];

    public static Judgement Run(byte[] json)
    {
        var input = JsonSerializer.Deserialize(json, InputJson.Default.TdxInput) ?? throw new JsonException();
        if (input.SchemaVersion != Contract.SchemaVersion || input.ExecutionMode is not (null or "adapter" or "public_api"))
        {
            throw new JsonException();
        }
        byte[] quote = Encodings.Base64(input.QuoteB64);
        var policy = PolicyOf(input.Policy ?? new TdxPolicyInput());
        var collateral = CollateralOf(input.Collateral, policy.Evaluation);
        var now = Encodings.Time(input.ExpirationCheckDateUnix);

        if (input.Collateral.IntelRootCaPem is { } pem)
        {
            // Where this is no certificate, no root is trusted: whatever else is wrong with the quote keeps its own code.
            policy = policy with { Roots = Encodings.TryReadPem(pem, out var root) ? [root.Key.Fingerprint] : [] };
        }
        var result = TdxVerification.Verify(quote, collateral, policy, now);
        return result.FirstFailure is { } failure ? Judgement.Rejected(Code(failure)) : Judgement.Accepted(Outputs(result, policy));
    }

    private static string Code(TdxCheck check) => check switch
    {
        TdxCheck.QuoteComplete             => "QUOTE_TRUNCATED",
        TdxCheck.QuoteForm                 => "QUOTE_FORMAT_UNSUPPORTED",
        TdxCheck.TeeType                   => "WRONG_TEE_TYPE",
        TdxCheck.AttestationKeyType        => "ATTESTATION_KEY_TYPE_UNSUPPORTED",
        TdxCheck.QeVendor                  => "QE_VENDOR_UNKNOWN",
        TdxCheck.PckChainComplete          => "PCK_CHAIN_INCOMPLETE",
        TdxCheck.Root                      => "ROOT_CA_UNTRUSTED",
        TdxCheck.PckChainForm or TdxCheck.PckChain => "PCK_CHAIN_INVALID",
        TdxCheck.PckValidity               => "PCK_EXPIRED",

        // The contract has no code of its own for a list that is missing or another's: the chain cannot be judged by it.
        TdxCheck.RootRevocationList or TdxCheck.PckRevocationList => "PCK_CHAIN_INVALID",
        TdxCheck.IntermediateRevocation    => "INTERMEDIATE_REVOKED",
        TdxCheck.PckRevocation             => "PCK_REVOKED",
        TdxCheck.QuoteSignature            => "QUOTE_SIGNATURE_INVALID",
        TdxCheck.QeReportSignature         => "QE_REPORT_SIGNATURE_INVALID",
        TdxCheck.AttestationKeyBinding     => "AK_BINDING_INVALID",
        TdxCheck.TcbInfoChain              => "TCB_INFO_CHAIN_INVALID",
        TdxCheck.TcbInfoSignature or TdxCheck.TcbInfoForm => "TCB_INFO_SIGNATURE_INVALID",
        TdxCheck.QeIdentityChain or TdxCheck.QeIdentitySignature => "QE_IDENTITY_SIGNATURE_INVALID",
        TdxCheck.TcbInfoValidity           => "TCB_INFO_EXPIRED",
        TdxCheck.QeIdentityValidity        => "QE_IDENTITY_EXPIRED",
        TdxCheck.PckRevocationListValidity => "PCK_CRL_EXPIRED",
        TdxCheck.RootRevocationListValidity => "ROOT_CRL_EXPIRED",
        TdxCheck.TcbInfoProcessor or TdxCheck.ExpectedFmspc => "PCK_FMSPC_MISMATCH",
        TdxCheck.QeIdentityId              => "QE_IDENTITY_ID_INVALID",
        TdxCheck.QeIdentityVersion         => "QE_IDENTITY_VERSION_INVALID",
        TdxCheck.QeMrSigner                => "QE_IDENTITY_MRSIGNER_MISMATCH",
        TdxCheck.QeIdentityForm or TdxCheck.QeFields => "QE_IDENTITY_FIELD_MISMATCH",
        TdxCheck.TdxModuleKnown or TdxCheck.TcbSupported or TdxCheck.TcbStatus => "QV_RESULT_NOT_ACCEPTED_BY_POLICY",
        TdxCheck.TdxModuleSigner or TdxCheck.ExpectedMrSignerSeam => "MR_SIGNER_SEAM_MISMATCH",
        TdxCheck.TdxModuleAttributes or TdxCheck.ExpectedSeamAttributes => "SEAM_ATTRIBUTES_MISMATCH",
        TdxCheck.EvaluationDataNumber      => "TCB_EVAL_DATA_NUMBER_TOO_LOW",
        TdxCheck.TcbRevoked                => "TCB_REVOKED",
        TdxCheck.TdDebug                   => "TD_ATTRIBUTES_DEBUG_SET",
        TdxCheck.TdAttributesReserved      => "TD_ATTRIBUTES_RESERVED_BIT_SET",
        TdxCheck.XfamRequired              => "XFAM_REQUIRED_BIT_CLEAR",
        TdxCheck.XfamReserved              => "XFAM_FORBIDDEN_BIT_SET",
        TdxCheck.TeeTcbSvn                 => "TEE_TCB_SVN_BELOW_MINIMUM",
        TdxCheck.ExpectedTdAttributes      => "TD_ATTRIBUTES_MISMATCH",
        TdxCheck.ExpectedXfam              => "XFAM_MISMATCH",
        TdxCheck.ExpectedMrSeam            => "MR_SEAM_NOT_ALLOWED",
        TdxCheck.ExpectedMrTd              => "MRTD_MISMATCH",
        TdxCheck.ExpectedMrConfigId        => "MR_CONFIG_ID_MISMATCH",
        TdxCheck.ExpectedMrOwner           => "MR_OWNER_MISMATCH",
        TdxCheck.ExpectedMrOwnerConfig     => "MR_OWNER_CONFIG_MISMATCH",
        TdxCheck.ExpectedRtMr3             => "RTMR3_NONZERO",
        TdxCheck.ExpectedReportData        => "REPORT_DATA_MISMATCH",
        TdxCheck.ExpectedQeVendorId        => "QE_VENDOR_ID_MISMATCH",
        _                                  => throw new InvalidOperationException("A check without a code."),
    };

    private static TdxPolicy PolicyOf(TdxPolicyInput policy)
    {
        byte[] svn = Encodings.Hex(policy.MinTeeTcbSvnHex) ?? new byte[SvnLength];
        if (svn.Length != SvnLength)
        {
            throw new JsonException();
        }
        return TdxPolicy.Strict with
        {
            Evaluation = policy.TcbEvaluationRequired ?? true ? TdxEvaluation.Full : TdxEvaluation.ChainsOnly,
            AcceptedStatuses = policy.AcceptedQvResults is { } results ? [.. results.Select(StatusOf)] : [TcbStatus.UpToDate],
            MinimumEvaluationDataNumber = policy.MinTcbEvaluationDataNumber ?? 0,
            MinimumTeeTcbSvn = [.. svn],
            ArchitecturalDefaults = policy.EnforceSpecDefaults ?? false,
            Expected = ExpectedOf(policy),
        };
    }

    private static ImmutableDictionary<TdxField, ImmutableArray<ReadOnlyMemory<byte>>> ExpectedOf(TdxPolicyInput policy)
    {
        (TdxField Field, string? Value)[] single =
        [
            (TdxField.Fmspc, policy.ExpectedFmspcHex), (TdxField.TdAttributes, policy.ExpectedTdAttributesHex), (TdxField.Xfam, policy.ExpectedXfamHex),
            (TdxField.MrSignerSeam, policy.ExpectedMrSignerSeamHex), (TdxField.SeamAttributes, policy.ExpectedSeamAttributesHex), (TdxField.MrTd, policy.ExpectedMrtdHex),
            (TdxField.MrConfigId, policy.ExpectedMrConfigIdHex), (TdxField.MrOwner, policy.ExpectedMrOwnerHex), (TdxField.MrOwnerConfig, policy.ExpectedMrOwnerConfigHex),
            (TdxField.RtMr3, policy.ExpectedRtmr3Hex), (TdxField.ReportData, policy.ExpectedReportDataHex), (TdxField.QeVendorId, policy.ExpectedQeVendorIdHex),
        ];
        var expected = ImmutableDictionary.CreateBuilder<TdxField, ImmutableArray<ReadOnlyMemory<byte>>>();
        foreach (var (field, value) in single)
        {
            if (value is not null)
            {
                expected.Add(field, [Encodings.Hex(value)]);
            }
        }
        if (policy.ExpectedMrseamAllowlist is { } allowed)
        {
            expected.Add(TdxField.MrSeam, [.. allowed.Select(value => (ReadOnlyMemory<byte>)Encodings.Hex(value ?? throw new JsonException()))]);
        }
        return expected.ToImmutable();
    }

    // What is not there is malformed input, unless only signatures and chains are asked for.
    private static TdxCollateral CollateralOf(TdxCollateralInput input, TdxEvaluation evaluation)
    {
        if (evaluation is TdxEvaluation.Full && (input.TcbInfoJson is null || input.QeIdentityJson is null || input.PckCrlDerB64 is null || input.RootCrlDerB64 is null))
        {
            throw new JsonException();
        }
        return new TdxCollateral
        {
            TcbInfo = Text(input.TcbInfoJson),
            QeIdentity = Text(input.QeIdentityJson),
            PckRevocationList = Encodings.Base64(input.PckCrlDerB64 ?? ""),
            RootRevocationList = Encodings.Base64(input.RootCrlDerB64 ?? ""),
            TcbInfoIssuers = Text(input.TcbInfoIssuerChainPem),
            QeIdentityIssuers = Text(input.QeIdentityIssuerChainPem),
            PckRevocationListIssuers = Text(input.PckCrlIssuerChainPem),
        };
    }

    private static byte[] Text(string? text) => Encoding.UTF8.GetBytes(text ?? "");

    private static TcbStatus StatusOf(string? qvResult) =>
        Array.Find(Statuses, status => status.QvResult == qvResult) is { Status: not TcbStatus.NotSupported and var found } ? found : throw new JsonException();

    private static JsonObject Outputs(TdxResult result, TdxPolicy policy)
    {
        _ = result.TryGetQuote(out var quote);
        var report = quote.Report;
        var status = Array.Find(Statuses, known => known.Status == result.Tcb?.Status);
        return new JsonObject
        {
            ["measurement"] = new JsonObject
            {
                ["type"] = MeasurementType,
                ["registers"] = new JsonArray(Encodings.Hex(report.MrTd), Encodings.Hex(report.RtMr(0)), Encodings.Hex(report.RtMr(1)), Encodings.Hex(report.RtMr(2)), Encodings.Hex(report.RtMr(3))),
            },
            ["qv_result"] = status.QvResult,
            ["tcb_status"] = status.Text,
            ["advisory_ids"] = new JsonArray([.. (result.Tcb?.Advisories ?? []).Select(advisory => (JsonNode)advisory)]),

            // With expired collateral a quote is refused; without an evaluation nobody looked.
            ["collateral_expired"] = policy.Evaluation is TdxEvaluation.Full ? false : null,
            ["quote_version"] = quote.Version,
            ["tee_type"] = quote.TeeType,
            ["fmspc_hex"] = Encodings.Hex(result.Platform!.Fmspc.Span),
            ["header_fields"] = new JsonObject
            {
                ["version"] = quote.Version,
                ["attestation_key_type"] = quote.AttestationKeyType,
                ["tee_type"] = quote.TeeType,
                ["qe_svn"] = quote.QeSvn,
                ["pce_svn"] = quote.PceSvn,
                ["qe_vendor_id_hex"] = Encodings.Hex(quote.QeVendorId),
                ["user_data_hex"] = Encodings.Hex(quote.UserData),
            },
            ["body_fields"] = new JsonObject
            {
                ["tee_tcb_svn_hex"] = Encodings.Hex(report.TeeTcbSvn),
                ["mrseam_hex"] = Encodings.Hex(report.MrSeam),
                ["mrsignerseam_hex"] = Encodings.Hex(report.MrSignerSeam),
                ["seam_attributes_hex"] = Encodings.Hex(report.SeamAttributes),
                ["td_attributes_hex"] = Encodings.Hex(report.TdAttributesBytes),
                ["xfam_hex"] = Encodings.Hex(report.XfamBytes),
                ["mrtd_hex"] = Encodings.Hex(report.MrTd),
                ["mrconfigid_hex"] = Encodings.Hex(report.MrConfigId),
                ["mrowner_hex"] = Encodings.Hex(report.MrOwner),
                ["mrownerconfig_hex"] = Encodings.Hex(report.MrOwnerConfig),
                ["rtmrs_hex"] = new JsonArray(Encodings.Hex(report.RtMr(0)), Encodings.Hex(report.RtMr(1)), Encodings.Hex(report.RtMr(2)), Encodings.Hex(report.RtMr(3))),
                ["report_data_hex"] = Encodings.Hex(report.ReportData),
            },
        };
    }
}
