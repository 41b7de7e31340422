using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Simulation;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>Whoever makes an extension critical wants that refused which does not heed it (RFC 5280, section 4.2). Anywhere in a chain, on every platform.</summary>
public class CriticalExtensionTests
{
    private const string Name = "1.2.3.4";

    private static readonly DateTimeOffset Now = Machine.Now;
    private static readonly TdxAuthority Intel = new(Now);
    private static readonly NitroAuthority Aws = new(Now);
    private static readonly TpmAuthority Tpm = new(Now);
    private static readonly NvidiaAuthority Nvidia = new(Now);
    private static readonly SimulatedReport Report = new() { ReportData = new byte[64], Measurement = new byte[48] };

    private static X509Extension Stranger(bool critical) => new(Name, [5, 0], critical);

    private static X509EnhancedKeyUsageExtension Purpose(bool critical) => new([new Oid("2.23.133.8.3")], critical);

    [Theory, MemberData(nameof(Cases))]
    public void What_is_critical_and_not_known_is_refused_where_it_stands(string name, Func<X509Extension, (string? Failure, string Found)> verify)
    {
        Assert.Equal((null, ""), verify(Stranger(critical: false)));
        var (failure, found) = verify(Stranger(critical: true));
        Assert.Equal(name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..], failure);
        Assert.EndsWith(failure is "DeviceRevocationKnown" ? "none about 1" : $"critical extension {Name} is not known", found, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_looked_at_may_be_critical()
    {
        Assert.Null(Pck(Intel.Pck(extension: [], also: new X509Extension(PckExtensions.Oid, TdxAuthority.PckExtension(), critical: true)), Intel.AuthorityCertificate).Failure);
        Assert.Null(Tpms(Tpm.KeyCertificate(purpose: false, also: Purpose(critical: true)), Tpm.AuthorityCertificate).Failure);
    }

    /// <summary>A purpose that the policy waives is a purpose that nobody looks at; one of an authority neither.</summary>
    [Fact]
    public void What_is_looked_at_elsewhere_is_not_known_here()
    {
        Assert.Null(Tpms(Tpm.KeyCertificate(purpose: false, also: Purpose(critical: false)), Tpm.AuthorityCertificate, demanded: false).Failure);
        Assert.Equal(("CertificateForm", "critical extension 2.5.29.37 is not known"), Tpms(Tpm.KeyCertificate(purpose: false, also: Purpose(critical: true)), Tpm.AuthorityCertificate, demanded: false));
        Assert.Equal(("CertificateForm", "critical extension 2.5.29.37 is not known"), Tpms(Tpm.KeyCertificate(), Tpm.Authority(Purpose(critical: true))));
    }

    [Theory]
    [InlineData("2.5.29.20", false, "020101", true)]
    [InlineData("2.5.29.20", true, "020101", false)]
    [InlineData("2.5.29.28", true, "3007a005a003860161", true)]
    [InlineData("2.5.29.28", true, "300aa005a0038601618101ff", false)]
    [InlineData("2.5.29.28", true, "30038101ff", false)]
    public void A_list_is_whole_or_none(string name, bool critical, string value, bool good)
    {
        var extension = new X509Extension(name, Convert.FromHexString(value), critical);
        Assert.Equal(good, RevocationList.TryParse(Intel.RootList([], also: extension), out _));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void An_entry_of_a_list_says_nothing_critical(bool critical, bool good) =>
        Assert.Equal(good, RevocationList.TryParse(Intel.RootList([Intel.PckCertificate], ofEach: new X509Extension("2.5.29.21", [10, 1, 1], critical)), out _));

    public static TheoryData<string, Func<X509Extension, (string? Failure, string Found)>> Cases => new()
    {
        { "chip Chain", also => Snp(also, null) },
        { "intermediate Chain", also => Snp(null, also) },
        { "processor PckChainForm", also => Pck(Intel.Pck(also: also), Intel.AuthorityCertificate) },
        { "authority PckChainForm", also => Pck(Intel.PckCertificate, Intel.Authority(also)) },
        { "signer TcbInfoChain", also => First(TdxVerification.Verify(Intel.Quote(), Intel.Collateral() with { TcbInfoIssuers = Intel.Issuers(Intel.CollateralSigner(also: also)) }, Intel.Policy, Now).Findings) },
        { "enclave Authorities", also => Nitro(NitroTier.Enclave, also) },
        { "zone Authorities", also => Nitro(NitroTier.Zone, also) },
        { "root Authorities", also => Nitro(NitroTier.Root, also) },
        { "key CertificateForm", also => Tpms(Tpm.KeyCertificate(also: also), Tpm.AuthorityCertificate) },
        { "authority CertificateForm", also => Tpms(Tpm.KeyCertificate(), Tpm.Authority(also)) },
        { "provisioner DeviceChainForm", Provisioner },
        { "manifest ManifestChainForm", Manifest },
        { "responder DeviceRevocationKnown", Responder },
    };

    // The chip's certificate again, made by an intermediate of the same name that the same root made.
    private static (string?, string) Snp(X509Extension? ofChip, X509Extension? ofIntermediate)
    {
        var evidence = Machine.Authority.Attest(Report);
        X509Certificate2[] known = [.. evidence.Certificates.Select(text => X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text)))];
        using var key = RSA.Create(2048);
        byte[] intermediate = Again(known[1], new CertificateRequest(known[1].SubjectName, key, HashAlgorithmName.SHA384, RSASignaturePadding.Pss), Machine.RootKey, ofIntermediate);
        byte[] chip = Again(known[0], new CertificateRequest(known[0].SubjectName, known[0].PublicKey, HashAlgorithmName.SHA384, RSASignaturePadding.Pss), key, ofChip);
        var collateral = new SnpCollateral { Chip = chip, Intermediate = intermediate, Root = known[2].RawData, RevocationList = Convert.FromBase64String(evidence.RevocationList!) };
        return First(SnpVerification.Verify(Convert.FromBase64String(evidence.Report), collateral, new SnpReportPolicy { Roots = Machine.Policy.Snp!.Roots }, Now).Findings);
    }

    private static byte[] Again(X509Certificate2 known, CertificateRequest request, RSA issuer, X509Extension? also)
    {
        foreach (var extension in known.Extensions.Concat(also is null ? [] : [also]))
        {
            request.CertificateExtensions.Add(extension);
        }
        return request.Create(known.IssuerName, X509SignatureGenerator.CreateForRSA(issuer, RSASignaturePadding.Pss), known.NotBefore, known.NotAfter, known.SerialNumberBytes.Span).RawData;
    }

    private static (string? Failure, string Found) Pck(byte[] pck, byte[] authority) => First(TdxVerification.Verify(
        Intel.Quote(new TdxQuoteParts { Chain = Encoding.ASCII.GetBytes(TdxAuthority.Pem(pck, authority, Intel.RootCertificate)) }), Intel.Collateral(), Intel.Policy, Now).Findings);

    private static (string?, string) Nitro(NitroTier tier, X509Extension also) =>
        First(NitroVerification.Verify(Aws.Document(new() { Chain = Aws.Chain(tier, shape => shape with { Also = also }) }), Aws.Policy, Now).Findings);

    private static (string? Failure, string Found) Tpms(byte[] key, byte[] authority, bool demanded = true) => First(TpmVerification.Verify(
        Tpm.Evidence() with { Certificates = TpmAuthority.Pem(key, authority, Tpm.RootCertificate) }, Tpm.Policy() with { KeyTrust = new TpmCertifiedKey([Tpm.Root], demanded) }, Now).Findings);

    private static (string?, string) Provisioner(X509Extension also)
    {
        var provisioner = Nvidia.Issue("Test Provisioner", Nvidia.Identity, extensions: [also], issuer: Nvidia.Identity, key: Nvidia.Provisioner.Key);
        var parts = new NvidiaParts { Chain = [Nvidia.Gpu.Leaf.Certificate, Nvidia.Gpu.BootRom.Certificate, provisioner.Certificate, Nvidia.Identity.Certificate, Nvidia.Root.Certificate] };
        return First(NvidiaVerification.Verify(Nvidia.Evidence(parts), Nvidia.Collateral(), Nvidia.Policy() with { Revocation = NvidiaRevocation.Manifests }, NvidiaAuthority.Nonce, Now).Findings);
    }

    private static (string?, string) Manifest(X509Extension also)
    {
        var signer = Nvidia.Issue("Test Signer", Nvidia.ManifestIssuer, authority: false, extensions: [also]);
        var driver = Nvidia.Manifest(new NvidiaManifestParts { Signer = signer, Chain = [signer.Certificate, Nvidia.ManifestIssuer.Certificate, Nvidia.ManifestAuthority.Certificate, Nvidia.ManifestRoot.Certificate] });
        var collateral = Nvidia.Collateral();
        return First(NvidiaVerification.Verify(Nvidia.Evidence(), collateral with { Manifests = collateral.Manifests.SetItem(0, driver) }, Nvidia.Policy() with { Revocation = NvidiaRevocation.Devices }, NvidiaAuthority.Nonce, Now).Findings);
    }

    private static (string?, string) Responder(X509Extension also)
    {
        var responder = Nvidia.Issue("Test Responder", Nvidia.Provisioner, authority: false, extensions: [new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.9")], true), also]);
        var collateral = Nvidia.Collateral();
        var answers = collateral.OcspResponses.SetItem(2, Nvidia.Answer(Nvidia.Gpu.BootRom, new NvidiaAnswer { Signer = responder }));
        return First(NvidiaVerification.Verify(Nvidia.Evidence(), collateral with { OcspResponses = answers }, Nvidia.Policy(), NvidiaAuthority.Nonce, Now).Findings);
    }

    private static (string? Failure, string Found) First<T>(IEnumerable<Finding<T>> findings) where T : struct, Enum =>
        findings.FirstOrDefault(finding => finding.Verdict is Verdict.Failed) is { } first ? ($"{first.Name}", first.Found) : (null, "");
}
