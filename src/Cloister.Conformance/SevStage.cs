using System.Collections.Immutable;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation;

namespace Cloister.Conformance;

/// <summary><c>verify-attestation-sev</c>: <see cref="SnpVerification"/> in the contract's words.</summary>
internal static class SevStage
{
    private const string MeasurementType = "https://tinfoil.sh/predicate/sev-snp-guest/v2";

    public static Judgement Run(byte[] json)
    {
        var input = JsonSerializer.Deserialize(json, InputJson.Default.SevInput) ?? throw new JsonException();
        if (input.SchemaVersion != Contract.SchemaVersion)
        {
            throw new JsonException();
        }
        byte[] document = Encodings.Base64(input.AttestationDocB64), chip = Encodings.Base64(input.VcekDerB64);
        var policy = PolicyOf(input.Policy ?? new SevPolicy());
        var now = Encodings.Time(input.ExpirationCheckDateUnix);

        if (!TryDecompress(document, out byte[] report))
        {
            return Judgement.Rejected("REPORT_FORMAT_UNSUPPORTED");
        }
        Certificate? root = null;
        byte[] rootDer = [], intermediateDer = [];
        if (input.AmdRootCaPem is not null && !Encodings.TryReadPem(input.AmdRootCaPem, out root, out rootDer))
        {
            return Judgement.Rejected("ARK_UNTRUSTED");
        }
        if (input.AskPem is not null && !Encodings.TryReadPem(input.AskPem, out _, out intermediateDer))
        {
            return Judgement.Rejected("ASK_INVALID");
        }

        // A root that is handed over takes the place of AMD's, whatever the product.
        var roots = root is null ? TrustedRoot.Amd.Add(TrustedRoot.AmdMilan) : [new TrustedRoot { Fingerprint = root.Key.Fingerprint, Product = SnpProduct.Unknown, Simulated = false }];
        var result = SnpVerification.Verify(report, new SnpCollateral { Chip = chip, Intermediate = intermediateDer, Root = rootDer }, policy with { Roots = roots }, now);
        return result.FirstFailure is { } failure ? Judgement.Rejected(Code(failure)) : Judgement.Accepted(Outputs(result));
    }

    private static string Code(SnpCheck check) => check switch
    {
        SnpCheck.Length            => "REPORT_TRUNCATED",
        SnpCheck.Version           => "WRONG_REPORT_VERSION",
        SnpCheck.Form              => "REPORT_FORMAT_UNSUPPORTED",
        SnpCheck.RootTrust         => "ARK_UNTRUSTED",
        SnpCheck.IntermediateTrust => "ASK_INVALID",
        SnpCheck.Chain             => "VCEK_CHAIN_INVALID",
        SnpCheck.Validity          => "VCEK_EXPIRED",
        SnpCheck.HardwareId        => "VCEK_HWID_MISMATCH",
        SnpCheck.EndorsedTcb       => "VCEK_TCB_MISMATCH",
        SnpCheck.Signature         => "REPORT_SIGNATURE_INVALID",
        SnpCheck.MinimumTcb        => "TCB_OUT_OF_DATE",
        SnpCheck.Debug             => "GUEST_POLICY_DEBUG_SET",
        SnpCheck.MigrationAgent    => "GUEST_POLICY_MIGRATE_MA_SET",
        SnpCheck.SingleSocket      => "GUEST_POLICY_SINGLE_SOCKET_SET",
        SnpCheck.PolicyReserved    => "GUEST_POLICY_RESERVED_BIT_SET",
        SnpCheck.PlatformReserved  => "PLATFORM_INFO_INVALID",
        SnpCheck.SignerInfo        => "SIGNER_INFO_INVALID",
        SnpCheck.Measurement       => "MEASUREMENT_MISMATCH",
        SnpCheck.HostData          => "HOST_DATA_MISMATCH",
        SnpCheck.ReportData        => "REPORT_DATA_MISMATCH",
        SnpCheck.IdKeyDigest       => "ID_KEY_DIGEST_MISMATCH",
        SnpCheck.AuthorKeyDigest   => "AUTHOR_KEY_DIGEST_MISMATCH",
        _                          => throw new InvalidOperationException("A check without a code."),
    };

    private static SnpReportPolicy PolicyOf(SevPolicy policy) => new()
    {
        Roots = [],
        Expected = ExpectedOf(policy),
        MinimumTcb = new TcbVersion(0, policy.MinTcbBlSpl ?? 0, policy.MinTcbTeeSpl ?? 0, policy.MinTcbSnpSpl ?? 0, policy.MinTcbUcodeSpl ?? 0),
        SpecificationDefaults = policy.EnforceSpecDefaults ?? false,
        SingleSocketRefused = true,
    };

    private static ImmutableDictionary<SnpField, ImmutableArray<ReadOnlyMemory<byte>>> ExpectedOf(SevPolicy policy)
    {
        (SnpField Field, string? Value)[] named =
        [
            (SnpField.Measurement, policy.ExpectedMeasurementHex), (SnpField.HostData, policy.ExpectedHostDataHex), (SnpField.ReportData, policy.ExpectedReportDataHex),
            (SnpField.IdKeyDigest, policy.ExpectedIdKeyDigestHex), (SnpField.AuthorKeyDigest, policy.ExpectedAuthorKeyDigestHex),
        ];
        return named.Where(one => one.Value is not null).ToImmutableDictionary(one => one.Field, one => ImmutableArray.Create<ReadOnlyMemory<byte>>(Encodings.Hex(one.Value)!));
    }

    // One byte more than a report shows that there is more: nothing beyond it is ever unpacked.
    private static bool TryDecompress(byte[] document, out byte[] report)
    {
        byte[] room = new byte[SnpReport.Size + 1];
        report = [];
        try
        {
            using var gzip = new GZipStream(new MemoryStream(document), CompressionMode.Decompress);
            report = room[..gzip.ReadAtLeast(room, room.Length, throwOnEndOfStream: false)];
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static JsonObject Outputs(SnpResult result)
    {
        _ = result.TryGetReport(out var report);
        var product = result.Product;
        return new JsonObject
        {
            ["measurement"] = new JsonObject { ["type"] = MeasurementType, ["registers"] = new JsonArray(Encodings.Hex(report.Measurement)) },
            ["body_fields"] = new JsonObject
            {
                ["version"] = report.Version,
                ["guest_svn"] = report.GuestSvn,
                ["policy_hex"] = $"{report.Policy.Value:x16}",
                ["policy_decoded"] = Decoded(report.Policy),
                ["family_id_hex"] = Encodings.Hex(report.FamilyId),
                ["image_id_hex"] = Encodings.Hex(report.ImageId),
                ["vmpl"] = report.Vmpl,
                ["signature_algo"] = report.SignatureAlgorithm,
                ["current_tcb_hex"] = $"{report.CurrentTcb:x16}",
                ["current_tcb_decoded"] = Decoded(TcbVersion.Read(report.CurrentTcb, product)),
                ["platform_info_hex"] = $"{report.PlatformInfo.Value:x16}",
                ["platform_info_decoded"] = Decoded(report.PlatformInfo),
                ["signer_info_hex"] = $"{report.Signer.Value:x8}",
                ["report_data_hex"] = Encodings.Hex(report.ReportData),
                ["measurement_hex"] = Encodings.Hex(report.Measurement),
                ["host_data_hex"] = Encodings.Hex(report.HostData),
                ["id_key_digest_hex"] = Encodings.Hex(report.IdKeyDigest),
                ["author_key_digest_hex"] = Encodings.Hex(report.AuthorKeyDigest),
                ["report_id_hex"] = Encodings.Hex(report.ReportId),
                ["report_id_ma_hex"] = Encodings.Hex(report.ReportIdMa),
                ["reported_tcb_hex"] = $"{report.ReportedTcb:x16}",
                ["chip_id_hex"] = Encodings.Hex(report.ChipId),
                ["committed_tcb_hex"] = $"{report.CommittedTcb:x16}",
                ["current_build"] = report.Current.Build,
                ["current_minor"] = report.Current.Minor,
                ["current_major"] = report.Current.Major,
                ["committed_build"] = report.Committed.Build,
                ["committed_minor"] = report.Committed.Minor,
                ["committed_major"] = report.Committed.Major,
                ["launch_tcb_hex"] = $"{report.LaunchTcb:x16}",
            },
        };
    }

    private static JsonObject Decoded(GuestPolicy policy) => new()
    {
        ["abi_minor"] = policy.AbiMinor,
        ["abi_major"] = policy.AbiMajor,
        ["smt"] = policy.SmtAllowed,
        ["migrate_ma"] = policy.MigrationAgentAllowed,
        ["debug"] = policy.DebugAllowed,
        ["single_socket"] = policy.SingleSocketRequired,
        ["cxl_allowed"] = policy.CxlAllowed,
        ["mem_aes_256_xts"] = policy.Aes256XtsRequired,
        ["rapl_dis"] = policy.RaplDisabledRequired,
        ["ciphertext_hiding_dram"] = policy.CiphertextHidingRequired,
        ["page_swap_disabled"] = policy.PageSwapDisabled,
    };

    private static JsonObject Decoded(PlatformInfo platform) => new()
    {
        ["smt_enabled"] = platform.SmtEnabled,
        ["tsme_enabled"] = platform.TransparentMemoryEncryption,
        ["ecc_enabled"] = platform.EccEnabled,
        ["rapl_disabled"] = platform.RaplDisabled,
        ["ciphertext_hiding_dram_enabled"] = platform.CiphertextHidingEnabled,
        ["alias_check_complete"] = platform.AliasCheckComplete,
        ["tio_enabled"] = platform.TrustedIoEnabled,
    };

    private static JsonObject Decoded(TcbVersion version) => new()
    {
        ["fmc_spl"] = version.Fmc,
        ["bl_spl"] = version.BootLoader,
        ["tee_spl"] = version.Tee,
        ["snp_spl"] = version.Snp,
        ["ucode_spl"] = version.Microcode,
    };
}
