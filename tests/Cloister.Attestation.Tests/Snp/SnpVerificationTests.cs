using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Simulation;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>Reports of a made-up AMD: each check passes, and fails alone.</summary>
public class SnpVerificationTests
{
    private static readonly DateTimeOffset Now = Machine.Now;
    private static readonly DevelopmentAuthority Stranger = DevelopmentAuthority.Create(Now);
    private static readonly SimulatedReport Usual = new() { ReportData = Filled(64, 1), Measurement = Filled(48, 2), HostData = Filled(32, 3), IdKeyDigest = Filled(48, 4), AuthorKeyDigest = Filled(48, 5) };
    private static readonly TcbVersion Good = SimulatedReport.Tcb;

    private static readonly ImmutableDictionary<SnpField, ImmutableArray<ReadOnlyMemory<byte>>> Wanted = new Dictionary<SnpField, ImmutableArray<ReadOnlyMemory<byte>>>
    {
        [SnpField.Measurement] = [Usual.Measurement],
        [SnpField.ReportData] = [Usual.ReportData],
        [SnpField.HostData] = [new byte[32], Usual.HostData],
        [SnpField.IdKeyDigest] = [Usual.IdKeyDigest],
        [SnpField.AuthorKeyDigest] = [Usual.AuthorKeyDigest],
    }.ToImmutableDictionary();

    private static readonly SnpReportPolicy Policy = new()
    {
        Roots = Machine.Policy.Snp!.Roots,
        Hardening = new SnpHardening { TcbFloors = TcbFloor.Current, MinimumAbi = new FirmwareAbi(1, 55), Mitigations = 0, GuestDemands = 0 },
        Expected = Wanted,
    };

    [Fact]
    public void The_pinned_certificates_are_the_pinned_keys()
    {
        Assert.Equal([SnpProduct.Milan, SnpProduct.Genoa, SnpProduct.Turin], SnpAuthority.All.Select(authority => authority.Product));
        foreach (var authority in SnpAuthority.All)
        {
            Assert.Equal(authority.RootFingerprint, authority.Root.Key.Fingerprint);
            Assert.Equal(authority.IntermediateFingerprint, authority.Intermediate.Key.Fingerprint);
            Assert.True(authority.Intermediate.IsSignedBy(authority.Root));
            Assert.Same(authority, SnpAuthority.Of(authority.Product));
        }
        Assert.Null(SnpAuthority.Of(SnpProduct.Unknown));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_report_as_it_should_be_passes_every_check(int version)
    {
        // Version 2 does not name its product; under a root that is not AMD's the certificate does.
        var result = Verify(Report(Usual with { Version = (uint)version, Family = (byte)(version < 3 ? 0 : 0x19), Model = (byte)(version < 3 ? 0 : 0x11), Stepping = (byte)(version < 3 ? 0 : 1) }));
        Assert.Equal("", Failed(result));
        Assert.True(result.IsAccepted);
        Assert.True(result.IsSimulated);
        Assert.Equal(SnpProduct.Genoa, result.Product);
        Assert.Equal(Enum.GetValues<SnpCheck>(), result.Findings.Select(finding => finding.Name));
        Assert.All(result.Findings, finding => Assert.Equal(Verdict.Passed, finding.Verdict));
    }

    [Fact]
    public void Of_a_report_alone_only_that_is_asked_which_the_policy_asks()
    {
        var result = Verify(Report(Usual), policy: new SnpReportPolicy { Roots = Policy.Roots, SpecificationDefaults = false });
        Assert.True(result.IsAccepted);
        Assert.Equal(Enum.GetValues<SnpCheck>().Where(check => check is <= SnpCheck.MinimumTcb), result.Findings.Where(finding => finding.Verdict is Verdict.Passed).Select(finding => finding.Name));
    }

    /// <summary>One valid report with its certificates, one thing spoiled: that check fails, and of those that were reached nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<SnpResult> verify)
    {
        var result = verify();
        Assert.Equal(name, Failed(result));
        Assert.Equal(Enum.Parse<SnpCheck>(name), result.FirstFailure);
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public void Every_check_is_seen_to_fail() => Assert.Empty(Enum.GetValues<SnpCheck>().Except(Cases().Select(one => one.Name)));

    public static TheoryData<string, Func<SnpResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<SnpResult>>();
            foreach (var (name, verify) in Cases())
            {
                data.Add($"{name}", verify);
            }
            return data;
        }
    }

    private static IEnumerable<(SnpCheck Name, Func<SnpResult> Verify)> Cases()
    {
        (SnpCheck, Func<SnpResult>) Field(SnpCheck name, SimulatedReport report) => (name, () => Verify(Report(report)));
        (SnpCheck, Func<SnpResult>) Byte(SnpCheck name, int offset, byte value) => (name, () => Verify(With(Report(Usual), offset, value)));
        (SnpCheck, Func<SnpResult>) Endorsed(SnpCheck name, Func<SnpCollateral, SnpCollateral> spoil) => (name, () => Verify(Report(Usual), spoil(Collateral())));
        (SnpCheck, Func<SnpResult>) Demand(SnpCheck name, SnpReportPolicy policy) => (name, () => Verify(Report(Usual), policy: policy));
        (SnpCheck, Func<SnpResult>) Harder(SnpCheck name, SnpHardening hardening) => Demand(name, Policy with { Hardening = hardening });
        (SnpCheck, Func<SnpResult>) Expect(SnpCheck name, SnpField field) => Demand(name, Policy with { Expected = Wanted.SetItem(field, [Filled(48, 9)]) });
        var strange = Stranger.Attest(Usual);

        return
        [
            (SnpCheck.Length, () => Verify(Report(Usual)[..^1])),
            (SnpCheck.Length, () => Verify([])),
            Byte(SnpCheck.Version, 0, 6),
            Byte(SnpCheck.Version, 0, 1),
            (SnpCheck.Form, () => Verify([.. Report(Usual), 0])),
            Byte(SnpCheck.Form, 0x34, 2),
            Byte(SnpCheck.Form, 0x4C, 1),
            Demand(SnpCheck.RootTrust, Policy with { Roots = [Policy.Roots[0] with { Fingerprint = new string('0', 64) }], Hardening = null }),
            (SnpCheck.Validity, () => Verify(Report(Usual), policy: Policy with { Hardening = null }, later: TimeSpan.FromDays(-30))),
            (SnpCheck.Validity, () => Verify(Report(Usual), policy: Policy with { Hardening = null }, later: TimeSpan.FromDays(11 * 365))),
            Field(SnpCheck.HardwareId, Usual with { ChipId = Filled(64, 9) }),
            Field(SnpCheck.EndorsedTcb, Usual with { ReportedTcb = SimulatedReport.Encode(Good with { Snp = 26 }) }),
            (SnpCheck.Signature, () => { byte[] report = Report(Usual); report[SnpReport.SignedSize] ^= 1; return Verify(report); }),
            (SnpCheck.Signature, () => { byte[] report = Report(Usual); report[0x50] ^= 1; return Verify(report, policy: Policy with { Expected = Wanted.Remove(SnpField.ReportData) }); }),
            Demand(SnpCheck.MinimumTcb, Policy with { MinimumTcb = Good with { Tee = 1 } }),
            Field(SnpCheck.Debug, Usual with { Policy = Usual.Policy | 1 << 19 }),
            Field(SnpCheck.MigrationAgent, Usual with { Policy = Usual.Policy | 1 << 18 }),
            (SnpCheck.SingleSocket, () => Verify(Report(Usual with { Policy = Usual.Policy | 1 << 20 }), policy: Policy with { SingleSocketRefused = true })),
            Field(SnpCheck.PolicyReserved, Usual with { Policy = Usual.Policy | 1UL << 40 }),
            Field(SnpCheck.PolicyReserved, Usual with { Policy = Usual.Policy & ~(1UL << 17) }),
            Field(SnpCheck.PlatformReserved, Usual with { PlatformInfo = Usual.PlatformInfo | 1 << 6 }),
            Field(SnpCheck.SignerInfo, Usual with { Signer = 2 }),
            Field(SnpCheck.SignerInfo, Usual with { Signer = 4 }),
            Field(SnpCheck.SignerInfo, Usual with { Signer = 8 }),
            Field(SnpCheck.SignerInfo, Usual with { Signer = 32 }),
            Expect(SnpCheck.Measurement, SnpField.Measurement),
            Demand(SnpCheck.Measurement, Policy with { Expected = Wanted.SetItem(SnpField.Measurement, []) }),
            Expect(SnpCheck.HostData, SnpField.HostData),
            Expect(SnpCheck.ReportData, SnpField.ReportData),
            Expect(SnpCheck.IdKeyDigest, SnpField.IdKeyDigest),
            Expect(SnpCheck.AuthorKeyDigest, SnpField.AuthorKeyDigest),
            Endorsed(SnpCheck.RevocationList, collateral => collateral with { RevocationList = default }),
            Endorsed(SnpCheck.Revocation, collateral => collateral with { RevocationList = new byte[] { 1 } }),
            Endorsed(SnpCheck.Revocation, collateral => collateral with { RevocationList = Convert.FromBase64String(strange.RevocationList!) }),
            Endorsed(SnpCheck.Revocation, collateral => collateral with { RevocationList = List(Now - TimeSpan.FromDays(1), Intermediate) }),
            Endorsed(SnpCheck.Revocation, collateral => collateral with { RevocationList = List(Now - TimeSpan.FromDays(60)) }),
            Endorsed(SnpCheck.Revocation, collateral => collateral with { RevocationList = List(Now + TimeSpan.FromDays(1)) }),
            Demand(SnpCheck.Product, Policy with { Roots = [Policy.Roots[0] with { Product = SnpProduct.Turin }] }),
            Harder(SnpCheck.TcbFloor, Policy.Hardening! with { TcbFloors = [TcbFloor.Current[0] with { Microcode = 0x1c }] }),
            Field(SnpCheck.TcbFloor, Usual with { CommittedTcb = SimulatedReport.Encode(Good with { Microcode = 0x18 }) }),
            Field(SnpCheck.TcbFloor, Usual with { LaunchTcb = SimulatedReport.Encode(Good with { BootLoader = 8 }) }),
            Field(SnpCheck.TcbOrder, Usual with { LaunchTcb = SimulatedReport.Encode(Good with { Snp = 28 }) }),
            Field(SnpCheck.TcbOrder, Usual with { CommittedTcb = SimulatedReport.Encode(Good with { Snp = 28 }) }),
            Field(SnpCheck.TcbOrder, Usual with { CommittedTcb = SimulatedReport.Encode(Good) | 1 << 16 }),
            Harder(SnpCheck.Mitigations, Policy.Hardening! with { Mitigations = 1 }),
            (SnpCheck.Mitigations, () => Verify(Report(Usual with { Version = 4 }), policy: Policy with { Hardening = Policy.Hardening! with { Mitigations = 1 } })),
            Field(SnpCheck.Smt, Usual with { Policy = Usual.Policy | 1 << 16 }),
            Field(SnpCheck.Cxl, Usual with { Policy = Usual.Policy | 1 << 21 }),
            Harder(SnpCheck.Abi, Policy.Hardening! with { MinimumAbi = new FirmwareAbi(2, 0) }),
            Field(SnpCheck.Abi, Usual with { Policy = Usual.Policy - 1 }),
            Harder(SnpCheck.GuestDemands, Policy.Hardening! with { GuestDemands = 1 << 23 }),
            Field(SnpCheck.Ecc, Usual with { PlatformInfo = Usual.PlatformInfo & ~(1UL << 2) }),
            Field(SnpCheck.Rapl, Usual with { PlatformInfo = Usual.PlatformInfo & ~(1UL << 3) }),
            Field(SnpCheck.CiphertextHiding, Usual with { PlatformInfo = Usual.PlatformInfo & ~(1UL << 4) }),
            Field(SnpCheck.AliasCheck, Usual with { PlatformInfo = Usual.PlatformInfo & ~(1UL << 5) }),
            Field(SnpCheck.Vmpl, Usual with { Vmpl = 1 }),

            Endorsed(SnpCheck.IntermediateTrust, collateral => collateral with { Intermediate = StrangeIntermediate() }),
            (SnpCheck.Chain, () => Verify(Stranger.Sign(Report(Usual with { ChipId = Stranger.ChipId })), Collateral() with { Chip = Convert.FromBase64String(strange.Certificates[0]) })),
            Endorsed(SnpCheck.Chain, collateral => collateral with { Chip = new byte[] { 1 } }),
        ];
    }

    [Fact]
    public void Every_bit_is_told_in_words()
    {
        Assert.Equal("ABI 1.55, sibling threads allowed, debugging allowed, unknown bit 40", new GuestPolicy(1UL << 40 | 1 << 19 | 1 << 17 | 1 << 16 | 1 << 8 | 55).Describe());
        Assert.Equal("error correction on, unknown bit 6, trusted I/O on", new PlatformInfo(0b1100_0100).Describe());
        Assert.Equal("Vlek, author key, unknown bit 9", new SignerInfo(1 << 9 | 1 << 2 | 1).Describe());
        for (int bit = 16; bit < 64; bit++)
        {
            Assert.Equal(bit >= 26, new GuestPolicy(1UL << bit).Describe().Contains("unknown", StringComparison.Ordinal));
        }
    }

    private static SnpResult Verify(byte[] report, SnpCollateral? collateral = null, SnpReportPolicy? policy = null, TimeSpan later = default) =>
        SnpVerification.Verify(report, collateral ?? Collateral(), policy ?? Policy, Now + later);

    private static SnpCollateral Collateral()
    {
        var evidence = Machine.Authority.Attest(Usual);
        byte[][] certificates = [.. evidence.Certificates.Select(Convert.FromBase64String)];
        return new SnpCollateral { Chip = certificates[0], Intermediate = certificates[1], Root = certificates[2], RevocationList = Convert.FromBase64String(evidence.RevocationList!) };
    }

    private static byte[] Report(SimulatedReport report) => Base64.TryDecode(Machine.Authority.Attest(report).Report, out byte[]? bytes) ? bytes : [];

    private static byte[] With(byte[] report, int offset, byte value)
    {
        report[offset] = value;
        return report;
    }

    private static X509Certificate2 Root => X509CertificateLoader.LoadCertificate(Collateral().Root.Span);

    private static X509Certificate2 Intermediate => X509CertificateLoader.LoadCertificate(Collateral().Intermediate.Span);

    private static byte[] List(DateTimeOffset made, params X509Certificate2[] revoked) => DevelopmentAuthority.MakeRevocationList(Root, Machine.RootKey, made, made + TimeSpan.FromDays(30), revoked);

    // Name and key of the intermediate, so that it signed the chip's certificate; but it is not our root that made it.
    private static byte[] StrangeIntermediate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(Intermediate.SubjectName, Intermediate.PublicKey, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        return request.Create(Root.SubjectName, X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pss), Now - TimeSpan.FromDays(1), Now + TimeSpan.FromDays(1), [2]).RawData;
    }

    private static byte[] Filled(int length, byte value) => [.. Enumerable.Repeat(value, length)];

    // What was asked and refused; what could not be reached is not among it.
    private static string Failed(SnpResult result) =>
        string.Join(' ', result.Findings.Where(finding => finding.Verdict is Verdict.Failed && finding.Found != "not reached").Select(finding => finding.Name));
}
