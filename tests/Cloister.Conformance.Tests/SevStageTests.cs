using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Simulation;
using Cloister.Testing;

namespace Cloister.Conformance.Tests;

/// <summary>One machine that is accepted, each code by what is spoiled only there, and the real reports.</summary>
public class SevStageTests
{
    private const string Stage = "verify-attestation-sev";

    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DevelopmentAuthority Authority = DevelopmentAuthority.Create(Now);
    private static readonly DevelopmentAuthority Stranger = DevelopmentAuthority.Create(Now);

    private static SimulatedReport Usual { get; } = new() { ReportData = Filled(64, 1), Measurement = Filled(48, 2), HostData = Filled(32, 3), IdKeyDigest = Filled(48, 4), AuthorKeyDigest = Filled(48, 5) };

    [Fact]
    public async Task A_genuine_report_is_accepted_and_read()
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, Input().ToJsonString());
        Assert.Equal(0, exitCode);
        Assert.True((bool)answer!["accepted"]!);
        Assert.Equal(Stage, (string)answer["stage"]!);
        var outputs = answer["outputs"]!;
        Assert.Equal(Convert.ToHexStringLower(Filled(48, 2)), (string)outputs["measurement"]!["registers"]![0]!);
        var fields = outputs["body_fields"]!;
        Assert.Equal((5, 0, "0000000000020137"), ((int)fields["version"]!, (int)fields["vmpl"]!, (string)fields["policy_hex"]!));
        Assert.Equal((55, 1, false), ((int)fields["policy_decoded"]!["abi_minor"]!, (int)fields["policy_decoded"]!["abi_major"]!, (bool)fields["policy_decoded"]!["debug"]!));
        Assert.Equal((10, 27), ((int)fields["current_tcb_decoded"]!["bl_spl"]!, (int)fields["current_tcb_decoded"]!["snp_spl"]!));
        Assert.Equal(Convert.ToHexStringLower(Authority.ChipId.Span), (string)fields["chip_id_hex"]!);
    }

    public static TheoryData<string> Codes => new(Spoiled.Keys);

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Each_code_is_given_for_its_own_fault(string code)
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, Spoiled[code]().ToJsonString());
        Assert.Equal(10, exitCode);
        Assert.Equal(code, (string)answer!["rejection"]!["code"]!);
        Assert.False((bool)answer["accepted"]!);
    }

    // What else is demanded stays as it is in the accepted input.
    private static readonly Dictionary<string, Func<JsonObject>> Spoiled = new()
    {
        ["REPORT_TRUNCATED"] = () => Input(bytes => bytes[..^1]),
        ["REPORT_FORMAT_UNSUPPORTED"] = () => Input(bytes => [.. bytes, 0]),
        ["WRONG_REPORT_VERSION"] = () => Input(Byte(0, 6)),
        ["ARK_UNTRUSTED"] = () => With("amd_root_ca_pem", null, Without("ask_pem")),
        ["ASK_INVALID"] = () => With("ask_pem", Pem(Stranger, 1)),
        ["VCEK_CHAIN_INVALID"] = () => With("vcek_der_b64", Stranger.Attest(Usual).Certificates[0]),
        ["VCEK_EXPIRED"] = () => With("expiration_check_date_unix", Now.AddYears(50).ToUnixTimeSeconds()),
        ["VCEK_HWID_MISMATCH"] = () => Input(Usual with { ChipId = Filled(64, 9) }),
        ["VCEK_TCB_MISMATCH"] = () => Input(Usual with { ReportedTcb = SimulatedReport.Encode(new TcbVersion(0, 10, 0, 27, 0x1a)) }),
        ["REPORT_SIGNATURE_INVALID"] = () => Input(Byte(0x2A0, 0x55)),
        ["TCB_OUT_OF_DATE"] = () => Demand("min_tcb_snp_spl", 28),
        ["GUEST_POLICY_DEBUG_SET"] = () => Input(Usual with { Policy = Usual.Policy | 1 << 19 }),
        ["GUEST_POLICY_MIGRATE_MA_SET"] = () => Input(Usual with { Policy = Usual.Policy | 1 << 18 }),
        ["GUEST_POLICY_SINGLE_SOCKET_SET"] = () => Input(Usual with { Policy = Usual.Policy | 1 << 20 }),
        ["GUEST_POLICY_RESERVED_BIT_SET"] = () => Input(Usual with { Policy = Usual.Policy | 1UL << 40 }),
        ["PLATFORM_INFO_INVALID"] = () => Input(Usual with { PlatformInfo = Usual.PlatformInfo | 1UL << 20 }),
        ["SIGNER_INFO_INVALID"] = () => Input(Usual with { Signer = 1 << 5 }),
        ["MEASUREMENT_MISMATCH"] = () => Demand("expected_measurement_hex", Hex(48, 8)),
        ["HOST_DATA_MISMATCH"] = () => Demand("expected_host_data_hex", Hex(32, 8)),
        ["REPORT_DATA_MISMATCH"] = () => Demand("expected_report_data_hex", Hex(64, 8)),
        ["ID_KEY_DIGEST_MISMATCH"] = () => Demand("expected_id_key_digest_hex", Hex(48, 8)),
        ["AUTHOR_KEY_DIGEST_MISMATCH"] = () => Demand("expected_author_key_digest_hex", Hex(48, 8)),
    };

    [Fact]
    public async Task Bits_are_judged_only_where_it_is_demanded()
    {
        var input = Input(Usual with { Policy = Usual.Policy | 1 << 19 | 1UL << 40, PlatformInfo = 1UL << 20, Signer = 1 << 5 });
        input["policy"]!["enforce_spec_defaults"] = false;
        Assert.Equal(0, (await ConformanceProgram.RunAsync(Stage, input.ToJsonString())).ExitCode);
    }

    public static TheoryData<string> MalformedInputs => new(
        "", "{", "[]", "null", "{}",
        With("schema_version", "2").ToJsonString(),
        With("surprise", 1).ToJsonString(),
        With("attestation_doc_b64", "?").ToJsonString(),
        With("vcek_der_b64", null).ToJsonString(),
        Demand("expected_measurement_hex", "0g").ToJsonString(),
        Demand("min_tcb_snp_spl", 256).ToJsonString(),
        Demand("surprise", true).ToJsonString(),
        Input().ToJsonString().Replace("{\"schema_version\"", "{\"schema_version\":\"1\",\"schema_version\"", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(MalformedInputs))]
    public async Task Malformed_input_is_no_verdict(string input)
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, input);
        Assert.Equal(30, exitCode);
        Assert.Null(answer);
    }

    [Fact]
    public async Task A_bomb_is_not_unpacked()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(new byte[64 * 1024 * 1024]);
        }
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, With("attestation_doc_b64", Convert.ToBase64String(packed.ToArray())).ToJsonString());
        Assert.Equal((10, "WRONG_REPORT_VERSION"), (exitCode, (string)answer!["rejection"]!["code"]!));
    }

    [Theory]
    [InlineData("live-report-v5-genoa.bin", "live-vcek-genoa.der", null)]
    [InlineData("milan-report.bin", "milan-vcek.der", null)]
    [InlineData("test-report.bin", "test-vcek.der", null)]
    [InlineData("test-report.bin", "test-vcek-invalid-legacy.der", "VCEK_CHAIN_INVALID")]
    [InlineData("test-report.bin", "test-vcek-invalid-new.der", "VCEK_CHAIN_INVALID")]
    [InlineData("test-vlek-report.bin", "test-vlek.der", "VCEK_CHAIN_INVALID")]
    [InlineData("live-report-v5-genoa.bin", "milan-vcek.der", "VCEK_CHAIN_INVALID")]
    [InlineData("milan-report.bin", "test-vcek.der", "VCEK_HWID_MISMATCH")]
    public async Task Real_reports_get_the_right_verdict(string report, string chip, string? code)
    {
        var input = new JsonObject
        {
            ["schema_version"] = "1",
            ["attestation_doc_b64"] = Packed(Repository.Vector($"snp/{report}")),
            ["vcek_der_b64"] = Convert.ToBase64String(Repository.Vector($"snp/{chip}")),
            ["expiration_check_date_unix"] = Now.ToUnixTimeSeconds(),
        };
        var (exitCode, answer) = await ConformanceProgram.RunAsync(Stage, input.ToJsonString());
        Assert.Equal((code is null ? 0 : 10, code), (exitCode, (string?)answer!["rejection"]?["code"]));
    }

    [Fact]
    public async Task Only_what_is_there_is_listed()
    {
        var (exitCode, answer) = await ConformanceProgram.RunAsync("capabilities", "");
        Assert.Equal((0, """["verify-attestation-sev","verify-attestation-tdx","verify-sigstore"]"""), (exitCode, answer!["stages"]!.ToJsonString()));
        Assert.Equal(20, (await ConformanceProgram.RunAsync("verify-attestation-nothing", "{}")).ExitCode);
    }

    private static JsonObject Input() => Input(Usual);

    private static JsonObject Input(SimulatedReport report) => Input(Convert.FromBase64String(Authority.Attest(report).Report));

    private static JsonObject Input(Func<byte[], byte[]> spoil) => Input(spoil(Convert.FromBase64String(Authority.Attest(Usual).Report)));

    private static JsonObject Input(byte[] report) => new()
    {
        ["schema_version"] = "1",
        ["attestation_doc_b64"] = Packed(report),
        ["vcek_der_b64"] = Authority.Attest(Usual).Certificates[0],
        ["amd_root_ca_pem"] = Pem(Authority, 2),
        ["ask_pem"] = Pem(Authority, 1),
        ["expiration_check_date_unix"] = Now.ToUnixTimeSeconds(),
        ["policy"] = new JsonObject
        {
            ["expected_measurement_hex"] = Hex(48, 2).ToUpperInvariant(),
            ["expected_host_data_hex"] = Hex(32, 3),
            ["expected_report_data_hex"] = Hex(64, 1),
            ["expected_id_key_digest_hex"] = Hex(48, 4),
            ["expected_author_key_digest_hex"] = Hex(48, 5),
            ["min_tcb_bl_spl"] = 10,
            ["min_tcb_snp_spl"] = 27,
            ["enforce_spec_defaults"] = true,
        },
    };

    private static JsonObject With(string member, JsonNode? value, JsonObject? input = null)
    {
        input ??= Input();
        input[member] = member == "amd_root_ca_pem" ? Pem(Stranger, 2) : value;
        return input;
    }

    private static JsonObject Without(string member)
    {
        var input = Input();
        input.Remove(member);
        return input;
    }

    private static JsonObject Demand(string member, JsonNode value)
    {
        var input = Input();
        input["policy"]![member] = value;
        return input;
    }

    private static Func<byte[], byte[]> Byte(int offset, byte value) => bytes =>
    {
        bytes[offset] = value;
        return bytes;
    };

    private static string Packed(byte[] report)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(report);
        }
        return Convert.ToBase64String(packed.ToArray());
    }

    private static string Pem(DevelopmentAuthority authority, int certificate) => PemEncoding.WriteString("CERTIFICATE", Convert.FromBase64String(authority.Attest(Usual).Certificates[certificate]));

    private static string Hex(int length, byte value) => Convert.ToHexStringLower(Filled(length, value));

    private static byte[] Filled(int length, byte value)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }
}
