using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>Machines of a made-up NVIDIA: each check passes, and fails alone.</summary>
public class NvidiaVerificationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NvidiaAuthority Nvidia = new(Now);
    private static readonly NvidiaCollateral Collateral = Nvidia.Collateral();
    private static readonly NvidiaEvidence Good = Nvidia.Evidence();

    private static NvidiaResult Verify(NvidiaEvidence evidence, NvidiaCollateral? collateral = null, NvidiaPolicy? policy = null, byte[]? nonce = null) =>
        NvidiaVerification.Verify(evidence, collateral ?? Collateral, policy ?? Nvidia.Policy(), nonce ?? NvidiaAuthority.Nonce, Now);

    private static NvidiaResult Report(NvidiaParts parts, NvidiaPolicy? policy = null) => Verify(Nvidia.Evidence(parts), policy: policy);

    private static NvidiaResult Field(int field, params byte[] value) => Report(new NvidiaParts { Fields = fields => fields[field] = value });

    private static NvidiaResult Without(int field) => Report(new NvidiaParts { Fields = fields => fields.Remove(field) });

    private static NvidiaResult Two(params NvidiaDeviceEvidence[] gpus) => Verify(new NvidiaEvidence { Gpus = [.. gpus] }, policy: Nvidia.Policy(2));

    private static NvidiaResult Fabric(NvidiaEvidence evidence) => Verify(evidence, policy: Nvidia.FabricPolicy);

    private static NvidiaResult Answered(int who, byte[]? answer) => Verify(Good, With(who, answer));

    // The first of the devices' is about the authority's identity, the last about the manifests' signer.
    private static NvidiaCollateral With(int who, byte[]? answer) =>
        Collateral with { OcspResponses = answer is null ? Collateral.OcspResponses.RemoveAt(who) : Collateral.OcspResponses.SetItem(who, answer) };

    private static NvidiaCollateral Manifests(NvidiaManifestParts? driver = null, NvidiaManifestParts? vbios = null) => Collateral with
    {
        Manifests = [Nvidia.Manifest(driver), Nvidia.Manifest((vbios ?? new NvidiaManifestParts()) with { IsVbios = true })],
    };

    [Fact]
    public void Evidence_as_it_should_be_passes_every_check()
    {
        var result = Verify(Good, policy: Nvidia.Policy() with { Drivers = [NvidiaAuthority.Driver], Vbioses = [NvidiaAuthority.Vbios], ManifestIds = ["NV_GPU_DRIVER_GH100_590.12", "NV_GPU_VBIOS_G520_0200_885_9600A50001"] });
        Assert.Equal("", Failed(result));
        Assert.True(result.IsAccepted);
        Assert.Null(result.FirstFailure);
        Assert.Equal(Enum.GetValues<NvidiaCheck>(), result.Findings.Select(finding => finding.Name));
        Assert.All(result.Findings, finding => Assert.Equal(finding.Name is NvidiaCheck.GpuTopology or NvidiaCheck.SwitchTopology ? Verdict.Waived : Verdict.Passed, finding.Verdict));
        var device = Assert.Single(result.Devices);
        Assert.Equal((false, "GH100", "590.12", "96.00.A5.00.01", NvidiaMode.SinglePassThrough), (device.IsSwitch, device.Chip, device.Driver, device.Vbios, device.Mode));
    }

    [Fact]
    public void Two_GPUs_and_their_switch_pass_every_check()
    {
        var result = Fabric(Nvidia.FabricEvidence());
        Assert.Equal("", Failed(result));
        Assert.True(result.IsAccepted);
        Assert.Equal(3, result.Devices.Length);
        Assert.Equal(Verdict.Passed, result.Findings.Single(finding => finding.Name is NvidiaCheck.SwitchTopology).Verdict);
    }

    [Fact]
    public void Eight_GPUs_and_four_switches_pass_every_check()
    {
        using var authority = new NvidiaAuthority(Now);
        ulong[] pdis = [0x1122334455667701, 0x1122334455667702, 0x1122334455667703, 0x1122334455667704];
        var gpus = Enumerable.Range(20, 8).Select(number => authority.Device(number)).ToArray();
        var switches = Enumerable.Range(40, 4).Select(number => authority.Device(number, isSwitch: true)).ToArray();
        var evidence = new NvidiaEvidence
        {
            Gpus = [.. gpus.Select(gpu => authority.Report(gpu, new NvidiaParts { Fields = fields => (fields[21], fields[36], fields[22]) = ([0xaa], [2, 0], NvidiaAuthority.Pdis([.. pdis, .. pdis, 0, 0])) }))],
            Switches = [.. switches.Select((one, i) => authority.Report(one, new NvidiaParts { Fields = fields => (fields[22], fields[26]) = ([.. BitConverter.GetBytes(pdis[i]).Reverse()], NvidiaAuthority.Pdis(1, 2, 3, 4, 5, 6, 7, 8)) }))],
        };
        var collateral = authority.Collateral();
        collateral = collateral with { OcspResponses = collateral.OcspResponses.AddRange(gpus.Concat(switches).Select(device => (ReadOnlyMemory<byte>)authority.Answer(device.BootRom))) };
        var policy = authority.Policy(8) with { SwitchCount = 4, Modes = [NvidiaMode.ProtectedPcie] };
        NvidiaResult Verify(NvidiaEvidence shown) => NvidiaVerification.Verify(shown, collateral, policy, NvidiaAuthority.Nonce, Now);

        Assert.Equal("", Failed(Verify(evidence)));
        Assert.True(Verify(evidence).IsAccepted);
        Assert.Equal("SwitchCount GpuTopology", Failed(Verify(evidence with { Switches = evidence.Switches.RemoveAt(3) })));
        Assert.Equal("Distinct GpuTopology", Failed(Verify(evidence with { Switches = evidence.Switches.SetItem(3, evidence.Switches[0]) })));
    }

    [Fact]
    public void A_later_kind_of_certificate_names_its_firmware_in_another_place()
    {
        using var authority = new NvidiaAuthority(Now);
        var device = authority.Device(3, leaf: new NvidiaLeaf { Blackwell = true, Chip = "GB100" });
        var collateral = authority.Collateral() with
        {
            Manifests = [authority.Manifest(new NvidiaManifestParts { Product = "GB100" }), authority.Manifest(new NvidiaManifestParts { Product = "GB100", IsVbios = true })],
        };
        var policy = authority.Policy() with { Modes = [NvidiaMode.MultiplePassThrough], Revocation = NvidiaRevocation.Manifests };
        var result = NvidiaVerification.Verify(new NvidiaEvidence { Gpus = [authority.Report(device, new NvidiaParts { Fields = fields => fields[36] = [0, 0] })] }, collateral, policy, NvidiaAuthority.Nonce, Now);
        Assert.Equal("", Failed(result));
        Assert.Contains("NV_GPU_CC_DRIVER_GB100_590.12", result.Devices[0].ManifestIds);
    }

    [Fact]
    public void A_board_without_the_decoder_need_not_measure_it()
    {
        var parts = new NvidiaParts { Measured = values => values[35] = new byte[48], Fields = fields => fields[11] = [0x55] };
        Assert.True(Report(parts).IsAccepted);
        Assert.Equal("Measurements", Failed(Report(parts with { Fields = null })));
    }

    [Fact]
    public void Who_may_answer_for_an_issuer_is_somebody_it_named_for_it()
    {
        var subject = Nvidia.Gpu.BootRom;
        Assert.True(Answered(2, Nvidia.Answer(subject, new NvidiaAnswer { Signer = Nvidia.Responder(Nvidia.Provisioner) })).IsAccepted);
        Assert.True(Answered(2, Nvidia.Answer(subject, new NvidiaAnswer { Hash = HashAlgorithmName.SHA256, Lifetime = null })).IsAccepted);
    }

    [Fact]
    public void What_nobody_asked_for_and_is_revoked_is_revoked()
    {
        var policy = Nvidia.Policy() with { Revocation = NvidiaRevocation.None };
        Assert.True(Verify(Good, Collateral with { OcspResponses = [] }, policy).IsAccepted);
        var revoked = Nvidia.Answer(Nvidia.Gpu.BootRom, new NvidiaAnswer { Status = OcspStatus.Revoked, Age = TimeSpan.FromDays(300), Lifetime = TimeSpan.FromDays(1) });
        Assert.Equal("DeviceRevocation", Failed(Verify(Good, Collateral with { OcspResponses = [revoked] }, policy)));
    }

    [Fact]
    public void A_newer_answer_does_not_undo_a_revocation()
    {
        var revoked = Nvidia.Answer(Nvidia.Provisioner, new NvidiaAnswer { Status = OcspStatus.Revoked, Age = TimeSpan.FromHours(3) });
        Assert.Equal("DeviceRevocation", Failed(Verify(Good, Collateral with { OcspResponses = Collateral.OcspResponses.Add(revoked) })));
    }

    [Fact]
    public void A_check_that_one_device_does_not_reach_is_not_passed_by_the_other()
    {
        var result = Two(Nvidia.Report(Nvidia.Gpu), new NvidiaDeviceEvidence(new byte[3], Nvidia.Report(Nvidia.Second).Certificates));
        Assert.Equal("ReportForm", Failed(result));
        Assert.Equal("not reached", result.Findings.Single(finding => finding.Name is NvidiaCheck.Nonce).Found);
        Assert.StartsWith("GPU 1: ", result.Findings.Single(finding => finding.Name is NvidiaCheck.ReportForm).Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_at_all_is_refused_and_nothing_is_thrown()
    {
        var nothing = new NvidiaEvidence { Gpus = default, Switches = default };
        var none = new NvidiaCollateral { Manifests = default, OcspResponses = default };
        Assert.False(Verify(nothing, none, Nvidia.Policy() with { GpuCount = 0 }).IsAccepted);
        Assert.False(Verify(nothing, Collateral, Nvidia.Policy() with { GpuCount = 0 }).IsAccepted);
        Assert.Empty(Verify(new NvidiaEvidence { Gpus = [.. Enumerable.Repeat(Good.Gpus[0], 65)] }, policy: Nvidia.Policy(64)).Devices);
        Assert.False(Verify(Good, Collateral with { Manifests = [.. Enumerable.Repeat(Collateral.Manifests[0], 17)] }).IsAccepted);
    }

    /// <summary>One valid machine, one thing spoiled: that check fails, and of those that were reached nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(int number, string name)
    {
        var result = Cases()[number].Verify();
        Assert.Equal(name, Failed(result));
        Assert.Equal(Enum.Parse<NvidiaCheck>(name), result.FirstFailure);
        Assert.False(result.IsAccepted);
    }

    [Fact]
    public void Every_check_is_seen_to_fail() => Assert.Empty(Enum.GetValues<NvidiaCheck>().Except(Cases().Select(one => one.Name)));

    [Fact]
    public void Every_check_has_its_words()
    {
        foreach (var check in Enum.GetValues<NvidiaCheck>())
        {
            var text = NvidiaCheckTexts.Of(check);
            Assert.True(text.PassesIf.Length > 0 && !text.PassesIf.EndsWith('.') && text.Failure.EndsWith('.') && text.Mend.EndsWith('.'), $"{check}");
        }
    }

    public static TheoryData<int, string> Spoiled => new(Cases().Select((one, number) => (number, $"{one.Name}")));

    private static (NvidiaCheck Name, Func<NvidiaResult> Verify)[] Cases()
    {
        (NvidiaCheck, Func<NvidiaResult>) Of(NvidiaCheck name, Func<NvidiaResult> verify) => (name, verify);
        (NvidiaCheck, Func<NvidiaResult>) Fields(NvidiaCheck name, int field, params byte[] value) => (name, () => Field(field, value));
        (NvidiaCheck, Func<NvidiaResult>) Chain(NvidiaCheck name, Func<byte[][]> chain) => (name, () => Report(new NvidiaParts { Chain = chain() }));
        (NvidiaCheck, Func<NvidiaResult>) Leaf(NvidiaCheck name, NvidiaLeaf leaf) => (name, () => Verify(new NvidiaEvidence { Gpus = [Nvidia.Report(Nvidia.Device(5, leaf: leaf))] }, policy: Nvidia.Policy() with { Revocation = NvidiaRevocation.Manifests }));
        (NvidiaCheck, Func<NvidiaResult>) Driver(NvidiaCheck name, NvidiaManifestParts parts) => (name, () => Verify(Good, Manifests(driver: parts)));
        (NvidiaCheck, Func<NvidiaResult>) Edited(NvidiaCheck name, string old, string by) => (name, () => Verify(Good, Manifests(driver: new NvidiaManifestParts { Finished = text => Replace(text, old, by) })));
        (NvidiaCheck, Func<NvidiaResult>) Policy(NvidiaCheck name, Func<NvidiaPolicy, NvidiaPolicy> change) => (name, () => Verify(Good, policy: change(Nvidia.Policy())));
        (NvidiaCheck, Func<NvidiaResult>) Answer(NvidiaCheck name, int who, Func<NvidiaAnswer> answer) => (name, () => Answered(who, Nvidia.Answer(Nvidia.Certified()[who], answer())));
        (NvidiaCheck, Func<NvidiaResult>) Signer(NvidiaCheck name, Func<NvidiaAuthority.Holder> signer) => (name, () => Verify(Good,
            Manifests(driver: SignedBy(signer())), Nvidia.Policy() with { Revocation = NvidiaRevocation.Devices }));
        byte[] leafOf(NvidiaAuthority.MachineDevice device) => device.Leaf.Certificate;
        byte[] good() => leafOf(Nvidia.Gpu);
        byte[] boot() => Nvidia.Gpu.BootRom.Certificate;
        byte[] above(string name, NvidiaAuthority.Holder by, NvidiaAuthority.Holder like, int? path = null, X509KeyUsageFlags? usage = null, bool authority = true, TimeSpan age = default) =>
            Nvidia.Issue(name, by, authority, usage, path, age, issuer: like.Issuer, key: like.Key).Certificate;

        return
        [
            Of(NvidiaCheck.GpuCount, () => Verify(Good, policy: Nvidia.Policy(2))),
            Of(NvidiaCheck.GpuCount, () => Verify(new NvidiaEvidence { Gpus = [Nvidia.Report(Nvidia.Gpu), Nvidia.Report(Nvidia.Second)] })),
            Of(NvidiaCheck.SwitchCount, () => Verify(Good, policy: Nvidia.Policy() with { SwitchCount = 1 })),
            Of(NvidiaCheck.ReportForm, () => Report(new NvidiaParts { Unsigned = bytes => bytes[3] = 1 })),
            Fields(NvidiaCheck.ReportFields, 3),
            Fields(NvidiaCheck.ReportFields, 3, [.. "590 12"u8]),
            Fields(NvidiaCheck.ReportFields, 6, 1, 2, 3),
            Fields(NvidiaCheck.ReportFields, 6, 0, 0xa5, 0, 0x96, 1, 0, 0, 1),
            Fields(NvidiaCheck.ReportFields, 11, 0xab),
            Of(NvidiaCheck.ReportFields, () => Without(11)),
            Of(NvidiaCheck.ReportFields, () => Without(17)),
            Of(NvidiaCheck.ReportFields, () => Without(18)),
            Of(NvidiaCheck.ReportFields, () => Without(15)),
            Chain(NvidiaCheck.DeviceChainForm, () => [good(), boot(), Nvidia.Provisioner.Certificate, Nvidia.Identity.Certificate]),
            Chain(NvidiaCheck.DeviceChainForm, () => [boot(), good(), Nvidia.Provisioner.Certificate, Nvidia.Identity.Certificate, Nvidia.Root.Certificate]),
            Chain(NvidiaCheck.DeviceChainForm, () => []),
            Chain(NvidiaCheck.DeviceChainForm, () => [Nvidia.Root.Certificate]),
            Chain(NvidiaCheck.DeviceChainForm, () => [good(), boot(), above("Test Provisioner", Nvidia.Identity, Nvidia.Provisioner, path: 0), Nvidia.Identity.Certificate, Nvidia.Root.Certificate]),
            Chain(NvidiaCheck.DeviceChainForm, () => [good(), boot(), above("Test Provisioner", Nvidia.Identity, Nvidia.Provisioner, usage: X509KeyUsageFlags.DigitalSignature), Nvidia.Identity.Certificate, Nvidia.Root.Certificate]),
            Chain(NvidiaCheck.DeviceChainForm, () => [good(), boot(), above("Test Provisioner", Nvidia.Identity, Nvidia.Provisioner, authority: false, usage: X509KeyUsageFlags.KeyCertSign), Nvidia.Identity.Certificate, Nvidia.Root.Certificate]),
            Leaf(NvidiaCheck.DeviceChainForm, new NvidiaLeaf { IsAuthority = true, Usage = X509KeyUsageFlags.DigitalSignature }),
            Leaf(NvidiaCheck.DeviceChainForm, new NvidiaLeaf { Usage = X509KeyUsageFlags.KeyAgreement }),
            Leaf(NvidiaCheck.DeviceChainForm, new NvidiaLeaf { Maker = "ACME" }),
            Leaf(NvidiaCheck.DeviceChainForm, new NvidiaLeaf { Chip = "GH100:GH100" }),
            Leaf(NvidiaCheck.DeviceChainForm, new NvidiaLeaf { FirmwareId = new byte[47] }),
            Policy(NvidiaCheck.DeviceRoot, policy => policy with { DeviceRoots = [NvidiaRoot.Device] }),
            Policy(NvidiaCheck.DeviceRoot, policy => policy with { DeviceRoots = [] }),
            Leaf(NvidiaCheck.DeviceChain, new NvidiaLeaf { By = Nvidia.Provisioner }),
            Of(NvidiaCheck.DeviceChain, () => Report(
                new NvidiaParts { Chain = [good(), boot(), above("Test Provisioner", Nvidia.ManifestRoot, Nvidia.Provisioner), Nvidia.Identity.Certificate, Nvidia.Root.Certificate] },
                Nvidia.Policy() with { Revocation = NvidiaRevocation.Manifests })),
            Leaf(NvidiaCheck.DeviceValidity, new NvidiaLeaf { Age = TimeSpan.FromDays(400) }),
            Leaf(NvidiaCheck.DeviceValidity, new NvidiaLeaf { Age = TimeSpan.FromDays(-31) }),
            Of(NvidiaCheck.DeviceRevocationKnown, () => Answered(0, null)),
            Of(NvidiaCheck.DeviceRevocationKnown, () => Answered(2, null)),
            Of(NvidiaCheck.DeviceRevocationKnown, () => Answered(1, [1, 2, 3])),
            Answer(NvidiaCheck.DeviceRevocationKnown, 1, () => new NvidiaAnswer { Finished = bytes => bytes[^1] ^= 1 }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 1, () => new NvidiaAnswer { Issuer = Nvidia.Root }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 1, () => new NvidiaAnswer { Hash = HashAlgorithmName.SHA1 }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 1, () => new NvidiaAnswer { Age = TimeSpan.FromHours(-1) }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 2, () => new NvidiaAnswer { Signer = Nvidia.Responder(Nvidia.Provisioner, purpose: "1.3.6.1.5.5.7.3.1") }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 2, () => new NvidiaAnswer { Signer = Nvidia.Responder(Nvidia.Provisioner, age: TimeSpan.FromDays(400)) }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 2, () => new NvidiaAnswer { Signer = Nvidia.Responder(Nvidia.Provisioner, by: Nvidia.Root) }),
            Answer(NvidiaCheck.DeviceRevocationKnown, 2, () => new NvidiaAnswer { Signer = Nvidia.Responder(Nvidia.Identity) }),
            Answer(NvidiaCheck.DeviceRevocationAge, 1, () => new NvidiaAnswer { Age = TimeSpan.FromHours(25) }),
            Answer(NvidiaCheck.DeviceRevocationAge, 1, () => new NvidiaAnswer { Age = TimeSpan.FromHours(3), Lifetime = TimeSpan.FromHours(2) }),
            Policy(NvidiaCheck.DeviceRevocationAge, policy => policy with { MaximumOcspAge = TimeSpan.FromMinutes(59), Revocation = NvidiaRevocation.Devices }),
            Answer(NvidiaCheck.DeviceRevocation, 2, () => new NvidiaAnswer { Status = OcspStatus.Revoked }),
            Answer(NvidiaCheck.DeviceRevocation, 0, () => new NvidiaAnswer { Status = OcspStatus.Unknown }),
            Of(NvidiaCheck.ReportSignature, () => Report(new NvidiaParts { Finished = bytes => bytes[^1] ^= 1 })),
            Of(NvidiaCheck.ReportSignature, () => Report(new NvidiaParts { Chain = Nvidia.ChainOf(Nvidia.Second) })),
            Of(NvidiaCheck.Nonce, () => Report(new NvidiaParts { Nonce = SHA256.HashData("another"u8) })),
            Of(NvidiaCheck.Nonce, () => Verify(Good, nonce: new byte[32])),
            Of(NvidiaCheck.Nonce, () => Verify(Good, nonce: [])),
            Of(NvidiaCheck.Nonce, () => Two(Nvidia.Report(Nvidia.Gpu), Nvidia.Report(Nvidia.Second, new NvidiaParts { Nonce = new byte[32] }))),
            Fields(NvidiaCheck.FirmwareId, 20, SHA384.HashData("another"u8)),
            Of(NvidiaCheck.FirmwareId, () => Without(20)),
            Leaf(NvidiaCheck.FirmwareId, new NvidiaLeaf { FirmwareId = SHA384.HashData("another"u8) }),
            Leaf(NvidiaCheck.FirmwareId, new NvidiaLeaf { FirmwareId = SHA384.HashData("another"u8), Blackwell = true }),
            Of(NvidiaCheck.Distinct, () => Two(Nvidia.Report(Nvidia.Gpu), Nvidia.Report(Nvidia.Gpu))),
            Of(NvidiaCheck.Distinct, () => Verify(new NvidiaEvidence { Gpus = [Nvidia.Report(Nvidia.Gpu), Nvidia.Report(Nvidia.Device(0))] }, policy: Nvidia.Policy(2) with { Revocation = NvidiaRevocation.Manifests })),
            Of(NvidiaCheck.ManifestForm, () => Verify(Good, Collateral with { Manifests = Collateral.Manifests.Add("<a/>"u8.ToArray()) })),
            Of(NvidiaCheck.ManifestForm, () => Verify(Good, Collateral with { Manifests = Collateral.Manifests.Add(default) })),
            Driver(NvidiaCheck.ManifestChainForm, new NvidiaManifestParts { Chain = [Nvidia.ManifestSigner.Certificate, Nvidia.ManifestAuthority.Certificate, Nvidia.ManifestRoot.Certificate] }),
            Driver(NvidiaCheck.ManifestChainForm, new NvidiaManifestParts { Chain = [[1, 2, 3]] }),
            Policy(NvidiaCheck.ManifestRoot, policy => policy with { ManifestRoots = [NvidiaRoot.Manifest] }),
            Signer(NvidiaCheck.ManifestChain, () => Nvidia.Issue("Test Signer", Nvidia.ManifestRoot, authority: false, issuer: Nvidia.ManifestIssuer)),
            Signer(NvidiaCheck.ManifestValidity, () => Nvidia.Issue("Test Signer", Nvidia.ManifestIssuer, authority: false, age: TimeSpan.FromDays(400))),
            Signer(NvidiaCheck.ManifestValidity, () => Nvidia.Issue("Test Signer", Nvidia.ManifestIssuer, authority: false, age: TimeSpan.FromDays(-31))),
            Of(NvidiaCheck.ManifestRevocationKnown, () => Answered(7, null)),
            Of(NvidiaCheck.ManifestRevocationKnown, () => Answered(5, null)),
            Answer(NvidiaCheck.ManifestRevocationAge, 7, () => new NvidiaAnswer { Age = TimeSpan.FromHours(25) }),
            Answer(NvidiaCheck.ManifestRevocation, 7, () => new NvidiaAnswer { Status = OcspStatus.Revoked }),
            Answer(NvidiaCheck.ManifestRevocation, 6, () => new NvidiaAnswer { Status = OcspStatus.Revoked }),
            Driver(NvidiaCheck.ManifestSignature, new NvidiaManifestParts { Signer = Nvidia.ManifestIssuer }),
            Edited(NvidiaCheck.ManifestSignature, "name=\"Measurement_3\"", "name=\"Measurement_x\""),
            Edited(NvidiaCheck.ManifestSignature, "    <ns0:Payload", "     <ns0:Payload"),
            Edited(NvidiaCheck.ManifestSignature, "\n<ds:Signature xmlns", "<ds:Signature xmlns"),
            Edited(NvidiaCheck.ManifestSignature, "role=\"softwareCreator tagCreator\"", "role=\"softwareCreator\""),
            Edited(NvidiaCheck.ManifestSignature, "<ds:Reference URI", "\n<ds:Reference URI"),
            Driver(NvidiaCheck.DriverManifest, new NvidiaManifestParts { Version = "590.13" }),
            Driver(NvidiaCheck.DriverManifest, new NvidiaManifestParts { Product = "GH101" }),
            Of(NvidiaCheck.VbiosManifest, () => Verify(Good, Manifests(vbios: new NvidiaManifestParts { Version = "96.00.A5.00.02" }))),
            Of(NvidiaCheck.VbiosManifest, () => Fabric(Nvidia.FabricEvidence(@switch: fields => fields[6] = [.. "96.10.55.00.02"u8]))),
            Driver(NvidiaCheck.ManifestConflict, new NvidiaManifestParts { Indexes = [7, 9] }),
            Of(NvidiaCheck.Measurements, () => Report(new NvidiaParts { Measured = values => values[7][0] ^= 1 })),
            Of(NvidiaCheck.Measurements, () => Report(new NvidiaParts { Measured = values => values[9][0] ^= 1 })),
            Driver(NvidiaCheck.Measurements, new NvidiaManifestParts { Golden = index => index == 21 ? [new byte[48], SHA384.HashData([1])] : null }),
            Driver(NvidiaCheck.Measurements, new NvidiaManifestParts { Golden = index => index == 35 ? [new byte[48]] : null }),
            Of(NvidiaCheck.Measurements, () => Verify(Good, Manifests(new NvidiaManifestParts { Indexes = [] }, new NvidiaManifestParts { Indexes = [] }))),
            Fields(NvidiaCheck.Mode, 36, 3, 0),
            Fields(NvidiaCheck.Mode, 36, 1),
            Fields(NvidiaCheck.Mode, 36, 2, 0),
            Fields(NvidiaCheck.Mode, 21, 0xaa),
            Fields(NvidiaCheck.Mode, 34, 3, 0),
            Of(NvidiaCheck.Mode, () => Report(new NvidiaParts { Fields = fields => { fields.Remove(34); fields.Remove(36); } })),
            Policy(NvidiaCheck.Mode, policy => policy with { Modes = [NvidiaMode.MultiplePassThrough] }),
            Of(NvidiaCheck.Mode, () => Report(new NvidiaParts { Fields = fields => fields[36] = [9, 0] }, Nvidia.Policy() with { Modes = [NvidiaMode.Unknown, NvidiaMode.SinglePassThrough] })),
            Of(NvidiaCheck.SameDriver, () => Verify(
                new NvidiaEvidence { Gpus = [Nvidia.Report(Nvidia.Gpu), Nvidia.Report(Nvidia.Second, new NvidiaParts { Fields = fields => fields[3] = [.. "590.13"u8] })] },
                Collateral with { Manifests = Collateral.Manifests.Add(Nvidia.Manifest(new NvidiaManifestParts { Version = "590.13" })) }, Nvidia.Policy(2))),
            Of(NvidiaCheck.GpuTopology, () => Fabric(Nvidia.FabricEvidence(gpu: fields => fields[22] = NvidiaAuthority.Pdis(0x203eb31ad9ed0008, 5)))),
            Of(NvidiaCheck.GpuTopology, () => Fabric(Nvidia.FabricEvidence(gpu: fields => fields[22] = []))),
            Of(NvidiaCheck.GpuTopology, () => Fabric(Nvidia.FabricEvidence(@switch: fields => fields[22] = [1, 2, 3, 4, 5, 6, 7, 8]))),
            Of(NvidiaCheck.GpuTopology, () => Fabric(Nvidia.FabricEvidence(@switch: fields => fields.Remove(22)))),
            Of(NvidiaCheck.GpuTopology, () => Verify(new NvidiaEvidence { Gpus = [Nvidia.Report(Nvidia.Gpu, new NvidiaParts { Fields = fields => { fields[21] = [0xaa]; fields[36] = [2, 0]; } })] }, policy: Nvidia.Policy() with { Modes = [NvidiaMode.ProtectedPcie] })),
            Of(NvidiaCheck.SwitchTopology, () => Fabric(Nvidia.FabricEvidence(@switch: fields => fields[26] = NvidiaAuthority.Pdis(7, 9, 11, 0, 0, 0, 0, 0)))),
            Of(NvidiaCheck.SwitchTopology, () => Fabric(Nvidia.FabricEvidence(@switch: fields => fields.Remove(26)))),
            Policy(NvidiaCheck.DriverFloor, policy => policy with { MinimumDriver = "590.12.1" }),
            Policy(NvidiaCheck.DriverFloor, policy => policy with { MinimumDriver = "600" }),
            Policy(NvidiaCheck.DriverFloor, policy => policy with { MinimumDriver = "x" }),
            Policy(NvidiaCheck.VbiosFloor, policy => policy with { MinimumVbios = "96.00.A6" }),
            Of(NvidiaCheck.VbiosFloor, () => Verify(Nvidia.FabricEvidence(), policy: Nvidia.FabricPolicy with { MinimumSwitchBios = "96.11" })),
            Policy(NvidiaCheck.ExpectedDriver, policy => policy with { Drivers = ["550.144.03"] }),
            Policy(NvidiaCheck.ExpectedDriver, policy => policy with { Drivers = [] }),
            Policy(NvidiaCheck.ExpectedVbios, policy => policy with { Vbioses = [] }),
            Policy(NvidiaCheck.ExpectedManifests, policy => policy with { ManifestIds = ["NV_GPU_DRIVER_GH100_590.12"] }),
        ];
    }

    private static NvidiaManifestParts SignedBy(NvidiaAuthority.Holder signer) => new()
    {
        Signer = signer,
        Chain = [signer.Certificate, Nvidia.ManifestIssuer.Certificate, Nvidia.ManifestAuthority.Certificate, Nvidia.ManifestRoot.Certificate],
    };

    internal static string Replace(string text, string old, string by)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        int at = text.IndexOf(old, StringComparison.Ordinal);
        return new StringBuilder(text).Remove(at, old.Length).Insert(at, by).ToString();
    }

    // What was asked and refused; what could not be reached is not among it.
    internal static string Failed(NvidiaResult result) =>
        string.Join(' ', result.Findings.Where(finding => finding.Verdict is Verdict.Failed && finding.Found != "not reached").Select(finding => finding.Name));
}
