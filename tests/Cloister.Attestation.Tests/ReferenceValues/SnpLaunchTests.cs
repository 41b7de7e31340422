using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;

namespace Cloister.Attestation.Tests.ReferenceValues;

/// <summary>Launch digests of firmware made here, by a second method and by what must change them.</summary>
public class SnpLaunchTests
{
    private static readonly SnpLaunch Launch = new() { Vcpus = 3, CpuSignature = 0xA10F10, GuestFeatures = 0x21, Kernel = KernelHashes.Of("kernel"u8, "initrd"u8, "console=ttyS0") };

    [Theory]
    [InlineData(SnpHypervisor.Qemu, true)]
    [InlineData(SnpHypervisor.Qemu, false)]
    [InlineData(SnpHypervisor.QemuZeroFloatingPoint, true)]
    [InlineData(SnpHypervisor.Ec2, false)]
    public void A_second_method_gives_the_same(SnpHypervisor hypervisor, bool kernel)
    {
        var firmware = new TestFirmware();
        var launch = Launch with { Hypervisor = hypervisor, Kernel = kernel ? Launch.Kernel : null };
        Assert.Equal(SecondMethod(firmware, launch, kernel ? "console=ttyS0" : null), Digest(firmware.ToBytes(), launch));
    }

    public static TheoryData<string, SnpLaunch> OtherLaunches => new()
    {
        { "processors", Launch with { Vcpus = 4 } },
        { "one processor", Launch with { Vcpus = 1 } },
        { "type", Launch with { CpuSignature = 0x800F12 } },
        { "features", Launch with { GuestFeatures = 0x1 } },
        { "hypervisor", Launch with { Hypervisor = SnpHypervisor.QemuZeroFloatingPoint } },
        { "EC2", Launch with { Hypervisor = SnpHypervisor.Ec2 } },
        { "kernel", Launch with { Kernel = KernelHashes.Of("kernem"u8, "initrd"u8, "console=ttyS0") } },
        { "initrd", Launch with { Kernel = KernelHashes.Of("kernel"u8, "initre"u8, "console=ttyS0") } },
        { "command line", Launch with { Kernel = KernelHashes.Of("kernel"u8, "initrd"u8, "console=ttyS0 ") } },
        { "no kernel", Launch with { Kernel = null } },
    };

    [Theory, MemberData(nameof(OtherLaunches))]
    public void Another_launch_has_another_digest(string what, SnpLaunch other)
    {
        byte[] image = new TestFirmware().ToBytes();
        Assert.False(Digest(image, Launch) == Digest(image, other), what);
    }

    [Fact]
    public void Every_bit_of_the_image_counts()
    {
        byte[] image = new TestFirmware().ToBytes();
        string digest = Digest(image, Launch);
        for (int at = 0; at < image.Length; at += 97)
        {
            byte[] other = [.. image];
            other[at] ^= (byte)(1 << at % 8);
            if (FirmwareImage.TryParse(other, out var firmware, out _) && SnpLaunchDigest.TryCompute(firmware, Launch, out byte[]? changed, out _))
            {
                Assert.NotEqual(digest, Convert.ToHexStringLower(changed));
            }
        }
    }

    public static TheoryData<string, MeasurementFault> Unmeasurable => new()
    {
        { "no SEV metadata", MeasurementFault.NoSnpMetadata },
        { "no reset block", MeasurementFault.NoResetAddress },
        { "no hash table", MeasurementFault.NoKernelHashes },
        { "no section for hashes", MeasurementFault.NoKernelHashes },
        { "hash table before the section", MeasurementFault.HashTableOutside },
        { "hash table over the section's end", MeasurementFault.HashTableOutside },
    };

    [Theory, MemberData(nameof(Unmeasurable))]
    public void Firmware_that_would_run_a_kernel_unmeasured_has_no_digest(string what, MeasurementFault fault)
    {
        var usual = new TestFirmware();
        var firmware = what switch
        {
            "no SEV metadata" => usual with { Table = table => [.. table.Where(entry => entry.Guid != TestFirmware.SevMetadata)] },
            "no reset block" => usual with { Table = table => [.. table.Where(entry => entry.Guid != TestFirmware.ResetBlock)] },
            "no hash table" => usual with { Hashes = 0 },
            "no section for hashes" => usual with { Snp = [.. usual.Snp.Where(section => section.Type != 0x10)] },
            "hash table before the section" => usual with { Hashes = 0x80FFFF },
            _ => usual with { Hashes = 0x811000 - 175 },
        };
        Assert.True(FirmwareImage.TryParse(firmware.ToBytes(), out var image, out var error), $"{error}");
        Assert.False(SnpLaunchDigest.TryCompute(image, Launch, out _, out var found));
        Assert.Equal(fault, found);
        bool withoutKernel = SnpLaunchDigest.TryCompute(image, Launch with { Kernel = null }, out _, out _);
        Assert.Equal(fault is MeasurementFault.NoKernelHashes or MeasurementFault.HashTableOutside, withoutKernel);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(SnpLaunch.MaxVcpus + 1)]
    public void A_number_of_processors_that_no_guest_has_is_a_mistake(int vcpus)
    {
        Assert.True(FirmwareImage.TryParse(new TestFirmware().ToBytes(), out var image, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => SnpLaunchDigest.TryCompute(image, Launch with { Vcpus = vcpus }, out _, out _));
    }

    [Fact]
    public void A_description_that_no_image_has_is_a_mistake()
    {
        Assert.True(FirmwareImage.TryParse(new TestFirmware().ToBytes(), out var image, out _));
        var firmware = SnpFirmware.Of(image);
        Assert.Throws<ArgumentException>(() => SnpLaunchDigest.TryCompute(firmware with { PagesDigest = new byte[47] }, Launch, out _, out _));
        Assert.Throws<ArgumentException>(() => SnpLaunchDigest.TryCompute(firmware with { Sections = default }, Launch, out _, out _));
        Assert.Throws<ArgumentException>(() => SnpLaunchDigest.TryCompute(firmware with { Sections = [new(0x800000, 0x1001, SnpSectionType.SecureMemory)] }, Launch, out _, out _));
        Assert.Throws<ArgumentException>(() => SnpLaunchDigest.TryCompute(firmware, Launch with { Kernel = Launch.Kernel! with { Initrd = new byte[31] } }, out _, out _));
    }

    internal static string Digest(byte[] bytes, SnpLaunch launch)
    {
        Assert.True(FirmwareImage.TryParse(bytes, out var image, out var error), $"{error}");
        return SnpPublishedTests.Digest(SnpFirmware.Of(image), launch);
    }

    // The specification's tables once more, as flat text in hex: no code in common with the library.
    private static string SecondMethod(TestFirmware firmware, SnpLaunch launch, string? commandLine)
    {
        string digest = new('0', 96), nothing = new('0', 96);
        void Page(string type, ulong address, string contents) =>
            digest = Sha384(Convert.FromHexString(digest + contents + "7000" + type + "00" + "00000000" + Little(address, 8)));
        byte[] image = firmware.ToBytes();
        for (int at = 0; at < image.Length; at += 4096)
        {
            Page("01", 0x1_0000_0000 - (ulong)image.Length + (ulong)at, Sha384(image[at..(at + 4096)]));
        }
        bool ec2 = launch.Hypervisor is SnpHypervisor.Ec2;
        foreach (var (address, size, type) in firmware.Snp.Where(one => !ec2 || one.Type != 3).Concat(firmware.Snp.Where(one => ec2 && one.Type == 3)))
        {
            for (uint at = 0; at < size; at += 4096)
            {
                bool hashes = type == 0x10 && commandLine is not null;
                Page(hashes ? "01" : type switch { 2 => "05", 3 => "06", _ => "03" }, address + at, hashes ? Sha384(HashesPage(firmware.Hashes % 4096, commandLine!)) : nothing);
            }
        }
        for (int processor = 0; processor < launch.Vcpus; processor++)
        {
            Page("02", 0xFFFFFFFFF000, Sha384(State(processor == 0 ? 0xFFFFFFF0 : firmware.Reset, launch)));
        }
        return digest;
    }

    private static byte[] HashesPage(uint offset, string commandLine)
    {
        static string Entry(string guid, byte[] data) => guid + "3200" + Convert.ToHexString(SHA256.HashData(data));
        string table = "06d63894224fc94cb479a793d411fd21" + "a800"
            + Entry("d82dd09720bd944caa78e7714d36ab2a", Encoding.ASCII.GetBytes(commandLine + "\0"))
            + Entry("31f7ba442f3ad74b9af141e29169781d", "initrd"u8.ToArray()) + Entry("3794e74dd2ab7f42b835d5b172d2045b", "kernel"u8.ToArray());
        byte[] page = new byte[4096];
        Convert.FromHexString(table).CopyTo(page, offset);
        return page;
    }

    private static byte[] State(uint start, SnpLaunch launch)
    {
        bool ec2 = launch.Hypervisor is SnpHypervisor.Ec2;
        string data = "00009300ffff0000" + new string('0', 16);
        string state =
            data + "00f0" + (ec2 && start == 0xFFFFFFF0 ? "9a" : "9b") + "00ffff0000" + Little(start & 0xFFFF0000, 8) + (ec2 ? data.Replace("93", "92", StringComparison.Ordinal) : data)
            + data + data + data
            + "00000000ffff0000" + new string('0', 16) + "00008200ffff0000" + new string('0', 16) + "00000000ffff0000" + new string('0', 16)
            + "0000" + (ec2 ? "83" : "8b") + "00ffff0000" + new string('0', 16);
        byte[] page = new byte[4096];
        Convert.FromHexString(state).CopyTo(page, 0);
        foreach (var (offset, value) in ((int, string)[])
        [
            (0xD0, "0010"), (0x148, "40"), (0x158, "10"), (0x160, "0004"), (0x168, "f00fffff"), (0x170, "02"), (0x178, Little(start & 0xFFFF, 2)),
            (0x268, "0604070006040700"), (0x310, ec2 ? "" : Little(launch.CpuSignature, 4)), (0x3B0, Little(launch.GuestFeatures, 8)), (0x3E8, "01"),
            (0x408, launch.Hypervisor is SnpHypervisor.Qemu ? "801f" : ""), (0x410, launch.Hypervisor is SnpHypervisor.Qemu ? "7f03" : ""),
        ])
        {
            Convert.FromHexString(value).CopyTo(page, offset);
        }
        return page;
    }

    private static string Little(ulong value, int bytes) => Convert.ToHexStringLower(BitConverter.GetBytes(value)[..bytes]);

    private static string Sha384(byte[] data) => Convert.ToHexStringLower(SHA384.HashData(data));
}
