using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>Documents of a made-up AWS: each check passes, and fails alone.</summary>
public class NitroVerificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NitroAuthority Aws = new(Now);
    private static readonly byte[] Good = Aws.Document();

    private static NitroResult Verify(byte[] document, NitroPolicy? policy = null, TimeSpan later = default) => NitroVerification.Verify(document, policy ?? Aws.Policy, Now + later);

    private static NitroResult Parts(NitroParts parts, NitroPolicy? policy = null) => Verify(Aws.Document(parts), policy);

    private static NitroResult Tier(NitroTier tier, Func<NitroShape, NitroShape> change) => Parts(new() { Chain = Aws.Chain(tier, change) });

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_document_as_it_should_be_passes_every_check(bool tagged, bool definite)
    {
        var result = Parts(new() { Tagged = tagged, Definite = definite });
        Assert.Equal("", Failed(result));
        Assert.True(result.IsAccepted);
        Assert.Null(result.FirstFailure);
        Assert.Equal(Enum.GetValues<NitroCheck>(), result.Findings.Select(finding => finding.Name));
        Assert.All(result.Findings, finding => Assert.Equal(Verdict.Passed, finding.Verdict));
        Assert.Equal((NitroAuthority.Instance, Now - TimeSpan.FromSeconds(1)), (result.Document!.Instance, result.Document.Timestamp));
    }

    /// <summary>One valid document, one thing spoiled: that check fails, and of those that were reached nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<NitroResult> verify)
    {
        var result = verify();
        Assert.Equal(name, Failed(result));
        Assert.Equal(Enum.Parse<NitroCheck>(name), result.FirstFailure);
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public void Every_check_is_seen_to_fail() => Assert.Empty(Enum.GetValues<NitroCheck>().Except(Cases().Select(one => one.Name)));

    public static TheoryData<string, Func<NitroResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<NitroResult>>();
            foreach (var (name, verify) in Cases())
            {
                data.Add($"{name}", verify);
            }
            return data;
        }
    }

    private static IEnumerable<(NitroCheck Name, Func<NitroResult> Verify)> Cases()
    {
        var hour = TimeSpan.FromHours(1);
        return
        [
            (NitroCheck.Envelope, () => Verify([])),
            (NitroCheck.Envelope, () => Verify(Good[..^1])),
            (NitroCheck.Envelope, () => Verify([.. Good, 0])),
            (NitroCheck.Algorithm, () => Parts(new() { Protected = [0xa1, 0x01, 0x26] })),
            (NitroCheck.Algorithm, () => Parts(new() { Protected = [0xa1, 0x01, 0x38, 0x23] })),
            (NitroCheck.Algorithm, () => Parts(new() { Protected = [0xa2, 0x01, 0x38, 0x22, 0x03, 0x00] })),
            (NitroCheck.Algorithm, () => Parts(new() { Protected = [] })),
            (NitroCheck.Form, () => Parts(new() { ModuleId = "" })),
            (NitroCheck.Form, () => Parts(new() { Members = members => members.RemoveAt(0) })),
            (NitroCheck.Certificates, () => Parts(new() { Chain = [.. Aws.Chain()[..4], [1, 2, 3]] })),
            (NitroCheck.Certificates, () => Parts(new() { Chain = [[0x30, 0x00], .. Aws.Chain()[1..]] })),
            (NitroCheck.Certificates, () => Tier(NitroTier.Enclave, shape => shape with { Key = ECDsa.Create(ECCurve.NamedCurves.nistP256) })),
            (NitroCheck.Certificates, () => Tier(NitroTier.Zone, shape => shape with { Key = ECDsa.Create(ECCurve.NamedCurves.nistP256) })),
            (NitroCheck.Root, () => Verify(Good, Aws.Policy with { Roots = [NitroRoot.Aws] })),
            (NitroCheck.Root, () => Verify(Good, Aws.Policy with { Roots = [] })),
            (NitroCheck.Root, () => Verify(new NitroAuthority(Now).Document())),
            (NitroCheck.Chain, () => Tier(NitroTier.Root, shape => shape with { Signer = NitroTier.Zone })),
            (NitroCheck.Chain, () => Tier(NitroTier.Region, shape => shape with { Signer = NitroTier.Zone })),
            (NitroCheck.Chain, () => Tier(NitroTier.Instance, shape => shape with { Signer = NitroTier.Root })),
            (NitroCheck.Chain, () => Tier(NitroTier.Enclave, shape => shape with { Signer = NitroTier.Enclave })),
            (NitroCheck.Chain, () => Parts(new() { Chain = [.. Aws.Chain()[..2], .. Aws.Chain()[3..]] })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Region, shape => shape with { PathLength = 1 })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Zone, shape => shape with { Authority = false, PathLength = null })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Instance, shape => shape with { Usage = X509KeyUsageFlags.DigitalSignature })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Root, shape => shape with { Usage = X509KeyUsageFlags.CrlSign })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Enclave, shape => shape with { Authority = true })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Enclave, shape => shape with { Usage = X509KeyUsageFlags.KeyCertSign })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Enclave, shape => shape with { Constraints = Constraints([0x30, 0x03, 0x02, 0x01, 0x00]) })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Zone, shape => shape with { Constraints = Constraints([0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0xff]) })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Zone, shape => shape with { Constraints = Constraints([0x30, 0x03, 0x01, 0x01, 0xff, 0x05, 0x00]) })),
            (NitroCheck.Authorities, () => Tier(NitroTier.Zone, shape => shape with { Constraints = Constraints([0x30, 0x03, 0x01, 0x01, 0x01]) })),
            (NitroCheck.Validity, () => Tier(NitroTier.Enclave, shape => shape with { NotAfter = Now - TimeSpan.FromSeconds(1) })),
            (NitroCheck.Validity, () => Tier(NitroTier.Enclave, shape => shape with { NotBefore = Now + TimeSpan.FromMinutes(3) })),
            (NitroCheck.Validity, () => Tier(NitroTier.Zone, shape => shape with { NotAfter = Now - hour })),
            (NitroCheck.Validity, () => Tier(NitroTier.Root, shape => shape with { NotAfter = Now - hour })),
            (NitroCheck.Validity, () => Verify(Good, Aws.Policy with { MaximumAge = 4 * hour }, 3 * hour + TimeSpan.FromSeconds(1))),
            (NitroCheck.Signature, () => Parts(new() { Finished = document => document[^1] ^= 1 })),
            (NitroCheck.Signature, () => Parts(new() { Finished = document => document.AsSpan(^96..).Clear() })),
            (NitroCheck.Signature, () => Parts(new() { Chain = Aws.Chain(NitroTier.Enclave, shape => shape with { Key = ECDsa.Create(ECCurve.NamedCurves.nistP384) }) })),
            (NitroCheck.Age, () => Parts(new() { Age = hour + TimeSpan.FromSeconds(1) })),
            (NitroCheck.Age, () => Parts(new() { Age = TimeSpan.FromSeconds(-121) })),
            (NitroCheck.Age, () => Verify(Good, Aws.Policy with { MaximumAge = TimeSpan.Zero })),
            (NitroCheck.Instance, () => Parts(new() { ModuleId = "i-0123456789abcdef1-enc0123456789abcdef" })),
            (NitroCheck.Instance, () => Parts(new() { ModuleId = NitroAuthority.Instance })),
            (NitroCheck.Instance, () => Parts(new() { ModuleId = $"{NitroAuthority.Instance}-enc0123456789abcdeF" })),
            (NitroCheck.Instance, () => Parts(new() { ModuleId = "i-0123456789ABCDEF0-enc0123456789abcdef" })),
            (NitroCheck.Instance, () => Parts(new() { Registers = registers => registers.Remove(4) })),
            (NitroCheck.Instance, () => Parts(new() { Registers = registers => registers[4][0] ^= 1 })),
            (NitroCheck.Debug, () => Parts(new() { Registers = registers => registers[0] = registers[1] = registers[2] = new byte[48] }, Aws.Policy with { Builds = [new(Zero, Zero, Zero)] })),
            (NitroCheck.Debug, () => Parts(new() { Registers = registers => registers[1] = new byte[48] }, Aws.Policy with { Builds = [NitroAuthority.Build with { Pcr1 = Zero }] })),
            (NitroCheck.Measurement, () => Verify(Good, Aws.Policy with { Builds = [] })),
            (NitroCheck.Measurement, () => Verify(Good, Aws.Policy with { Builds = [NitroAuthority.Build with { Pcr0 = Zero }, NitroAuthority.Build with { Pcr1 = Zero }, NitroAuthority.Build with { Pcr2 = Zero }] })),
            (NitroCheck.Measurement, () => Parts(new() { Registers = registers => registers[2][47] ^= 1 })),
            (NitroCheck.ImageSigner, () => Verify(Good, Aws.Policy with { ImageSigners = [] })),
            (NitroCheck.ImageSigner, () => Parts(new() { Registers = registers => registers[8][0] = 1 })),
            (NitroCheck.ImageSigner, () => Parts(new() { Registers = registers => registers.Remove(8) })),
            (NitroCheck.ReportData, () => Parts(new() { UserData = new byte[64] })),
            (NitroCheck.ReportData, () => Parts(new() { UserData = null })),
            (NitroCheck.ReportData, () => Parts(new() { UserData = [.. Enumerable.Repeat((byte)0xdd, 65)] })),
            (NitroCheck.ReportData, () => Verify(Good, Aws.Policy with { UserData = new byte[64] })),
            (NitroCheck.Nonce, () => Parts(new() { Nonce = [1] })),
            (NitroCheck.Nonce, () => Parts(new() { Nonce = [] })),
            (NitroCheck.PublicKey, () => Parts(new() { PublicKey = [1] })),
        ];
    }

    [Fact]
    public void A_debug_enclave_is_refused_for_it_and_for_its_build() =>
        Assert.Equal("Debug Measurement", Failed(Parts(new() { Registers = registers => registers[0] = registers[1] = registers[2] = new byte[48] })));

    [Fact]
    public void A_device_whose_clock_is_a_little_behind_accepts_it() => Assert.True(Verify(Good, later: TimeSpan.FromSeconds(-100)).IsAccepted);

    [Fact]
    public void A_chain_of_another_length_may_vouch_too()
    {
        byte[] direct = Aws.Certify(NitroTier.Root, shape => shape with { PathLength = 3 });
        Assert.Equal("", Failed(Parts(new() { Chain = [direct, .. Aws.Chain()[1..]] })));
        Assert.Equal("Authorities", Failed(Parts(new() { Chain = [Aws.Certify(NitroTier.Root, shape => shape with { PathLength = 2 }), .. Aws.Chain()[1..]] })));
    }

    [Fact]
    public void A_signed_image_is_accepted_where_the_policy_names_its_signer()
    {
        var signed = new NitroParts { Registers = registers => registers[8] = [.. Enumerable.Repeat((byte)8, 48)] };
        Assert.True(Parts(signed, Aws.Policy with { ImageSigners = [NitroBuild.Unsigned, string.Concat(Enumerable.Repeat("08", 48))] }).IsAccepted);
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_the_document_is_refused()
    {
        for (int at = 0; at < Good.Length; at += 7)
        {
            byte[] flipped = [.. Good];
            flipped[at] ^= (byte)(1 << at % 8);
            Assert.False(Verify(flipped).IsAccepted, $"byte {at} of the document");
        }
    }

    private static readonly string Zero = NitroBuild.Unsigned;

    private static X509Extension Constraints(byte[] value) => new("2.5.29.19", value, true);

    // What was asked and refused; what could not be reached is not among it.
    private static string Failed(NitroResult result) =>
        string.Join(' ', result.Findings.Where(finding => finding.Verdict is Verdict.Failed && finding.Found != "not reached").Select(finding => finding.Name));
}
