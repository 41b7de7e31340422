using System.Text;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Conformance.Tests;

/// <summary>One trust domain that is accepted, each code by what is spoiled only there, and real quotes.</summary>
public class TdxStageTests
{
    private const string Stage = "verify-attestation-tdx";

    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TdxAuthority Intel = new(Now);

    [Fact]
    public async Task A_genuine_quote_is_accepted_and_read()
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, Input().ToJsonString());
        Assert.Equal(0, exitCode);
        Assert.Equal((true, Stage), ((bool)answer!["accepted"]!, (string)answer["stage"]!));
        var outputs = answer["outputs"]!;
        Assert.Equal(("OK", "UpToDate", false, 4, 129), ((string)outputs["qv_result"]!, (string)outputs["tcb_status"]!, (bool)outputs["collateral_expired"]!, (int)outputs["quote_version"]!, (int)outputs["tee_type"]!));
        Assert.Equal(TdxAuthority.Fmspc, (string)outputs["fmspc_hex"]!, ignoreCase: true);
        Assert.Equal([Filled(48, 0xaa), .. Enumerable.Repeat(Filled(48, 0), 4)], outputs["measurement"]!["registers"]!.AsArray().Select(register => (string)register!));
        Assert.Equal((Filled(64, 0xdd), "0700000000000000"), ((string)outputs["body_fields"]!["report_data_hex"]!, (string)outputs["body_fields"]!["xfam_hex"]!));
        Assert.Equal("939a7233f79c4ca9940a0db3957f0607", (string)outputs["header_fields"]!["qe_vendor_id_hex"]!);
    }

    public static TheoryData<string> Codes => new(Spoiled.Keys);

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Each_code_is_given_for_its_own_fault(string code)
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, Spoiled[code]().ToJsonString());
        Assert.Equal((10, code), (exitCode, (string?)answer?["rejection"]?["code"]));
    }

    private static readonly Dictionary<string, Func<JsonObject>> Spoiled = new()
    {
        ["QUOTE_TRUNCATED"] = () => With("quote_b64", Convert.ToBase64String(Intel.Quote()[..^1])),
        ["QUOTE_FORMAT_UNSUPPORTED"] = () => Quote(new() { Header = header => header[0] = 3 }),
        ["WRONG_TEE_TYPE"] = () => Quote(new() { Header = header => header[4] = 0 }),
        ["ATTESTATION_KEY_TYPE_UNSUPPORTED"] = () => Quote(new() { Header = header => header[2] = 3 }),
        ["QE_VENDOR_UNKNOWN"] = () => Quote(new() { Header = header => header[12] = 0 }),
        ["PCK_CHAIN_INCOMPLETE"] = () => Chain(Intel.PckCertificate, Intel.AuthorityCertificate),
        ["PCK_CHAIN_INVALID"] = () => Chain(Intel.Pck(byAnother: true), Intel.AuthorityCertificate, Intel.RootCertificate),
        ["ROOT_CA_UNTRUSTED"] = () => Collateral("intel_root_ca_pem", null),
        ["PCK_EXPIRED"] = () => Chain(Intel.Pck(age: TimeSpan.FromDays(400)), Intel.AuthorityCertificate, Intel.RootCertificate),
        ["PCK_REVOKED"] = () => Collateral("pck_crl_der_b64", Convert.ToBase64String(Intel.PckList([Intel.PckCertificate]))),
        ["INTERMEDIATE_REVOKED"] = () => Collateral("root_crl_der_b64", Convert.ToBase64String(Intel.RootList([Intel.AuthorityCertificate]))),
        ["QUOTE_SIGNATURE_INVALID"] = () => Quote(new() { Finished = quote => quote[28] ^= 1 }),
        ["QE_REPORT_SIGNATURE_INVALID"] = () => Quote(new() { Finished = quote => quote[48 + 584 + 4 + 134 + 384] ^= 1 }),
        ["AK_BINDING_INVALID"] = () => Quote(new() { QeReport = report => report[320] ^= 1 }),
        ["TCB_INFO_SIGNATURE_INVALID"] = () => Collateral("tcb_info_json", Text(Intel.Collateral().TcbInfo).Replace("OutOfDate", "UpToDate ", StringComparison.Ordinal)),
        ["TCB_INFO_EXPIRED"] = () => Info(Intel.TcbInfo(age: TimeSpan.FromDays(40))),
        ["TCB_INFO_CHAIN_INVALID"] = () => Collateral("tcb_info_issuer_chain_pem", Text(Intel.Issuers(Intel.PckCertificate))),
        ["QE_IDENTITY_SIGNATURE_INVALID"] = () => Collateral("qe_identity_json", Text(Intel.Collateral().QeIdentity).Replace("TD_QE", "TD_qe", StringComparison.Ordinal)),
        ["QE_IDENTITY_EXPIRED"] = () => Identity(Intel.QeIdentity(age: TimeSpan.FromDays(40))),
        ["QE_IDENTITY_MRSIGNER_MISMATCH"] = () => Identity(Intel.QeIdentity(signer: "12")),
        ["QE_IDENTITY_FIELD_MISMATCH"] = () => Identity(Intel.QeIdentity(product: 1)),
        ["QE_IDENTITY_ID_INVALID"] = () => Identity(Intel.QeIdentity(id: "QE")),
        ["QE_IDENTITY_VERSION_INVALID"] = () => Identity(Intel.QeIdentity(version: 3)),
        ["TCB_REVOKED"] = () => Info(Intel.TcbInfo(levels: TdxAuthority.Level("Revoked"))),
        ["QV_RESULT_NOT_ACCEPTED_BY_POLICY"] = () => Info(Intel.TcbInfo(levels: TdxAuthority.Level("SWHardeningNeeded"))),
        ["TCB_EVAL_DATA_NUMBER_TOO_LOW"] = () => Demand("min_tcb_evaluation_data_number", 21),
        ["PCK_CRL_EXPIRED"] = () => Collateral("pck_crl_der_b64", Convert.ToBase64String(Intel.PckList([], TimeSpan.FromDays(40)))),
        ["ROOT_CRL_EXPIRED"] = () => Collateral("root_crl_der_b64", Convert.ToBase64String(Intel.RootList([], TimeSpan.FromDays(40)))),
        ["PCK_FMSPC_MISMATCH"] = () => Demand("expected_fmspc_hex", "000000000000"),
        ["TD_ATTRIBUTES_MISMATCH"] = () => Demand("expected_td_attributes_hex", Filled(8, 0)),
        ["TD_ATTRIBUTES_DEBUG_SET"] = () => Quote(new() { Body = body => body[120] |= 1 }),
        ["TD_ATTRIBUTES_RESERVED_BIT_SET"] = () => Quote(new() { Body = body => body[123] |= 0x20 }),
        ["XFAM_MISMATCH"] = () => Demand("expected_xfam_hex", "0300000000000000"),
        ["XFAM_REQUIRED_BIT_CLEAR"] = () => Quote(new() { Body = body => body[128] = 5 }),
        ["XFAM_FORBIDDEN_BIT_SET"] = () => Quote(new() { Body = body => body[128] = 0x1f }),
        ["MR_SIGNER_SEAM_MISMATCH"] = () => Demand("expected_mr_signer_seam_hex", Filled(48, 1)),
        ["SEAM_ATTRIBUTES_MISMATCH"] = () => Demand("expected_seam_attributes_hex", Filled(8, 1)),
        ["MR_SEAM_NOT_ALLOWED"] = () => Demand("expected_mrseam_allowlist", new JsonArray(Filled(48, 1), Filled(48, 2))),
        ["MRTD_MISMATCH"] = () => Demand("expected_mrtd_hex", Filled(48, 1)),
        ["MR_CONFIG_ID_MISMATCH"] = () => Demand("expected_mr_config_id_hex", Filled(48, 1)),
        ["MR_OWNER_MISMATCH"] = () => Demand("expected_mr_owner_hex", Filled(48, 1)),
        ["MR_OWNER_CONFIG_MISMATCH"] = () => Demand("expected_mr_owner_config_hex", Filled(48, 1)),
        ["RTMR3_NONZERO"] = () => Quote(new() { Body = body => body[328 + 3 * 48] = 1 }, Demand("expected_rtmr3_hex", Filled(48, 0))),
        ["REPORT_DATA_MISMATCH"] = () => Demand("expected_report_data_hex", Filled(64, 1)),
        ["TEE_TCB_SVN_BELOW_MINIMUM"] = () => Demand("min_tee_tcb_svn_hex", Filled(16, 9)),
        ["QE_VENDOR_ID_MISMATCH"] = () => Demand("expected_qe_vendor_id_hex", Filled(16, 1)),
    };

    /// <summary>What is refused for its firmware is accepted where the policy accepts that verdict.</summary>
    [Theory]
    [InlineData("SWHardeningNeeded", "SW_HARDENING_NEEDED")]
    [InlineData("ConfigurationNeeded", "CONFIG_NEEDED")]
    [InlineData("ConfigurationAndSWHardeningNeeded", "CONFIG_AND_SW_HARDENING_NEEDED")]
    [InlineData("OutOfDate", "OUT_OF_DATE")]
    [InlineData("OutOfDateConfigurationNeeded", "OUT_OF_DATE_CONFIG_NEEDED")]
    public async Task A_verdict_over_the_firmware_is_accepted_where_it_is_listed(string status, string result)
    {
        var input = Info(Intel.TcbInfo(levels: TdxAuthority.Level(status)));
        Assert.Equal("QV_RESULT_NOT_ACCEPTED_BY_POLICY", (string)(await ConformanceProgram.RunAsync(Stage, input.ToJsonString())).Answer!["rejection"]!["code"]!);
        input["policy"]!["accepted_qv_results"] = new JsonArray("OK", result);
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, input.ToJsonString());
        Assert.Equal((0, result, status), (exitCode, (string)answer!["outputs"]!["qv_result"]!, (string)answer["outputs"]!["tcb_status"]!));
    }

    [Fact]
    public async Task Without_an_evaluation_only_signatures_and_chains_count()
    {
        var input = Demand("tcb_evaluation_required", false);
        input["collateral"] = new JsonObject { ["intel_root_ca_pem"] = (string)input["collateral"]!["intel_root_ca_pem"]! };
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, input.ToJsonString());
        Assert.Equal(0, exitCode);
        Assert.Null(answer!["outputs"]!["qv_result"]);
        input["quote_b64"] = (string)Quote(new() { Finished = quote => quote[28] ^= 1 })["quote_b64"]!;
        Assert.Equal(10, (await ConformanceProgram.RunAsync(Stage, input.ToJsonString())).ExitCode);
    }

    public static TheoryData<string> MalformedInputs => new(
        "", "{", "null", "{}",
        With("schema_version", "2").ToJsonString(),
        With("surprise", 1).ToJsonString(),
        With("quote_b64", "?").ToJsonString(),
        With("collateral", null).ToJsonString(),
        With("execution_mode", "another").ToJsonString(),
        With("expiration_check_date_unix", -1).ToJsonString(),
        Collateral("tcb_info_json", null).ToJsonString(),
        Collateral("pck_crl_der_b64", "?").ToJsonString(),
        Collateral("surprise", "").ToJsonString(),
        Demand("accepted_qv_results", new JsonArray("FINE")).ToJsonString(),
        Demand("expected_mrtd_hex", "0g").ToJsonString(),
        Demand("min_tee_tcb_svn_hex", "00").ToJsonString(),
        Demand("surprise", true).ToJsonString());

    [Theory]
    [MemberData(nameof(MalformedInputs))]
    public async Task Malformed_input_is_no_verdict(string input)
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, input);
        Assert.Equal(30, exitCode);
        Assert.Null(answer);
    }

    [Theory]
    [InlineData("2025-06-25", "OK", null)]
    [InlineData("2025-08-01", null, "TCB_INFO_EXPIRED")]
    public async Task A_real_quote_gets_the_right_verdict(string day, string? result, string? code)
    {
        var collateral = JsonNode.Parse(Repository.Vector("tdx/tdx_quote_collateral.json"))!;
        string Member(string name) => (string)collateral[name]!;
        string Outer(string name, string member) => $$"""{"{{name}}":{{Member(member)}},"signature":"{{Member($"{member}_signature")}}"}""";
        var input = new JsonObject
        {
            ["schema_version"] = "1",
            ["quote_b64"] = Convert.ToBase64String(Repository.Vector("tdx/tdx_quote")),
            ["collateral"] = new JsonObject
            {
                ["tcb_info_json"] = Outer("tcbInfo", "tcb_info"),
                ["qe_identity_json"] = Outer("enclaveIdentity", "qe_identity"),
                ["pck_crl_der_b64"] = Convert.ToBase64String(Convert.FromHexString(Member("pck_crl"))),
                ["root_crl_der_b64"] = Convert.ToBase64String(Convert.FromHexString(Member("root_ca_crl"))),
                ["tcb_info_issuer_chain_pem"] = Member("tcb_info_issuer_chain"),
                ["qe_identity_issuer_chain_pem"] = Member("qe_identity_issuer_chain"),
                ["pck_crl_issuer_chain_pem"] = Member("pck_crl_issuer_chain"),
            },
            ["expiration_check_date_unix"] = DateTimeOffset.Parse($"{day}T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeSeconds(),
        };
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, input.ToJsonString());
        Assert.Equal((code is null ? 0 : 10, result, code), (exitCode, (string?)answer!["outputs"]?["qv_result"], (string?)answer["rejection"]?["code"]));
    }

    private static JsonObject Input()
    {
        var collateral = Intel.Collateral();
        return new JsonObject
        {
            ["schema_version"] = "1",
            ["quote_b64"] = Convert.ToBase64String(Intel.Quote()),
            ["collateral"] = new JsonObject
            {
                ["tcb_info_json"] = Text(collateral.TcbInfo),
                ["qe_identity_json"] = Text(collateral.QeIdentity),
                ["pck_crl_der_b64"] = Convert.ToBase64String(collateral.PckRevocationList.Span),
                ["root_crl_der_b64"] = Convert.ToBase64String(collateral.RootRevocationList.Span),
                ["intel_root_ca_pem"] = TdxAuthority.Pem(Intel.RootCertificate),
                ["tcb_info_issuer_chain_pem"] = Text(collateral.TcbInfoIssuers),
                ["qe_identity_issuer_chain_pem"] = Text(collateral.QeIdentityIssuers),
                ["pck_crl_issuer_chain_pem"] = TdxAuthority.Pem(Intel.AuthorityCertificate, Intel.RootCertificate),
            },
            ["expiration_check_date_unix"] = Now.ToUnixTimeSeconds(),
            ["execution_mode"] = "adapter",
            ["policy"] = new JsonObject { ["enforce_spec_defaults"] = true, ["expected_report_data_hex"] = Filled(64, 0xdd).ToUpperInvariant() },
        };
    }

    private static JsonObject Quote(TdxQuoteParts parts, JsonObject? input = null)
    {
        input ??= Input();
        input["quote_b64"] = Convert.ToBase64String(Intel.Quote(parts));
        return input;
    }

    private static JsonObject Chain(params byte[][] certificates) => Quote(new() { Chain = Encoding.ASCII.GetBytes(TdxAuthority.Pem(certificates)) });

    private static JsonObject Info(string info) => Collateral("tcb_info_json", Text(Intel.Signed("tcbInfo", info)));

    private static JsonObject Identity(string identity) => Collateral("qe_identity_json", Text(Intel.Signed("enclaveIdentity", identity)));

    private static JsonObject With(string member, JsonNode? value)
    {
        var input = Input();
        input[member] = value;
        return input;
    }

    private static JsonObject Collateral(string member, string? value)
    {
        var input = Input();
        input["collateral"]![member] = value;
        return input;
    }

    private static JsonObject Demand(string member, JsonNode value)
    {
        var input = Input();
        input["policy"]![member] = value;
        return input;
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    private static string Filled(int length, byte value) => Convert.ToHexStringLower(Enumerable.Repeat(value, length).ToArray());
}
