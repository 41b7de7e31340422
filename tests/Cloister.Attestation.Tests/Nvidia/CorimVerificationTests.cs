using System.Security.Cryptography;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>Manifests in CBOR in the place of those in XML: the same checks pass, and fail alone.</summary>
public class CorimVerificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NvidiaAuthority Nvidia = new(Now);
    private static readonly NvidiaCollateral Collateral = Nvidia.Collateral();
    private static readonly NvidiaEvidence Good = Nvidia.Evidence();
    private static readonly byte[] DriverCorim = Nvidia.Corim();

    private static NvidiaResult Verify(params byte[][] manifests) => Verify(Good, Nvidia.Policy(), manifests);

    private static NvidiaResult Verify(NvidiaEvidence evidence, NvidiaPolicy policy, params byte[][] manifests) =>
        NvidiaVerification.Verify(evidence, Collateral with { Manifests = [.. manifests.Select(one => (ReadOnlyMemory<byte>)one)] }, policy, NvidiaAuthority.Nonce, Now);

    private static byte[] Vbios(NvidiaManifestParts? parts = null) => Nvidia.Corim((parts ?? new NvidiaManifestParts()) with { IsVbios = true });

    [Fact]
    public void A_GPU_with_CoRIMs_passes_every_check()
    {
        var result = Verify(DriverCorim, Vbios());
        Assert.Equal("", NvidiaVerificationTests.Failed(result));
        Assert.True(result.IsAccepted);
        Assert.Equal(Verify(Nvidia.Manifest(), Nvidia.Manifest(new NvidiaManifestParts { IsVbios = true })).Findings, result.Findings);
        Assert.True(Verify(Nvidia.Manifest(), Vbios()).IsAccepted);
        Assert.True(Verify(DriverCorim, Nvidia.Manifest(new NvidiaManifestParts { IsVbios = true })).IsAccepted);
    }

    [Fact]
    public void GPUs_and_a_switch_with_CoRIMs_pass_every_check() =>
        Assert.Equal("", NvidiaVerificationTests.Failed(Verify(Nvidia.FabricEvidence(), Nvidia.FabricPolicy, DriverCorim, Vbios(), Vbios(new NvidiaManifestParts { Product = "LS10", Version = NvidiaAuthority.SwitchBios }))));

    [Fact]
    public void Another_of_the_alternatives_will_do_and_no_other_value()
    {
        NvidiaResult Measured(byte[] value) => Verify(Nvidia.Evidence(new NvidiaParts { Measured = values => values[21] = value }), Nvidia.Policy(), DriverCorim, Vbios());
        Assert.True(Measured(SHA384.HashData([3, 0])).IsAccepted);
        Assert.Equal("Measurements", NvidiaVerificationTests.Failed(Measured(SHA384.HashData([11, 0]))));
    }

    [Fact]
    public void A_refusal_names_the_field()
    {
        var refused = Verify(Nvidia.Corim(parts: new NvidiaCorimParts { Item = (name, item) => name == "layer" ? [0] : item }), Vbios());
        Assert.Contains("layer at ", refused.Findings.Single(finding => finding.Name is NvidiaCheck.ManifestForm).Found, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(int number, string name)
    {
        var result = Cases()[number].Verify();
        Assert.Equal(name, NvidiaVerificationTests.Failed(result));
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public void No_byte_of_a_manifest_can_be_changed()
    {
        byte[] vbios = Vbios();
        for (int i = 0; i < DriverCorim.Length; i += 13)
        {
            byte[] spoiled = [.. DriverCorim];
            spoiled[i] ^= 1;
            Assert.False(Verify(spoiled, vbios).IsAccepted, $"{i}");
        }
    }

    public static TheoryData<int, string> Spoiled => new(Cases().Select((one, number) => (number, $"{one.Name}")));

    private static (NvidiaCheck Name, Func<NvidiaResult> Verify)[] Cases()
    {
        (NvidiaCheck, Func<NvidiaResult>) Driver(NvidiaCheck name, NvidiaManifestParts? manifest = null, NvidiaCorimParts? parts = null) => (name, () => Verify(Nvidia.Corim(manifest, parts), Vbios()));
        NvidiaManifestParts SignedBy(NvidiaAuthority.Holder holder) => new() { Signer = holder, Chain = [holder.Certificate, Nvidia.ManifestIssuer.Certificate, Nvidia.ManifestAuthority.Certificate, Nvidia.ManifestRoot.Certificate] };
        (NvidiaCheck, Func<NvidiaResult>) Signer(NvidiaCheck name, Func<NvidiaAuthority.Holder> signer) => (name, () => Verify(Good, Nvidia.Policy() with { Revocation = NvidiaRevocation.Devices }, Nvidia.Corim(SignedBy(signer())), Vbios()));
        (NvidiaCheck, Func<NvidiaResult>) Afterwards(NvidiaCheck name, byte[] old, byte[] by) => (name, () => Verify(Replace(DriverCorim, old, by), Vbios()));
        NvidiaCorimParts SignatureValidity(DateTimeOffset until) => new()
        {
            Members = (name, pairs) =>
            {
                if (name == "corim-meta")
                {
                    pairs.Add(([1], TestCbor.Map(([1], NvidiaCorim.Time(until)))));
                }
            },
        };

        return
        [
            (NvidiaCheck.ManifestForm, () => Verify(DriverCorim, Vbios(), Nvidia.Corim(parts: new NvidiaCorimParts { Item = (name, item) => name == "alg" ? TestCbor.Negative(-7) : item }))),
            Driver(NvidiaCheck.ManifestChainForm, new NvidiaManifestParts { Chain = [Nvidia.ManifestSigner.Certificate, Nvidia.ManifestAuthority.Certificate, Nvidia.ManifestRoot.Certificate] }),
            Driver(NvidiaCheck.ManifestChainForm, new NvidiaManifestParts { Chain = [Nvidia.ManifestSigner.Certificate, Nvidia.ManifestIssuer.Certificate, Nvidia.ManifestAuthority.Certificate] }),
            Driver(NvidiaCheck.ManifestChainForm, new NvidiaManifestParts { Chain = [[1, 2, 3], [4]] }),
            (NvidiaCheck.ManifestRoot, () => Verify(Good, Nvidia.Policy() with { ManifestRoots = [NvidiaRoot.Manifest] }, DriverCorim, Vbios())),
            Signer(NvidiaCheck.ManifestChain, () => Nvidia.Issue("Test Signer", Nvidia.ManifestRoot, authority: false, issuer: Nvidia.ManifestIssuer)),
            Signer(NvidiaCheck.ManifestValidity, () => Nvidia.Issue("Test Signer", Nvidia.ManifestIssuer, authority: false, age: TimeSpan.FromDays(400))),
            Driver(NvidiaCheck.ManifestValidity, parts: new NvidiaCorimParts { NotBefore = Now + TimeSpan.FromSeconds(1) }),
            Driver(NvidiaCheck.ManifestValidity, parts: new NvidiaCorimParts { NotAfter = Now - TimeSpan.FromSeconds(1) }),
            Driver(NvidiaCheck.ManifestValidity, parts: SignatureValidity(Now - TimeSpan.FromSeconds(1))),
            (NvidiaCheck.ManifestRevocation, () => NvidiaVerification.Verify(Good, Collateral with
            {
                Manifests = [DriverCorim, Vbios()],
                OcspResponses = Collateral.OcspResponses.SetItem(7, Nvidia.Answer(Nvidia.ManifestSigner, new NvidiaAnswer { Status = OcspStatus.Revoked })),
            }, Nvidia.Policy(), NvidiaAuthority.Nonce, Now)),
            Driver(NvidiaCheck.ManifestSignature, new NvidiaManifestParts { Signer = Nvidia.ManifestIssuer }),
            Driver(NvidiaCheck.ManifestSignature, parts: new NvidiaCorimParts { Item = (name, item) => name == "signature" ? TestCbor.Bytes([.. item[2..^1], (byte)(item[^1] ^ 1)]) : item }),
            Afterwards(NvidiaCheck.ManifestSignature, SHA384.HashData([3, 0]), SHA384.HashData([3, 1])),
            Afterwards(NvidiaCheck.ManifestSignature, NvidiaCorim.Time(new NvidiaCorimParts().NotAfter), NvidiaCorim.Time(new NvidiaCorimParts().NotAfter + TimeSpan.FromDays(1))),
            Driver(NvidiaCheck.DriverManifest, new NvidiaManifestParts { Version = "590.13" }),
            Driver(NvidiaCheck.DriverManifest, new NvidiaManifestParts { Product = "GH101" }),
            (NvidiaCheck.VbiosManifest, () => Verify(DriverCorim, Vbios(new NvidiaManifestParts { Version = "96.00.A5.00.02" }))),
            Driver(NvidiaCheck.ManifestConflict, new NvidiaManifestParts { Indexes = [7, 9] }),
            Driver(NvidiaCheck.Measurements, new NvidiaManifestParts { Indexes = [7, 64] }),
            Driver(NvidiaCheck.Measurements, new NvidiaManifestParts { Golden = index => index == 35 ? [new byte[48]] : null }),
        ];
    }

    private static byte[] Replace(byte[] whole, byte[] old, byte[] by)
    {
        int at = whole.AsSpan().IndexOf(old);
        Assert.True(at > 0 && old.Length == by.Length && !old.AsSpan().SequenceEqual(by));
        return [.. whole[..at], .. by, .. whole[(at + old.Length)..]];
    }
}
