using System.Text;
using System.Text.Json;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>Real quotes of real machines, with the collateral that Intel made for some of them.</summary>
public class TdxVectorTests
{
    private static readonly DateTimeOffset Spring = new(2026, 4, 10, 0, 0, 0, TimeSpan.Zero);

    internal static byte[] Tdx(string file) => Repository.Vector($"tdx/{file}");

    public static TheoryData<string, int, bool, string> Quotes => new()
    {
        { "tdx_quote_4.dat", 4, false, "50806f000000" },
        { "tdx_quote", 4, false, "b0c06f000000" },
        { "tdx_quote_live.dat", 4, false, "b0c06f000000" },
        { "tdx_quote_5.dat", 5, true, "90c06f000000" },
        { "tdx_quote_outdated", 5, true, "90c06f000000" },
    };

    [Theory, MemberData(nameof(Quotes))]
    public void A_real_quote_is_signed_through_to_Intels_root(string file, int version, bool report15, string fmspc)
    {
        var result = TdxVerification.Verify(Tdx(file), new TdxCollateral(), ChainsOnly, Spring);
        Assert.Equal("", Failures(result));
        Assert.True(result.TryGetQuote(out var quote));
        Assert.Equal(version, quote.Version);
        Assert.Equal(report15, quote.Report.IsVersion15);
        Assert.Equal(fmspc, Hex.Encode(result.Platform!.Fmspc.Span));
    }

    [Fact]
    public void Text_behind_a_quote_is_refused_and_the_quote_before_it_is_genuine()
    {
        byte[] bytes = Tdx("tdx_prod_quote_SPR_E4.dat");
        Assert.Equal(TdxCheck.QuoteForm, TdxVerification.Verify(bytes, new TdxCollateral(), ChainsOnly, Spring).FirstFailure);
        int length = TdxQuote.MeasureLength(bytes);
        Assert.Equal(bytes.Length - 39, length);
        Assert.Equal("", Failures(TdxVerification.Verify(bytes.AsMemory(0, length), new TdxCollateral(), ChainsOnly, Spring)));
    }

    /// <summary>Quote, collateral, day, the verdict over the firmware, and what a strict policy that names no build refuses.</summary>
    public static TheoryData<string, string, string, TcbStatus, string> Collaterals => new()
    {
        { "tdx_quote", "tdx_quote_collateral.json", "2025-06-25", TcbStatus.UpToDate, "" },
        { "tdx_quote", "tdx_quote_collateral.json", "2025-08-01", TcbStatus.UpToDate, "TcbInfoValidity QeIdentityValidity PckRevocationListValidity" },
        { "tdx_quote", "90c06f000000", "2026-04-10", TcbStatus.OutOfDate, "TcbInfoProcessor TcbStatus" },
        { "tdx_quote_outdated", "tdx_quote_outdated_collateral.json", "2026-03-01", TcbStatus.NotSupported, "TcbSupported TcbStatus" },
        { "tdx_quote_live.dat", "90c06f000000", "2026-04-10", TcbStatus.OutOfDate, "TcbInfoProcessor TcbStatus" },
        { "tdx_quote_5.dat", "90c06f000000", "2026-04-10", TcbStatus.NotSupported, "TcbSupported TcbStatus" },
        { "tdx_quote_4.dat", "50806f000000", "2026-04-10", TcbStatus.OutOfDate, "TcbStatus TdDebug" },
        { "tdx_prod_quote_SPR_E4.dat", "50806f000000", "2026-04-10", TcbStatus.NotSupported, "TcbSupported TcbStatus" },
    };

    [Theory, MemberData(nameof(Collaterals))]
    public void A_real_machine_is_judged_by_real_collateral(string file, string collateral, string day, TcbStatus status, string failures)
    {
        byte[] bytes = Tdx(file);
        var now = DateTimeOffset.Parse($"{day}T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture);
        var result = TdxVerification.Verify(bytes.AsMemory(0, TdxQuote.MeasureLength(bytes)), Collateral(collateral), TdxPolicy.Strict, now);
        Assert.Equal(failures, string.Join(' ', result.Findings.Where(finding => finding.Verdict is Verdict.Failed).Select(finding => finding.Name)));
        Assert.Equal(status, result.Tcb!.Status);
        Assert.True(status is not TcbStatus.OutOfDate || result.Tcb.Advisories.Contains("INTEL-SA-01036"));
    }

    [Fact]
    public void Intels_signing_key_is_pinned_for_collateral_without_issuers()
    {
        var collateral = Collateral("tdx_quote_collateral.json") with { TcbInfoIssuers = default, QeIdentityIssuers = default, PckRevocationListIssuers = default };
        Assert.True(TdxVerification.Verify(Tdx("tdx_quote"), collateral, TdxPolicy.Strict, new DateTimeOffset(2025, 6, 25, 0, 0, 0, TimeSpan.Zero)).IsAccepted);
    }

    [Fact]
    public void The_pinned_root_is_the_published_one()
    {
        Assert.True(Certificate.TryParse(Tdx("roots/intel-sgx-root.der"), out var root));
        Assert.Equal(TdxRoot.Intel, root.Key.Fingerprint);
    }

    /// <summary>Collateral of dcap-qvl's form (one file, Intel's inner objects apart) or of ours (a folder, Intel's outer objects).</summary>
    internal static TdxCollateral Collateral(string name)
    {
        if (!name.EndsWith(".json", StringComparison.Ordinal))
        {
            return new TdxCollateral
            {
                TcbInfo = Tdx($"collateral/tcb_info_{name}.json"),
                QeIdentity = Tdx("collateral/td_qe_identity.json"),
                PckRevocationList = Tdx("collateral/pck_crl_platform.der"),
                RootRevocationList = Tdx("collateral/root_ca_crl.der"),
                TcbInfoIssuers = Tdx("collateral/tcb_signing_chain.pem"),
                QeIdentityIssuers = Tdx("collateral/qe_identity_signing_chain.pem"),
            };
        }
        using var file = JsonDocument.Parse(Tdx(name));
        string Text(string member) => file.RootElement.GetProperty(member).GetString()!;
        byte[] Outer(string name, string member) => Encoding.UTF8.GetBytes($$"""{"{{name}}":{{Text(member)}},"signature":"{{Text($"{member}_signature")}}"}""");
        return new TdxCollateral
        {
            TcbInfo = Outer("tcbInfo", "tcb_info"),
            QeIdentity = Outer("enclaveIdentity", "qe_identity"),
            PckRevocationList = Convert.FromHexString(Text("pck_crl")),
            RootRevocationList = Convert.FromHexString(Text("root_ca_crl")),
            TcbInfoIssuers = Encoding.ASCII.GetBytes(Text("tcb_info_issuer_chain")),
            QeIdentityIssuers = Encoding.ASCII.GetBytes(Text("qe_identity_issuer_chain")),
            PckRevocationListIssuers = Encoding.ASCII.GetBytes(Text("pck_crl_issuer_chain")),
        };
    }

    private static TdxPolicy ChainsOnly => TdxPolicy.Strict with { Evaluation = TdxEvaluation.ChainsOnly, ArchitecturalDefaults = false };

    internal static string Failures(TdxResult result) => string.Join('\n', result.Findings.Where(finding => finding.Verdict is Verdict.Failed));
}
