using System.Text;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>A whole bundle whose machine is a trust domain.</summary>
public class TdxAppraisalTests
{
    private static readonly TdxAuthority Intel = new(Machine.Now);

    private static readonly EnclaveStatement Statement = Machine.Statement with { Node = Hex.Encode(Ppid) };

    private static readonly AppraisalPolicy Policy = AppraisalPolicy.Strict([], Statement.Node) with
    {
        Waivers = Machine.Policy.Waivers,
        Tdx = TdxMachines.Strict([Build]) with { Roots = [Intel.RootFingerprint] },
    };

    private static byte[] Ppid => TdxVerification.Verify(Intel.Quote(), Intel.Collateral(), Intel.Policy, Machine.Now).Platform!.Ppid.ToArray();

    private static TdxBuild Build
    {
        get
        {
            Assert.True(TdxQuote.TryParse(Intel.Quote(), out var quote, out _));
            return new TdxBuild(Hex.Encode(quote.Report.MrTd), [Hex.Encode(quote.Report.RtMr(0)), Hex.Encode(quote.Report.RtMr(1)), Hex.Encode(quote.Report.RtMr(2)), Hex.Encode(quote.Report.RtMr(3))]);
        }
    }

    private static byte[] Bundle(EnclaveStatement? statement = null, int version = 4, Action<byte[]>? spoil = null, Func<TdxEvidence, TdxEvidence>? change = null)
    {
        byte[] bytes = (statement ?? Statement).ToBytes();
        var collateral = Intel.Collateral();
        byte[] quote = Intel.Quote(new TdxQuoteParts
        {
            Version = version,
            Report15 = version == 5,
            Body = body =>
            {
                EnclaveStatement.ReportData(bytes).CopyTo(body, 520);
                foreach (int owner in (int[])[184, 232, 280])
                {
                    body.AsSpan(owner, 48).Clear();
                }
                spoil?.Invoke(body);
            },
        });
        var evidence = new TdxEvidence
        {
            Quote = Base64.Encode(quote),
            TcbInfo = Encoding.UTF8.GetString(collateral.TcbInfo.Span),
            QeIdentity = Encoding.UTF8.GetString(collateral.QeIdentity.Span),
            PckRevocationList = Base64.Encode(collateral.PckRevocationList.Span),
            RootRevocationList = Base64.Encode(collateral.RootRevocationList.Span),
            TcbInfoIssuers = Encoding.UTF8.GetString(collateral.TcbInfoIssuers.Span),
            QeIdentityIssuers = Encoding.UTF8.GetString(collateral.QeIdentityIssuers.Span),
        };
        return new EnclaveBundle(bytes, [(change?.Invoke(evidence) ?? evidence).ToPlatformEvidence()]).ToBytes();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void A_trust_domain_as_it_should_be_is_accepted(int version)
    {
        var result = Appraisal.Appraise(Bundle(version: version, spoil: version == 5 ? body => body.AsSpan(600, 48).Clear() : null), Policy, Machine.Now);
        Assert.Empty(Machine.Failures(result));
        Assert.True(result.TryAccept(out _));
        Assert.Equal("Intel TDX", result.Machine);
        Assert.False(result.IsSimulated);
        Assert.DoesNotContain(result.Checks, check => check.Name.StartsWith("Snp.", StringComparison.Ordinal));
    }

    public static TheoryData<string, Func<AttestationResult>> Spoiled => new()
    {
        { "Tdx.ExpectedReportData", () => Appraise(Bundle(spoil: body => body[520] ^= 1)) },
        { "Tdx.Measurement", () => Appraise(Bundle(), Policy with { Tdx = Policy.Tdx! with { Builds = [] } }) },
        { "Tdx.ExpectedMrConfigId", () => Appraise(Bundle(spoil: body => body[184] ^= 1)) },
        { "Tdx.ExpectedMrOwner", () => Appraise(Bundle(spoil: body => body[232] ^= 1)) },
        { "Tdx.ExpectedMrOwnerConfig", () => Appraise(Bundle(spoil: body => body[280] ^= 1)) },
        { "Tdx.ExpectedMrServiceTd", () => Appraise(Bundle(version: 5, spoil: body => body[600] = 1)) },
        { "Tdx.TdDebug", () => Appraise(Bundle(spoil: body => body[120] |= 1)) },
        { "Tdx.EvaluationDataNumber", () => Appraise(Bundle(), Policy with { Tdx = Policy.Tdx! with { MinimumEvaluationDataNumber = 1000 } }) },
        { "Tdx.TcbStatus", () => Appraise(Bundle(), Policy with { Tdx = Policy.Tdx! with { AcceptedStatuses = [] } }) },
        { "Tdx.TeeTcbSvn", () => Appraise(Bundle(), Policy with { Tdx = Policy.Tdx! with { MinimumTeeTcbSvn = new string('f', 32) } }) },
        { nameof(BundleCheck.Node), () => Appraise(Bundle(Statement with { Node = new string('0', 32) })) },
        { nameof(BundleCheck.Fleet), () => Appraise(Bundle(), Policy with { Fleet = [] }) },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<AttestationResult> appraise) => Assert.Equal([name], Machine.Failures(appraise()));

    [Fact]
    public void Another_root_is_refused() => Assert.Contains("Tdx.Root", Machine.Failures(Appraise(Bundle(), Policy with { Tdx = Policy.Tdx! with { Roots = [TdxRoot.Intel] } })));

    [Fact]
    public void Evidence_that_cannot_be_read_is_named() =>
        Assert.Contains(nameof(BundleCheck.EvidenceForm), Machine.Failures(Appraise(Bundle(change: evidence => evidence with { Quote = "?" }))));

    private static AttestationResult Appraise(byte[] bundle, AppraisalPolicy? policy = null) => Appraisal.Appraise(bundle, policy ?? Policy, Machine.Now);
}
