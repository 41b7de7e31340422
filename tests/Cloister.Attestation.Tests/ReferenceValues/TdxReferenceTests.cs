using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests.ReferenceValues;

/// <summary>MRTD by a second method; runtime registers of real trust domains.</summary>
public class TdxReferenceTests
{
    private const RegisterBank Bank = RegisterBank.Sha384;

    /// <summary>
    /// dstack (Dstack-TEE/dstack, verifier/fixtures/tdx-measurement-getquote.json): the log of a trust domain with 2 GiB under QEMU 8.2, which was given its kernel,
    /// and the registers of the quote that Intel's quoting enclave signed for it.
    /// </summary>
    private static readonly string[] PlatformLog =
    [
        "0b8772e5b0b41b83e6044a68397e02f49fb47066b4fbe4917ea2c45c64f323fdacbb37948f821ebaf8bc9c938ba8a749", // hand-off block
        "344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790", // configuration
        "9dc3a1f80bcec915391dcda5ffbb15e7419f77eab462bbf72b42166fb70d50325e37b36f93537a863769bcf9bedae6fb", // SecureBoot
        "6f2e3cbc14f9def86980f5f66fd85e99d63e69a73014ed8a5633ce56eca5b64b692108c56110e22acadcef58c3250f1b", // PK
        "d607c0efb41c0d757d69bca0615c3a9ac0b1db06c557d992e906c6b7dee40e0e031640c7bfd7bcd35844ef9edeadc6f9", // KEK
        "08a74f8963b337acb6c93682f934496373679dd26af1089cb4eaf0c30cf260a12e814856385ab8843e56a9acea19e127", // db
        "18cc6e01f0c6ea99aa23f8a280423e94ad81d96d0aeb5180504fc0f7a40cb3619dd39bd6a95ec1680a86ed6ab0f9828d", // dbx
        "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0", // separator
        "095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337", // ACPI: loader
        "8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef", // RSDP
        "3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6", // tables
        "1dd6f7b457ad880d840d41c961283bab688e94e4b59359ea45686581e90feccea3c624b1226113f824f315eb60ae0a7c", // BootOrder
        "23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298", // Boot0000
    ];

    [Fact]
    public void A_real_domains_register_0_is_the_replay_of_its_log() =>
        Assert.Equal("f8438db36b96f85d8752ff7f24a89ec05c79ec9eda2ba732c897fb970ca429365b7471b1c054cb84f17b1c2b23ba6640", MeasuredBootTests.Replay(Bank, MeasuredBootTests.Digests(PlatformLog)));

    [Fact]
    public void Nine_of_its_thirteen_events_are_made_here()
    {
        // Its memory sections are those of the firmware made here; configuration and ACPI data are its own.
        var platform = new TdxConfiguration { Memory = 2UL << 30, AcpiLoader = default, AcpiRsdp = default, AcpiTables = default };
        Assert.True(platform.TryGetEvents(Firmware(new TestFirmware()), out var events, out var fault), $"{fault}");
        Assert.Equal(PlatformLog.Length, events.Count);
        Assert.Equal([1, 8, 9, 10], Enumerable.Range(0, events.Count).Where(index => Hex.Encode(events[index]) != PlatformLog[index]));
    }

    [Fact]
    public void Its_register_1_is_ours_from_its_kernels_digest()
    {
        var made = TdxBoot.DirectKernelEvents(PeImageTests.Parse(new TestImage().ToBytes())).ToArray();
        byte[][] events = [.. MeasuredBootTests.Digests("ac7e632dcf5cd2a1fe5c1f41f4d9b8219570e64ed3c61038fdbf25404e6f542ffd57f276bc5076307efaf882e6d64177"), .. made[1..]];
        Assert.Equal("2023546e7f3b9d1228e274f70c44d481162540f8452544520a796a52f06879709b81a824a26792a7822327504b0d2aee", MeasuredBootTests.Replay(Bank, events));
    }

    [Fact]
    public void Its_register_2_is_the_replay_of_command_line_and_initrd() =>
        Assert.Equal("7b2796d4a86235438d257111c99fe7e785942a1b9db707742e62602c6b6c2f9c1faeda88208300b5f63a6c9544e0fa24", MeasuredBootTests.Replay(Bank, MeasuredBootTests.Digests(
            "d6e4b5635869d58f2ad081f679fd9a1f79d1056a3daf57ea134c69fea65f02c52233fb0c3092421e344e3347670f0709",
            "4fe4f7710134a61d7def357add6ac50bdbfeee5032a4c100375e207216ffe42a3bd5822b24e679f91501fff795b81521")));

    /// <summary>A domain on Google's machines that boots shim and GRUB from a disk, its register recorded from quotes (inferroute, tests of its build reproduction, 12 September 2026).</summary>
    [Fact]
    public void A_real_domains_register_1_after_a_boot_from_disk_is_ours()
    {
        byte[][] applications = MeasuredBootTests.Digests(
            "4637fb5cd30847e5f09ae24f8a50ce1611c4d21afd0ecb69c8ec40bc82dc11bc48abda1f8044fe340bfb70b29606eb47",
            "d9c40784e214bb829477f46245758e74f6b145dbf012960d4053c2fe27545738d89833297b4fd9ec348dde75910bfa33");
        byte[][] events = [.. TdxBoot.DiskEvents([], applications)];
        events[2] = Convert.FromHexString("e93b5a85679490339e19b56f031b9f1d3a47b6032075bf0f9785f6cb8641e1d1692c9301d5863decfa03493531de86c5");
        Assert.Equal("9b8b2915351a3166f742024edafb6cce244c1df4056eb1f9eb608c3616b9d63729ae00c98d1dc108009c0978b19dc207", MeasuredBootTests.Replay(Bank, events));
    }

    [Theory]
    [InlineData(TdxPageOrder.PageByPage)]
    [InlineData(TdxPageOrder.SectionBySection)]
    public void A_second_method_gives_the_same_MRTD(TdxPageOrder order)
    {
        var made = new TestFirmware
        {
            Pages = 4,
            Tdx = [(0x1000, 0x2000, 0xFFFFD000, 0x2000, 0, 1), (0, 0x800, 0xFFFFC000, 0x1000, 1, 0), (0, 0, 0x809000, 0x2000, 2, 0), (0, 0, 0x1000000, 0x3000, 4, 2), (0x3000, 0x1000, 0x2000000, 0x1000, 5, 1)],
        };
        byte[] image = made.ToBytes();
        var built = new StringBuilder();
        string Record(string name, ulong address) => Convert.ToHexString([.. Encoding.ASCII.GetBytes(name.PadRight(16, '\0')), .. BitConverter.GetBytes(address), .. new byte[104]]);
        foreach (var (offset, _, address, memory, _, attributes) in made.Tdx)
        {
            var pages = Enumerable.Range(0, (int)(memory / 4096)).Select(page => (ulong)page * 4096).ToList();
            string Added(ulong page) => (attributes & 2) != 0 ? "" : Record("MEM.PAGE.ADD", address + page);
            string Extended(ulong page) => (attributes & 1) == 0 ? "" : string.Concat(Enumerable.Range(0, 16).Select(chunk => Record("MR.EXTEND", address + page + 256 * (ulong)chunk) + Convert.ToHexString(image, (int)(offset + page) + 256 * chunk, 256)));
            built.Append(order is TdxPageOrder.PageByPage ? string.Concat(pages.Select(page => Added(page) + Extended(page))) : string.Concat(pages.Select(Added).Concat(pages.Select(Extended))));
        }
        Assert.Equal(Hex.Encode(SHA384.HashData(Convert.FromHexString(built.ToString()))), Mrtd(Firmware(made), order));
    }

    [Fact]
    public void Code_counts_configuration_does_not_and_the_order_does()
    {
        byte[] image = new TestFirmware().ToBytes(), code = [.. image], configuration = [.. image];
        code[0x1000] ^= 1;
        configuration[0] ^= 1;
        string mrtd = Mrtd(Parse(image), TdxPageOrder.PageByPage);
        Assert.NotEqual(mrtd, Mrtd(Parse(code), TdxPageOrder.PageByPage));
        Assert.Equal(mrtd, Mrtd(Parse(configuration), TdxPageOrder.PageByPage));
        var usual = new TestFirmware();
        Assert.NotEqual(mrtd, Mrtd(Firmware(usual with { Tdx = [.. usual.Tdx.Reverse()] }), TdxPageOrder.PageByPage));
    }

    /// <summary>A second method for a machine whose memory lies on both sides of 4 GiB.</summary>
    [Fact]
    public void A_large_machines_hand_off_block_has_its_memory_in_two_parts()
    {
        Assert.True(TdHandOff.TryBuild(Firmware(new TestFirmware()), 16UL << 30, out byte[]? block, out _));
        string Resource(int type, ulong start, ulong length) => "0300300000000000" + new string('0', 32) + $"0{type}00000007000000" + Little(start) + Little(length);
        string expected = "0100380000000000" + "0900000000000000" + new string('0', 64) + Little(0x809000 + 56 + 9 * 48 + 8)
            + Resource(7, 0, 0x800000) + Resource(0, 0x800000, 0x6000) + Resource(7, 0x806000, 0x3000) + Resource(0, 0x809000, 0x2000) + Resource(0, 0x80B000, 0x2000) + Resource(7, 0x80D000, 0x3000)
            + Resource(0, 0x810000, 0x10000) + Resource(7, 0x820000, 0x80000000 - 0x820000) + Resource(7, 0x100000000, (16UL << 30) - 0x80000000);
        Assert.Equal(expected, Hex.Encode(block));
    }

    [Theory]
    [InlineData(0, MeasurementFault.WrongMemorySize)]
    [InlineData(0x820000, MeasurementFault.WrongMemorySize)]
    [InlineData(0x40000001, MeasurementFault.WrongMemorySize)]
    [InlineData(ulong.MaxValue - 4095, MeasurementFault.WrongMemorySize)]
    [InlineData(0x821000, MeasurementFault.None)]
    public void A_machine_has_more_memory_than_its_firmware_occupies(ulong memory, MeasurementFault fault)
    {
        Assert.Equal(fault is MeasurementFault.None, TdHandOff.TryBuild(Firmware(new TestFirmware()), memory, out _, out var found));
        Assert.Equal(fault, found);
    }

    [Fact]
    public void Firmware_without_metadata_has_no_reference_values()
    {
        var usual = new TestFirmware();
        var without = Firmware(usual with { Table = table => [.. table.Where(entry => entry.Guid != TestFirmware.TdxMetadata)] });
        Assert.False(TdxMrtd.TryCompute(without, TdxPageOrder.PageByPage, out _, out var fault));
        Assert.Equal(MeasurementFault.NoTdxMetadata, fault);
        var platform = new TdxConfiguration { Memory = 1UL << 30, AcpiLoader = default, AcpiRsdp = default, AcpiTables = default };
        Assert.False(platform.TryGetEvents(Firmware(usual with { Tdx = [.. usual.Tdx.Where(one => one.Type != 1)] }), out _, out fault));
        Assert.Equal(MeasurementFault.NoHandOffBlock, fault);
        Assert.False(platform.TryGetEvents(Firmware(usual with { Tdx = [.. usual.Tdx.Where(one => one.Type != 2)] }), out _, out fault));
        Assert.Equal(MeasurementFault.NoHandOffBlock, fault);
    }

    [Fact]
    public void Every_part_of_a_platform_changes_register_0()
    {
        var image = Firmware(new TestFirmware());
        byte[] configuration = new TestFirmware().ToBytes();
        configuration[0] ^= 1;
        var usual = new TdxConfiguration { Memory = 1UL << 30, AcpiLoader = "a"u8.ToArray(), AcpiRsdp = "b"u8.ToArray(), AcpiTables = "c"u8.ToArray() };
        byte[] other = "z"u8.ToArray();
        string Register(TdxConfiguration platform, FirmwareImage firmware) => platform.TryGetEvents(firmware, out var events, out _) ? MeasuredBootTests.Replay(Bank, events) : "";
        string[] registers =
        [
            Register(usual, image), Register(usual, Parse(configuration)), Register(usual with { Memory = 2UL << 30 }, image), Register(usual with { AcpiLoader = other }, image), Register(usual with { AcpiRsdp = other }, image),
            Register(usual with { AcpiTables = other }, image), Register(usual with { SecureBoot = SecureBootVariables.Off }, image), Register(usual with { BootVariables = [other] }, image),
        ];
        Assert.Equal(registers.Length, registers.Distinct().Count());
        Assert.DoesNotContain("", registers);
    }

    [Fact]
    public void A_unified_kernel_extends_register_2_by_what_its_stub_measures()
    {
        (string, string)[] sections = [(".linux", "kernel"), (".cmdline", "quiet"), (".initrd", "initrd")];
        byte[][] kernels = [.. PlatformRegisters.KernelEvents(Bank, "quiet", "initrd"u8)];
        Assert.Equal(kernels, TdxBoot.UnifiedKernelEvents(MeasuredBootTests.Unified("255.4", sections))!);
        var newer = MeasuredBootTests.Unified("256.1", sections);
        Assert.Equal([.. newer.StubEvents(Bank), .. kernels], TdxBoot.UnifiedKernelEvents(newer)!);
        Assert.Null(TdxBoot.UnifiedKernelEvents(MeasuredBootTests.Unified("256.1", sections[..1])));
    }

    [Fact]
    public void What_is_handed_over_is_measured_with_the_initrds_name() =>
        Assert.Equal(PlatformRegisters.KernelEvents(Bank, "console=ttyS0 initrd=initrd", "i"u8), TdxBoot.DirectKernelArguments("console=ttyS0", "i"u8));

    private static string Mrtd(FirmwareImage image, TdxPageOrder order)
    {
        Assert.True(TdxMrtd.TryCompute(image, order, out byte[]? mrtd, out var fault), $"{fault}");
        return Hex.Encode(mrtd);
    }

    private static FirmwareImage Firmware(TestFirmware made) => Parse(made.ToBytes());

    private static FirmwareImage Parse(byte[] bytes)
    {
        Assert.True(FirmwareImage.TryParse(bytes, out var image, out var error), $"{error}");
        return image;
    }

    private static string Little(ulong value) => Convert.ToHexStringLower(BitConverter.GetBytes(value));
}
