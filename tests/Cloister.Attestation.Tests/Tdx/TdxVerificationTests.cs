using System.Collections.Immutable;
using System.Text;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>Quotes of a made-up Intel: each check passes, and fails alone.</summary>
public class TdxVerificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TdxAuthority Intel = new(Now);
    private static readonly byte[] Good = Intel.Quote();

    private static TdxResult Verify(byte[] quote, TdxCollateral? collateral = null, TdxPolicy? policy = null, TimeSpan later = default) =>
        TdxVerification.Verify(quote, collateral ?? Intel.Collateral(), policy ?? Intel.Policy, Now + later);

    private static TdxResult Body(Action<byte[]> spoil, TdxPolicy? policy = null) => Verify(Intel.Quote(new TdxQuoteParts { Body = spoil }), policy: policy);

    private static TdxResult Chain(params byte[][] certificates) => Verify(Intel.Quote(new TdxQuoteParts { Chain = Encoding.ASCII.GetBytes(TdxAuthority.Pem(certificates)) }));

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [InlineData(5, true)]
    public void A_quote_as_it_should_be_passes_every_check(int version, bool report15)
    {
        var result = Verify(Intel.Quote(new TdxQuoteParts { Version = version, Report15 = report15 }));
        Assert.Equal("", Failed(result));
        Assert.True(result.IsAccepted);
        Assert.Null(result.FirstFailure);
        Assert.Equal(Enum.GetValues<TdxCheck>(), result.Findings.Select(finding => finding.Name));
        Assert.All(result.Findings, finding => Assert.Equal(finding.Name >= TdxCheck.ExpectedFmspc ? Verdict.Waived : Verdict.Passed, finding.Verdict));
        Assert.Equal((TcbStatus.UpToDate, SgxType.Scalable, true), (result.Tcb!.Status, result.Platform!.Type, result.Platform.Configuration!.DynamicPlatform));
    }

    [Fact]
    public void A_quote_that_the_policy_names_in_every_field_passes_every_check()
    {
        byte[] quote = Intel.Quote(new TdxQuoteParts { Version = 5, Report15 = true });
        var result = Verify(quote, policy: Intel.Policy with { Expected = Enum.GetValues<TdxField>().ToImmutableDictionary(field => field, field => ImmutableArray.Create<ReadOnlyMemory<byte>>(FieldOf(quote, field))), Builds = [Other, Build(quote, 54)], AcceptedAdvisories = [] });
        Assert.All(result.Findings, finding => Assert.Equal(Verdict.Passed, finding.Verdict));
    }

    /// <summary>One valid quote with its collateral, one thing spoiled: that check fails, and of those that were reached nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<TdxResult> verify)
    {
        var result = verify();
        Assert.Equal($"{name}{Consequence(Enum.Parse<TdxCheck>(name))}", Failed(result));
        Assert.Equal(Enum.Parse<TdxCheck>(name), result.FirstFailure);
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public void Every_check_is_seen_to_fail() => Assert.Empty(Enum.GetValues<TdxCheck>().Except(Cases().Select(one => one.Name)));

    public static TheoryData<string, Func<TdxResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<TdxResult>>();
            foreach (var (name, verify) in Cases())
            {
                data.Add($"{name}", verify);
            }
            return data;
        }
    }

    private static IEnumerable<(TdxCheck Name, Func<TdxResult> Verify)> Cases()
    {
        (TdxCheck, Func<TdxResult>) Quote(TdxCheck name, TdxQuoteParts parts) => (name, () => Verify(Intel.Quote(parts)));
        (TdxCheck, Func<TdxResult>) With(TdxCheck name, Func<TdxCollateral, TdxCollateral> spoil) => (name, () => Verify(Good, spoil(Intel.Collateral())));
        (TdxCheck, Func<TdxResult>) Info(TdxCheck name, string info) => (name, () => Verify(Good, Intel.Collateral(tcbInfo: info)));
        (TdxCheck, Func<TdxResult>) Identity(TdxCheck name, string identity) => (name, () => Verify(Good, Intel.Collateral(qeIdentity: identity)));
        var late = TimeSpan.FromDays(40);

        return
        [
            (TdxCheck.QuoteComplete, () => Verify(Good[..^1])),
            (TdxCheck.QuoteForm, () => Verify([.. Good, 1])),
            Quote(TdxCheck.QuoteForm, new() { Header = header => header[0] = 3 }),
            Quote(TdxCheck.QuoteForm, new() { Header = header => header[0] = 6 }),
            Quote(TdxCheck.QuoteForm, new() { Version = 5, Finished = quote => quote[48] = 1 }),
            Quote(TdxCheck.QuoteForm, new() { Version = 5, Finished = quote => quote[50]++ }),
            Quote(TdxCheck.QuoteForm, new() { Finished = quote => quote[48 + 584 + 4 + 128] = 5 }),
            Quote(TdxCheck.QuoteForm, new() { Finished = quote => quote[48 + 584 + 4 + 130]-- }),
            Quote(TdxCheck.QuoteForm, new() { Finished = quote => quote[48 + 584 + 3] = 1 }),
            Quote(TdxCheck.TeeType, new() { Header = header => header[4] = 0 }),
            Quote(TdxCheck.AttestationKeyType, new() { Header = header => header[2] = 3 }),
            Quote(TdxCheck.QeVendor, new() { Header = header => header[12] = 0 }),
            (TdxCheck.PckChainComplete, () => Chain(Intel.PckCertificate, Intel.AuthorityCertificate)),
            (TdxCheck.PckChainComplete, () => Chain()),
            Quote(TdxCheck.PckChainComplete, new() { CertificationDataType = 4 }),
            (TdxCheck.PckChainForm, () => Chain(Intel.PckCertificate, Intel.AuthorityCertificate, Intel.RootCertificate, Intel.RootCertificate)),
            (TdxCheck.PckChainForm, () => Chain(Intel.AuthorityCertificate, Intel.PckCertificate, Intel.RootCertificate)),
            (TdxCheck.PckChainForm, () => Chain(Intel.Pck(extension: []), Intel.AuthorityCertificate, Intel.RootCertificate)),
            (TdxCheck.PckChainForm, () => Chain(Intel.Pck(authority: true), Intel.AuthorityCertificate, Intel.RootCertificate)),
            Quote(TdxCheck.PckChainForm, new() { Chain = "no certificates"u8.ToArray() }),
            (TdxCheck.Root, () => Verify(Good, policy: Intel.Policy with { Roots = [TdxRoot.Intel], Evaluation = TdxEvaluation.ChainsOnly })),
            (TdxCheck.PckChain, () => Chain(Intel.Pck(byAnother: true), Intel.AuthorityCertificate, Intel.RootCertificate)),
            (TdxCheck.PckValidity, () => Chain(Intel.Pck(age: TimeSpan.FromDays(400)), Intel.AuthorityCertificate, Intel.RootCertificate)),
            (TdxCheck.PckValidity, () => Chain(Intel.Pck(age: TimeSpan.FromDays(-31)), Intel.AuthorityCertificate, Intel.RootCertificate)),
            With(TdxCheck.RootRevocationList, collateral => collateral with { RootRevocationList = default }),
            With(TdxCheck.RootRevocationList, collateral => collateral with { RootRevocationList = Intel.RootList([], byAnother: true) }),
            With(TdxCheck.PckRevocationList, collateral => collateral with { PckRevocationList = default }),
            With(TdxCheck.PckRevocationList, collateral => collateral with { PckRevocationList = Intel.PckList([], byAnother: true) }),
            With(TdxCheck.PckRevocationList, collateral => collateral with { PckRevocationListIssuers = Intel.Issuers() }),
            With(TdxCheck.IntermediateRevocation, collateral => collateral with { RootRevocationList = Intel.RootList([Intel.AuthorityCertificate]) }),
            With(TdxCheck.PckRevocation, collateral => collateral with { PckRevocationList = Intel.PckList([Intel.AuthorityCertificate, Intel.PckCertificate]) }),
            Quote(TdxCheck.QuoteSignature, new() { Finished = quote => quote[48 + 584 + 4] ^= 1 }),
            Quote(TdxCheck.QuoteSignature, new() { Finished = quote => quote[28] ^= 1 }),
            Quote(TdxCheck.QeReportSignature, new() { Finished = quote => quote[48 + 584 + 4 + 134 + 384] ^= 1 }),
            Quote(TdxCheck.AttestationKeyBinding, new() { QeReport = report => report[320] ^= 1 }),
            Quote(TdxCheck.AttestationKeyBinding, new() { QeReport = report => report[383] ^= 1 }),
            Quote(TdxCheck.AttestationKeyBinding, new() { Finished = quote => quote[48 + 584 + 4 + 134 + 450] ^= 1 }),
            With(TdxCheck.TcbInfoChain, collateral => collateral with { TcbInfoIssuers = default }),
            With(TdxCheck.TcbInfoChain, collateral => collateral with { TcbInfoIssuers = Intel.Issuers(Intel.CollateralSigner(age: TimeSpan.FromDays(400))) }),
            With(TdxCheck.TcbInfoChain, collateral => collateral with { TcbInfoIssuers = Intel.Issuers(Intel.PckCertificate) }),
            With(TdxCheck.TcbInfoSignature, collateral => collateral with { TcbInfo = Spoil(collateral.TcbInfo, ^4) }),
            With(TdxCheck.TcbInfoSignature, collateral => collateral with { TcbInfo = Replace(collateral.TcbInfo, "OutOfDate", "UpToDate ") }),
            With(TdxCheck.TcbInfoSignature, collateral => collateral with { TcbInfo = "{}"u8.ToArray() }),
            Info(TdxCheck.TcbInfoForm, Intel.TcbInfo().Replace("\"TDX\"", "\"SGX\"", StringComparison.Ordinal)),
            Info(TdxCheck.TcbInfoForm, Intel.TcbInfo().Replace("\"version\":3", "\"version\":2", StringComparison.Ordinal)),
            Info(TdxCheck.TcbInfoForm, Intel.TcbInfo(levels: "null")),
            Info(TdxCheck.TcbInfoForm, Intel.TcbInfo(levels: TdxAuthority.Level("Splendid"))),
            With(TdxCheck.QeIdentityChain, collateral => collateral with { QeIdentityIssuers = "?"u8.ToArray() }),
            With(TdxCheck.QeIdentitySignature, collateral => collateral with { QeIdentity = Spoil(collateral.QeIdentity, ^4) }),
            Identity(TdxCheck.QeIdentityForm, Intel.QeIdentity().Replace("\"isvprodid\":2,", "", StringComparison.Ordinal)),
            Info(TdxCheck.TcbInfoValidity, Intel.TcbInfo(age: late)),
            Info(TdxCheck.TcbInfoValidity, Intel.TcbInfo(age: -late)),
            Identity(TdxCheck.QeIdentityValidity, Intel.QeIdentity(age: late)),
            Identity(TdxCheck.QeIdentityValidity, Intel.QeIdentity(age: -late)),
            With(TdxCheck.PckRevocationListValidity, collateral => collateral with { PckRevocationList = Intel.PckList([], late) }),
            With(TdxCheck.RootRevocationListValidity, collateral => collateral with { RootRevocationList = Intel.RootList([], -late) }),
            (TdxCheck.TcbInfoProcessor, () => Chain(Intel.Pck(extension: TdxAuthority.PckExtension(fmspc: new byte[6])), Intel.AuthorityCertificate, Intel.RootCertificate)),
            Identity(TdxCheck.QeIdentityId, Intel.QeIdentity(id: "QE")),
            Identity(TdxCheck.QeIdentityVersion, Intel.QeIdentity(version: 3)),
            Identity(TdxCheck.QeMrSigner, Intel.QeIdentity(signer: "12")),
            Identity(TdxCheck.QeFields, Intel.QeIdentity(product: 1)),
            Identity(TdxCheck.QeFields, Intel.QeIdentity(attributes: "13")),
            Identity(TdxCheck.QeFields, Intel.QeIdentity(misc: "01")),
            Info(TdxCheck.TdxModuleSigner, Intel.TcbInfo(modules: TdxAuthority.Module(signer: "01"))),
            (TdxCheck.TdxModuleSigner, () => Body(body => body[64] = 1)),
            (TdxCheck.TdxModuleAttributes, () => Body(body => body[112] = 1)),
            (TdxCheck.EvaluationDataNumber, () => Verify(Good, policy: Intel.Policy with { MinimumEvaluationDataNumber = 21 })),
            (TdxCheck.EvaluationDataNumber, () => Verify(Good, Intel.Collateral(qeIdentity: Intel.QeIdentity(number: 19)), Intel.Policy with { MinimumEvaluationDataNumber = 20 })),
            (TdxCheck.TcbStatus, () => Verify(Good, policy: Intel.Policy with { AcceptedStatuses = [] })),
            (TdxCheck.TdDebug, () => Body(body => body[120] |= 1)),
            (TdxCheck.TdAttributesReserved, () => Body(body => body[123] |= 0x20)),
            (TdxCheck.XfamRequired, () => Body(body => body[128] = 5)),
            (TdxCheck.XfamReserved, () => Body(body => body[128] = 0x1f)),
            (TdxCheck.TeeTcbSvn, () => Verify(Good, policy: Intel.Policy with { MinimumTeeTcbSvn = [5, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4] })),
            .. Enum.GetValues<TdxField>().Select(field => (Enum.Parse<TdxCheck>($"Expected{field}"), (Func<TdxResult>)(() => Verify(Good, policy: Expecting(field, new byte[] { 0x77 })))) ),
            .. Enum.GetValues<TdxField>().Select(field => (Enum.Parse<TdxCheck>($"Expected{field}"), (Func<TdxResult>)(() => Verify(Good, policy: Expecting(field))))),
            (TdxCheck.Measurement, () => Verify(Good, policy: Intel.Policy with { Builds = [] })),
            (TdxCheck.Measurement, () => Verify(Good, policy: Intel.Policy with { Builds = [Build(Good, 48) with { Mrtd = Other.Mrtd }, Build(Good, 48) with { Rtmrs = Other.Rtmrs }] })),
            (TdxCheck.Measurement, () => Body(body => body[520 - 1] ^= 1, Intel.Policy with { Builds = [Build(Good, 48)] })),
            (TdxCheck.Advisories, () => Verify(Good, Intel.Collateral(tcbInfo: Advised), Intel.Policy with { AcceptedAdvisories = ["INTEL-SA-00001"] })),

            // These three name the kind of refusal besides the refusal itself.
            (TdxCheck.TdxModuleKnown, () => Body(body => body[1] = 2)),
            Identity(TdxCheck.TcbSupported, Intel.QeIdentity(isvSvn: 5)),
            Info(TdxCheck.TcbRevoked, Intel.TcbInfo(levels: TdxAuthority.Level("Revoked"))),
        ];
    }

    private static string Consequence(TdxCheck name) => name switch
    {
        TdxCheck.TdxModuleKnown                     => " TcbSupported TcbStatus",
        TdxCheck.TcbSupported or TdxCheck.TcbRevoked => " TcbStatus",
        _                                           => "",
    };

    // One build's firmware under another's kernel is no build: each register counts with the others.
    private static readonly TdxBuild Other = new(new string('7', 96), [.. Enumerable.Repeat(new string('7', 96), 4)]);

    private static TdxBuild Build(byte[] quote, int body)
    {
        string At(int offset) => Convert.ToHexStringLower(quote.AsSpan(body + offset, 48));
        return new(At(136), [At(328), At(376), At(424), At(472)]);
    }

    private static readonly string Advised = Intel.TcbInfo(levels: TdxAuthority.Level("UpToDate").Replace("\"tcbStatus\":", "\"advisoryIDs\":[\"INTEL-SA-00001\",\"INTEL-SA-00002\"],\"tcbStatus\":", StringComparison.Ordinal));

    [Fact]
    public void An_advisory_that_the_policy_accepts_may_be_open() =>
        Assert.True(Verify(Good, Intel.Collateral(tcbInfo: Advised), Intel.Policy with { AcceptedAdvisories = ["INTEL-SA-00002", "INTEL-SA-00001"] }).IsAccepted);

    private static TdxPolicy Expecting(TdxField field, params ReadOnlyMemory<byte>[] values) =>
        Intel.Policy with { Expected = ImmutableDictionary<TdxField, ImmutableArray<ReadOnlyMemory<byte>>>.Empty.Add(field, [.. values]) };

    private static byte[] FieldOf(byte[] quote, TdxField field)
    {
        var (offset, length) = field switch
        {
            TdxField.QeVendorId     => (12, 16),
            TdxField.MrSeam         => (54 + 16, 48),
            TdxField.MrSignerSeam   => (54 + 64, 48),
            TdxField.SeamAttributes => (54 + 112, 8),
            TdxField.TdAttributes   => (54 + 120, 8),
            TdxField.Xfam           => (54 + 128, 8),
            TdxField.MrTd           => (54 + 136, 48),
            TdxField.MrConfigId     => (54 + 184, 48),
            TdxField.MrOwner        => (54 + 232, 48),
            TdxField.MrOwnerConfig  => (54 + 280, 48),
            TdxField.RtMr0          => (54 + 328, 48),
            TdxField.RtMr1          => (54 + 376, 48),
            TdxField.RtMr2          => (54 + 424, 48),
            TdxField.RtMr3          => (54 + 472, 48),
            TdxField.ReportData     => (54 + 520, 64),
            TdxField.MrServiceTd    => (54 + 600, 48),
            _                       => (0, 0),
        };
        return field is TdxField.Fmspc ? Convert.FromHexString(TdxAuthority.Fmspc) : quote[offset..(offset + length)];
    }

    private static byte[] Spoil(ReadOnlyMemory<byte> bytes, Index index)
    {
        byte[] spoiled = bytes.ToArray();
        spoiled[index] = (byte)(spoiled[index] == '0' ? '1' : '0');
        return spoiled;
    }

    private static byte[] Replace(ReadOnlyMemory<byte> text, string old, string by) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text.Span).Replace(old, by, StringComparison.Ordinal));

    // What was asked and refused; what could not be reached is not among it.
    private static string Failed(TdxResult result) =>
        string.Join(' ', result.Findings.Where(finding => finding.Verdict is Verdict.Failed && finding.Found != "not reached").Select(finding => finding.Name));
}
