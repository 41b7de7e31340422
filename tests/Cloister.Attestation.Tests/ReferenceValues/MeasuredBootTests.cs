using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests.ReferenceValues;

/// <summary>Registers of real machines, and of a virtual one that we booted.</summary>
public class MeasuredBootTests
{
    private const RegisterBank Pcr = RegisterBank.Sha256;

    /// <summary>PCR 7 of firmware without Secure Boot and without keys: edk2's everywhere, for example in James Bottomley's description of kernel keys sealed to a TPM.</summary>
    [Fact]
    public void Without_secure_boot_register_7_is_the_well_known_one() =>
        Assert.Equal("65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068", Replay(Pcr, SecureBootVariables.Off.Events(Pcr)));

    /// <summary>trusted-execution-clusters/compute-pcrs, test-fixtures/qemu-ovmf/fedora-42/rhel-9.6.20250523-0: shim, GRUB and a kernel.</summary>
    [Fact]
    public void Published_register_4_is_ours() =>
        Assert.Equal("a311d30bce007305eff35ebf7a0902d16d52b3180c84c25c291de1ccde434a44", Replay(Pcr, PlatformRegisters.BootManagerEvents(Pcr, 0, Digests(
            "27b12463e599b3147635f272e3722960e443def60fef088eba600697017529f2",
            "71f09da2978dfd9b92150b6b96329e728a21c938e23f483fed8bd22789692ee6",
            "6734ca524851211a14fa4a3c422a7c653e054606aa6c39c6d6c4f8f6207627ba"))));

    /// <summary>
    /// A unified kernel image of Debian 12 (stub 252.39, Linux 6.1.0-56) booted here in QEMU 7.2 with OVMF 2022.11 and swtpm 0.7: what the TPM held. The firmware
    /// tried one boot option in vain before. First without Secure Boot, then with it, where the stub loads the kernel past the firmware.
    /// </summary>
    [Theory]
    [InlineData("dc95ebbf780d6b97f49cc1e1fb8e3a6861e0341e4d7d4a3968544b931356fc00", "6632c519807610b561366b7f113eb3d4347553af94a3eae29f8e178df035eea1", "5f21ff2c0d5d899842b28a8b19901ba72cf7a7ab93c02a77fadc6ff72be85b31")]
    [InlineData("89e99aa1848ff0ddffd4fa140dfbd7025473a2230e3dbddf05acbbeb91adcfa6", "03422290f83d657a7e82f8d7dd4455ffd5a59fca092e94a903f979a31cd659a9")]
    public void A_virtual_machines_register_4_is_ours(string register, params string[] applications) =>
        Assert.Equal(register, Replay(Pcr, PlatformRegisters.BootManagerEvents(Pcr, 1, Digests(applications))));

    /// <summary>The same boots: for each section the digests of name and contents.</summary>
    [Fact]
    public void A_virtual_machines_register_11_is_ours()
    {
        byte[][] events = Digests(
            "0da293e37ad5511c59be47993769aacb91b243f7d010288e118dc90e95aaef5a", "51349501a3d1ff83836437d2b365fd2d57f2feb8642d315e5181dec23d4c3275",
            "3fb9e4e3cc810d4326b5c13cef18aee1f9df8c5f4f7f5b96665724fa3b846e08", "0607ea6a19989ebcbbeaaf568be86c3a2b62992d12d976cc52b6aae9d2cf0f97",
            "461203a89f23e36c3a4dc817f905b00484d2cf7e7d9376f13df91c41d84abe46", "a27628d76a58d1edb4a9451946f2a53174d138bd3890b8eb80c7cc201da71847",
            "15ee37e75f1e8d42080e91fdbbd2560780918c81fe3687ae6d15c472bbdaac75", "02ee46bba5942cdc93b13319086d2a533020f53d27fb97fc4c48de86e8f2e4b5");
        Assert.Equal("1cffaf1481c30a6320b2c48f899434308bcd756f02f9b81e03a2e4e47aca43d9", Replay(Pcr, events));
        var kernel = Unified("252.39-1~deb12u2", (".linux", "?"), (".osrel", "ID=cloister\nVERSION_ID=1\n"), (".cmdline", "console=ttyS0 quiet panic=1"), (".initrd", "?"), (".sbat", "?"));
        byte[][] ours = [.. kernel.StubEvents(Pcr)];
        Assert.Equal(8, ours.Length);
        foreach (int known in (int[])[0, 2, 3, 4, 5, 6])
        {
            Assert.Equal(Hex.Encode(events[known]), Hex.Encode(ours[known]));
        }
    }

    /// <summary>And what the kernel's own stub measured of the command line.</summary>
    [Fact]
    public void A_virtual_machines_register_9_is_ours()
    {
        byte[][] events = [.. PlatformRegisters.KernelEvents(Pcr, "console=ttyS0 quiet panic=1", [])];
        Assert.Equal("2fe4a33aed30421350d82100241c6df5fc16abce09ce87774e317e6f62f29bb9", Hex.Encode(events[0]));
        Assert.Equal("f838fe84715e2662b439bbdfaa9852b25bdeab2abd3b0afc9d3afd97783651cd", Replay(Pcr, [events[0], .. Digests("02ee46bba5942cdc93b13319086d2a533020f53d27fb97fc4c48de86e8f2e4b5")]));
    }

    /// <summary>
    /// <c>systemd-measure calculate</c> of systemd 252.38 for files with these contents, in both banks:
    /// <c>--linux --osrel --cmdline --initrd --splash --dtb --pcrpkey</c>, at its four phases.
    /// </summary>
    [Theory]
    [InlineData("enter-initrd", "d3e1d35e754b3035b292e5e7fbd14b3bb7120152910e08c325fda117119df508", "2b05e585667c8ba3dcbd50272dad148ece54c6dd4f2c6331ffef42bf9aa2304de5c295b588a10b1c4829576a981ab5a3")]
    [InlineData("enter-initrd:leave-initrd", "26c2461d2d5ab58a5739bbe60c0cb79aa557efaf8d7784b6f6dd6fc20454e7f3", "52a963cb74b1dccf9541ae9befe02f75d10e68db8ef52341f81f5209336229a56dc508f40edb1e858d5858b9d4ab7544")]
    [InlineData("enter-initrd:leave-initrd:sysinit", "e5b7e559c6074e8d6d06d71e3c4b9d40d79e6ecaf21f0400e03a90ed28afe81f", "2ef22d80e27331db17a699e621282a78d07209400673f169bd25c5ce179961edb228e8bee597e46877b84b4d37539b35")]
    [InlineData("enter-initrd:leave-initrd:sysinit:ready", "c14876cf04826c30e1a7d2478cbc44eb3e2a4250a62da91f683a9f61304dba17", "0296cea2dff0f1a9fe3f9a90290e1ed35821c4bbd64305d5ac0620ce49ff76990a749580b720a91eb7add7357c5488a7")]
    public void Systemds_own_tool_gives_the_same_register_11(string phases, string sha256, string sha384)
    {
        // In another order than the stub's, among sections that it does not measure.
        var kernel = Unified("252.38", (".pcrpkey", "PUBKEY"), (".text", "code"), (".initrd", "initrd-bytes"), (".sbat", "sbat"), (".cmdline", "console=ttyS0 quiet"), (".pcrsig", "signature"),
            (".osrel", "ID=cloister\n"), (".dtb", "dtb-bytes"), (".linux", "linux-kernel-bytes"), (".splash", "BMsplash"));
        Assert.Equal(sha256, Replay(RegisterBank.Sha256, kernel.StubEvents(RegisterBank.Sha256, phases.Split(':'))));
        Assert.Equal(sha384, Replay(RegisterBank.Sha384, kernel.StubEvents(RegisterBank.Sha384, phases.Split(':'))));
    }

    [Theory]
    [InlineData("254.1", ".linux .osrel .uname .sbat")]
    [InlineData("256", ".linux .osrel .ucode .uname .sbat")]
    [InlineData("257.4-1", ".linux .osrel .ucode .uname .sbat .profile .hwids")]
    [InlineData("252", ".linux .osrel")]
    public void Newer_stubs_measure_more(string version, string measured)
    {
        var kernel = Unified(version, (".hwids", "h"), (".profile", "p"), (".sbat", "s"), (".uname", "u"), (".ucode", "m"), (".osrel", "o"), (".linux", "l"));
        Assert.Equal(measured.Split(' '), kernel.Sections.Select(section => section.Name));
    }

    [Theory]
    [InlineData(MeasurementFault.NotUnified, "252", ".osrel")]
    [InlineData(MeasurementFault.UnknownStub, "253.1", ".linux")]
    [InlineData(MeasurementFault.UnknownStub, "251", ".linux")]
    [InlineData(MeasurementFault.UnknownStub, "next", ".linux")]
    [InlineData(MeasurementFault.AmbiguousSections, "257", ".linux", ".dtbauto")]
    [InlineData(MeasurementFault.AmbiguousSections, "257", ".linux", ".efifw")]
    [InlineData(MeasurementFault.AmbiguousSections, "257", ".linux", ".profile", ".profile")]
    public void What_a_machine_decides_has_no_reference_value(MeasurementFault fault, string version, params string[] sections)
    {
        var image = PeImageTests.Parse(TestImage.Unified(version, [.. sections.Select(name => (name, "contents"))]).ToBytes());
        Assert.False(UnifiedKernel.TryRead(image, null, out _, out var found));
        Assert.Equal(fault, found);
        Assert.Equal(fault is MeasurementFault.UnknownStub, UnifiedKernel.TryRead(image, 252, out _, out _));
    }

    [Fact]
    public void A_section_that_is_longer_than_its_bytes_has_no_reference_value()
    {
        byte[] file = TestImage.Unified("252", (".linux", "kernel")).ToBytes();
        var image = PeImageTests.Parse(TestImage.With(file, TestImage.SectionTableOffset + 40 + 8, 4096));
        Assert.False(UnifiedKernel.TryRead(image, null, out _, out var fault));
        Assert.Equal(MeasurementFault.AmbiguousSections, fault);
    }

    [Fact]
    public void Each_variable_and_authority_changes_register_7()
    {
        var on = new SecureBootVariables { SecureBoot = new byte[] { 1 }, PlatformKey = "a"u8.ToArray(), KeyExchangeKeys = "b"u8.ToArray(), Allowed = "c"u8.ToArray(), Forbidden = "d"u8.ToArray(), Authorities = ["e"u8.ToArray()] };
        byte[] other = "z"u8.ToArray();
        SecureBootVariables[] all =
        [
            on, on with { SecureBoot = new byte[] { 0 } }, on with { PlatformKey = other }, on with { KeyExchangeKeys = other }, on with { Allowed = other }, on with { Forbidden = other },
            on with { Authorities = [other] }, on with { Authorities = [] }, on with { PlatformKey = on.KeyExchangeKeys, KeyExchangeKeys = on.PlatformKey },
        ];
        Assert.Equal(all.Length, all.Select(variables => Replay(Pcr, variables.Events(Pcr))).Distinct().Count());
    }

    [Fact]
    public void A_digest_of_another_length_is_a_mistake() => Assert.Throws<ArgumentException>(() => MeasuredRegister.Replay(Pcr, [new byte[48]]));

    [Fact]
    public void Order_and_number_of_events_count()
    {
        byte[] one = new byte[32], two = [.. one];
        two[0] = 1;
        string[] registers = [Replay(Pcr, []), Replay(Pcr, [one]), Replay(Pcr, [one, two]), Replay(Pcr, [two, one]), Replay(Pcr, [one, one])];
        Assert.Equal(5, registers.Distinct().Count());
        Assert.Equal(new string('0', 64), registers[0]);
    }

    [Fact]
    public void A_partition_table_is_measured_with_the_entries_in_use()
    {
        byte[] disk = TestDisk.ToBytes();
        Assert.True(PartitionTable.TryReadEvent(disk, out byte[]? data, out var error), $"{error}");
        Assert.Equal((byte[])[.. disk[512..604], 2, 0, 0, 0, 0, 0, 0, 0, .. disk[1024..1152], .. disk[1280..1408]], data);
    }

    public static TheoryData<string, int, byte, bool> SpoiledDisks => new()
    {
        { "signature", 0, 0, true }, { "revision", 8, 9, true }, { "header_size", 12, 91, true }, { "reserved", 20, 1, true }, { "my_lba", 24, 2, true },
        { "partition_entry_lba", 72, 1, true }, { "partition_entry_lba", 72, 3, true }, { "partition_entry_lba", 80, 0, true }, { "partition_entry_lba", 80, 5, true }, { "partition_entry_lba", 84, 127, true },
        { "header_crc32", 56, 1, false }, { "header_crc32", 16, 1, false }, { "partition_entry_array_crc32", EntryByte, 9, false },
    };

    private const int EntryByte = TestDisk.EntriesOffset - TestDisk.HeaderOffset + 5;

    [Theory, MemberData(nameof(SpoiledDisks))]
    public void A_spoiled_partition_table_is_refused(string field, int offset, byte value, bool summed)
    {
        byte[] disk = TestDisk.ToBytes();
        disk[TestDisk.HeaderOffset + offset] = value;
        Assert.False(PartitionTable.TryReadEvent(summed ? TestDisk.Sum(disk) : disk, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    internal static UnifiedKernel Unified(string version, params (string, string)[] sections)
    {
        Assert.True(UnifiedKernel.TryRead(PeImageTests.Parse(TestImage.Unified(version, sections).ToBytes()), null, out var kernel, out var fault), $"{fault}");
        return kernel;
    }

    internal static string Replay(RegisterBank bank, IEnumerable<byte[]> events) => Hex.Encode(MeasuredRegister.Replay(bank, events));

    internal static byte[][] Digests(params string[] hex) => [.. hex.Select(Convert.FromHexString)];
}
