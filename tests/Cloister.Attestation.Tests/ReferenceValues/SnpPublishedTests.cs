using Cloister.Attestation.ReferenceValues;
using Cloister.Wire;

namespace Cloister.Attestation.Tests.ReferenceValues;

/// <summary>Launch digests that others published, and one that a real processor signed.</summary>
public class SnpPublishedTests
{
    /// <summary>
    /// dstack (Dstack-TEE/dstack, dstack-mr/src/sev.rs and verifier/fixtures): the document of a running guest's launch inputs, and the measurement in the
    /// report that its processor signed.
    /// </summary>
    [Fact]
    public void A_real_processor_measured_what_we_compute()
    {
        const string CommandLine = "console=ttyS0 init=/init panic=1 net.ifnames=0 biosdevname=0 mce=off oops=panic pci=noearly pci=nommconf random.trust_cpu=y random.trust_bootloader=n tsc=reliable no-kvmclock "
            + "dstack.rootfs_hash=ca5adaef0ac3a36108035925763b48a5818f634e700fbaab561d419fd30d7121 dstack.rootfs_size=490713088";
        var firmware = new SnpFirmware(
            Bytes("ffb57e393469a497c0e3b07bd1c97d8611e555f464d14491837665893ac642b263a71f9507ff100a847897fe0c3f8c6f"),
            [
                new(0x800000, 0x9000, SnpSectionType.SecureMemory), new(0x80A000, 0x3000, SnpSectionType.SecureMemory), new(0x80D000, 0x1000, SnpSectionType.Secrets),
                new(0x80E000, 0x1000, SnpSectionType.Cpuid), new(0x80F000, 0x1000, SnpSectionType.SvsmCallingArea), new(0x811000, 0xF000, SnpSectionType.SecureMemory),
                new(0x810000, 0x1000, SnpSectionType.KernelHashes),
            ],
            0x80B004, 0x810C00);
        var launch = new SnpLaunch
        {
            Vcpus = 2,
            CpuSignature = SignatureOf("EPYC-v4"),
            Kernel = KernelHashes.Of([], [], CommandLine) with
            {
                Kernel = Bytes("dd9ea274ce9a07090b22e8284b0c841b65c021c2d15ca57d0f16731089dd226c"),
                Initrd = Bytes("5f844c4a2ca5a3d0711b3db38293b21ba929bb8e0b3c5bc1a779a57f69221c19"),
            },
        };
        Assert.Equal("7f51e17f72a04d5422cb2c00998166536019a217376f3aa45a630e59c805a599847ff250dbffcd07e1ba639771d6f05d", Digest(firmware, launch));
    }

    private const string Old = "edcf6d1c57ce868a167c990f58c8667c698269ef9e0803246419eea914186343054d557e1f17acd93b032c106bc70d25";
    private const string Older = "cab7e085874b3acfdbe2d96dcaa3125111f00c35c6fc9708464c2ae74bfdb048a198cb9a9ccae0b3e5e1a33f5f249819";
    private const string New = "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74";

    /// <summary>
    /// Firmware's digest, kernel command line (null: no kernel; kernel and initrd are empty files), processors, features, hypervisor, launch digest. The first
    /// from virtee/sev-snp-measure (tests/test_guest.py) before its pull request 49, the second from virtee/sev (tests/measurement.rs), which initialises the
    /// floating-point state and measures a firmware with a page more. Their
    /// firmware's bytes are not here: the sections are edk2's of those times, and fit all of these digests.
    /// </summary>
    public static TheoryData<string, string?, int, ulong, SnpHypervisor, string> Published => new()
    {
        { Older, "", 1, 1, SnpHypervisor.QemuZeroFloatingPoint, "db06fb267824b1ccb56edbe2a9c2ce88841bca5090dc6dac91d9cd30f3c2c0bf42daccb30d55d6625bfbf0dae5c50c6d" },
        { Older, "", 1, 0x21, SnpHypervisor.QemuZeroFloatingPoint, "a076e1b0e6cf55fd94c82e2c25245f8c15f76690b941ba379b31527f82eafe7ad489777ff510d080bac9cd14d41bc205" },
        { Old, "console=ttyS0 loglevel=7", 1, 1, SnpHypervisor.QemuZeroFloatingPoint, "f07864303ad8243132029e8110b92805c78d1135a15da75f67abb9a711d78740347f24ee76f603e650ec4adf3611cc1e" },
        { Old, "console=ttyS0 loglevel=7", 1, 0x21, SnpHypervisor.QemuZeroFloatingPoint, "314e4f0794187ffef05702a36546ea5fe02698041b7f7f17d9f418da2d5e4d5cff25256cef9d34888a0dd64dea438780" },
        { Old, null, 1, 1, SnpHypervisor.QemuZeroFloatingPoint, "e5e6be5a8fa6256f0245666bb237e2d028b7928148ce78d51b8a64dc9506c377709a5b5d7ab75554593bced304fcff93" },
        { Old, "", 4, 1, SnpHypervisor.QemuZeroFloatingPoint, "1c784beb8c49aa604b7fd57fbc73b36ec53a3f5fb48a2b895ad6cc2ea15d18ee7cc15e3e57c792766b45f944c3e81cfe" },
        { Old, "", 1, 1, SnpHypervisor.Ec2, "760b6e51039d2d6c1fc6d38ca5c387967d158e0294883e4522c36f89bd61bfc9cdb975cd1ceedffbe1b23b1daf4e3f42" },
        { Old, "", 1, 0x21, SnpHypervisor.Ec2, "cd4a4690a1f679ac8f3d6e446aab8d0061d535cc94615d98c7d7dbe4b16dbceeaf7fc7944e7874b202e27041f179e7e6" },
        { New, "", 1, 1, SnpHypervisor.Qemu, "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5" },
        { New, "", 1, 0x21, SnpHypervisor.Qemu, "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198" },
        { New, "console=ttyS0 loglevel=7", 1, 1, SnpHypervisor.Qemu, "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa" },
        { New, null, 1, 1, SnpHypervisor.Qemu, "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d" },
        { New, "", 4, 1, SnpHypervisor.Qemu, "5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5" },
        { New, "", 4, 0x21, SnpHypervisor.Qemu, "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942" },
        { New, "", 1, 1, SnpHypervisor.Ec2, "7d3756157c805bf6adf617064c8552e8c1688fa1c8756f11cbf56ba5d25c9270fb69c0505c1cbe1c5c66c0e34c6ed3be" },
    };

    [Theory, MemberData(nameof(Published))]
    public void Published_digests_are_ours(string pages, string? commandLine, int vcpus, ulong features, SnpHypervisor hypervisor, string digest)
    {
        var firmware = new SnpFirmware(
            Bytes(pages),
            [
                new(0x800000, 0x9000, SnpSectionType.SecureMemory), new(0x80A000, 0x3000, SnpSectionType.SecureMemory), new(0x80D000, 0x1000, SnpSectionType.Secrets),
                new(0x80E000, 0x1000, SnpSectionType.Cpuid),
                .. pages == New
                    ? (SnpSection[])[new(0x80F000, 0x1000, SnpSectionType.SvsmCallingArea), new(0x810000, 0x1000, SnpSectionType.KernelHashes), new(0x811000, 0xF000, SnpSectionType.SecureMemory)]
                    : [new(0x80F000, 0x1000, SnpSectionType.KernelHashes), new(0x810000, 0x10000, SnpSectionType.SecureMemory)],
            ],
            0x80B004, pages == New ? 0x810C00u : 0x80FC00u);
        var launch = new SnpLaunch
        {
            Vcpus = vcpus,
            CpuSignature = SignatureOf("EPYC-v4"),
            GuestFeatures = features,
            Hypervisor = hypervisor,
            Kernel = commandLine is null ? null : KernelHashes.Of([], [], commandLine),
        };
        Assert.Equal(digest, Digest(firmware, launch));
    }

    /// <summary>virtee/sev-snp-measure-go, guest/guest_test.go and guest/testdata: two of Amazon's firmwares, two processors.</summary>
    [Theory]
    [InlineData("a58211791a556a630a4319dc9e2ea96cc0e9784dd9f20a4fadf81b26c98d163fcdcb6703884bbbb80d7b1de45b3d84d0", "4c6e33087d08fa770259484dddbef367086a15c3e2cf10038dc97229d39c942671c2e22b300178f8de594a3f2fa59303")]
    [InlineData("2027a27bb9f7acfd280e4c7bd68a73973b94bf0756e5b282e004b9395f597b8d0eb4defa7d8f6549375aa4d2b146f0f3", "c2c84b9364fc9f0f54b04534768c860c6e0e386ad98b96e8b98eca46ac8971d05c531ba48373f054c880cfd1f4a0a84e")]
    public void Published_digests_of_EC2_are_ours(string pages, string digest)
    {
        var firmware = new SnpFirmware(
            Bytes(pages),
            [
                new(0x800000, 0x9000, SnpSectionType.SecureMemory), new(0x80A000, 0x3000, SnpSectionType.SecureMemory), new(0x80D000, 0x1000, SnpSectionType.Secrets),
                new(0x80E000, 0x1000, SnpSectionType.Cpuid), new(0x80F000, 0x11000, SnpSectionType.SecureMemory),
            ],
            0x80B004, null);
        Assert.Equal(digest, Digest(firmware, new SnpLaunch { Vcpus = 2, CpuSignature = 0, Hypervisor = SnpHypervisor.Ec2 }));
    }

    /// <summary>virtee/sev-snp-measure, README and sevsnpmeasure/vcpu_types.py.</summary>
    [Theory]
    [InlineData("EPYC-v4", 0x800F12)]
    [InlineData("EPYC-Rome", 0x830F10)]
    [InlineData("EPYC-Milan-v2", 0xA00F11)]
    [InlineData("EPYC-Genoa", 0xA10F10)]
    [InlineData("EPYC-Turin", 0xB00F00)]
    public void A_type_of_processor_has_its_signature(string name, uint signature) => Assert.Equal(signature, SignatureOf(name));

    [Theory]
    [InlineData("epyc")]
    [InlineData("EPYC-v9")]
    [InlineData("Skylake")]
    public void An_unknown_type_has_none(string name) => Assert.False(VcpuTypes.TryGetSignature(name, out _));

    internal static uint SignatureOf(string name) => VcpuTypes.TryGetSignature(name, out uint signature) ? signature : throw new ArgumentException(name);

    internal static string Digest(SnpFirmware firmware, SnpLaunch launch)
    {
        Assert.True(SnpLaunchDigest.TryCompute(firmware, launch, out byte[]? digest, out var fault), $"{fault}");
        return Hex.Encode(digest);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);
}
