using System.Text.Json.Nodes;
using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Journeys;

/// <summary><c>cloister measure</c> as a publisher uses it.</summary>
public sealed class MeasureTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-measure-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string File(string name, byte[] contents)
    {
        string path = Path.Combine(_folder.FullName, name);
        System.IO.File.WriteAllBytes(path, contents);
        return path;
    }

    private string Firmware => File("OVMF.fd", new TestFirmware().ToBytes());

    private string Unified
    {
        get
        {
            var made = TestImage.Unified("257.1", (".cmdline", "quiet"), (".initrd", "initrd"));
            return File("kernel.efi", (made with { Sections = [.. made.Sections, (".linux", new TestImage().ToBytes())] }).ToBytes());
        }
    }

    [Fact]
    public async Task A_launch_digest_is_printed_and_given_to_a_release()
    {
        string[] arguments = ["measure", "snp", "--ovmf", Firmware, "--vcpus", "4", "--vcpu-type", "EPYC-Genoa", "--kernel", File("kernel", [1]), "--initrd", File("initrd", [2]), "--append", "console=ttyS0 quiet", "--guest-features", "0x21"];
        Assert.True(FirmwareImage.TryParse(new TestFirmware().ToBytes(), out var image, out _));
        var launch = new SnpLaunch { Vcpus = 4, CpuSignature = 0xA10F10, GuestFeatures = 0x21, Kernel = KernelHashes.Of([1], [2], "console=ttyS0 quiet") };
        Assert.True(SnpLaunchDigest.TryCompute(image, launch, out byte[]? digest, out _));

        var text = await CloisterProgram.RunAsync(arguments);
        Assert.Equal((0, $"launch digest  {Hex.Encode(digest)}\n", ""), (text.ExitCode, text.Output, text.Error));
        var json = JsonNode.Parse((await CloisterProgram.RunAsync([.. arguments, "--json"])).Output)!;
        Assert.Equal($$"""{"snp":[{"vcpus":4,"vcpu_type":"EPYC-Genoa","launch_digest":"{{Hex.Encode(digest)}}"}],"tdx":[],"tpm":[],"gpu_rims":[]}""", json.ToJsonString());
    }

    [Fact]
    public async Task The_hypervisor_and_an_unnamed_processor_can_be_said()
    {
        async Task<string> Digest(params string[] more) => (await CloisterProgram.RunAsync(["measure", "snp", "--ovmf", Firmware, "--vcpus", "2", .. more])).Output;
        string usual = await Digest("--vcpu-type", "EPYC-v4");
        Assert.NotEqual("", usual);
        Assert.Equal(usual, await Digest("--vcpu-type", "mine", "--cpu-signature", "0x800f12"));
        Assert.Equal(3, new[] { usual, await Digest("--vcpu-type", "EPYC-v4", "--hypervisor", "ec2"), await Digest("--vcpu-type", "EPYC-v4", "--hypervisor", "qemu-zero-fpu") }.Distinct().Count());
    }

    [Fact]
    public async Task A_trust_domains_five_registers_are_given_to_a_release()
    {
        string kernel = File("kernel", new TestImage().ToBytes());
        string[] arguments =
        [
            "measure", "tdx", "--firmware", Firmware, "--shape", "small", "--memory", "2G", "--acpi-loader", File("l", [1]), "--acpi-rsdp", File("r", [2]), "--acpi-tables", File("t", [3]),
            "--kernel", kernel, "--initrd", File("initrd", [4]), "--append", "quiet",
        ];
        var text = await CloisterProgram.RunAsync(arguments);
        Assert.Equal((0, ""), (text.ExitCode, text.Error));
        string[] values = [.. text.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[^96..])];
        Assert.Equal(5, values.Distinct().Count());
        Assert.Equal(new string('0', 96), values[4]);
        Assert.Equal(Hex.Encode(MeasuredRegister.Replay(RegisterBank.Sha384, TdxBoot.DirectKernelArguments("quiet", [4]))), values[3]);
        var tdx = JsonNode.Parse((await CloisterProgram.RunAsync([.. arguments, "--json"])).Output)!["tdx"]![0]!;
        Assert.Equal(("small", values[0]), ((string)tdx["shape"]!, (string)tdx["mrtd"]!));
        Assert.Equal(values[1..], tdx["rtmrs"]!.AsArray().Select(register => (string)register!));

        string other = (await CloisterProgram.RunAsync([.. arguments, "--page-order", "section"])).Output;
        Assert.Equal([.. text.Output.Split('\n')[1..]], other.Split('\n')[1..]);
    }

    [Fact]
    public async Task Another_boot_is_given_as_its_events()
    {
        string digest = new('a', 96), log = File("log", [.. System.Text.Encoding.ASCII.GetBytes($"{digest}\n{digest}\n")]);
        var outcome = await CloisterProgram.RunAsync(["measure", "tdx", "--firmware", Firmware, "--shape", "s", "--rtmr0-events", log, "--rtmr1-events", log, "--rtmr2-events", log]);
        string register = Hex.Encode(MeasuredRegister.Replay(RegisterBank.Sha384, [Convert.FromHexString(digest), Convert.FromHexString(digest)]));
        Assert.Equal(3, outcome.Output.Split('\n').Count(line => line.EndsWith(register, StringComparison.Ordinal)));
        var unified = await CloisterProgram.RunAsync(["measure", "tdx", "--firmware", Firmware, "--shape", "s", "--rtmr0-events", log, "--uki", Unified, "--disk", File("disk", TestDisk.ToBytes())]);
        Assert.Equal((0, ""), (unified.ExitCode, unified.Error));
        Assert.Equal(5, unified.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
    }

    [Fact]
    public async Task A_TPMs_registers_are_given_to_a_release()
    {
        string[] arguments = ["measure", "tpm", "--uki", Unified, "--shape", "vm"];
        var text = await CloisterProgram.RunAsync(arguments);
        Assert.Equal((0, ""), (text.ExitCode, text.Error));
        string[] lines = text.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["PCR 4", "PCR 7", "PCR 11"], lines.Select(line => line[..6].Trim()));
        Assert.EndsWith("65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068", lines[1], StringComparison.Ordinal);
        var pcrs = JsonNode.Parse((await CloisterProgram.RunAsync([.. arguments, "--json"])).Output)!["tpm"]![0]!["pcrs"]!.AsArray();
        Assert.Equal(lines.Select(line => line[^64..]), pcrs.Select(pcr => (string)pcr!["sha256"]!));
        Assert.Equal([4, 7, 11], pcrs.Select(pcr => (int)pcr!["index"]!));

        async Task<string> Register(int index, params string[] more) => (await CloisterProgram.RunAsync([.. arguments, "--pcr", $"{index}", .. more])).Output;
        string key = File("key", [1]);
        Assert.Equal(3, new[] { await Register(4), await Register(4, "--failed-boot-options", "1"), await Register(4, "--kernel-unmeasured") }.Distinct().Count());
        Assert.Equal(3, new[] { await Register(7), await Register(7, "--db", key), await Register(7, "--db", key, "--authority", key) }.Distinct().Count());
        Assert.Equal(2, new[] { await Register(11), await Register(11, "--phases", "enter-initrd:leave-initrd") }.Distinct().Count());
        Assert.StartsWith("PCR 9", await Register(9), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_measured_is_one_sentence()
    {
        string none = Path.Combine(_folder.FullName, "none"), text = File("text", "text"u8.ToArray());
        string plain = File("plain.fd", (new TestFirmware { Table = _ => [] }).ToBytes()), unchecking = File("unchecking.fd", (new TestFirmware { Hashes = 0 }).ToBytes());
        foreach (var (words, arguments) in ((string, string[])[])
        [
            ("There is no file", ["snp", "--ovmf", none, "--vcpus", "1", "--vcpu-type", "EPYC"]),
            ("no file", ["snp", "--ovmf", _folder.FullName, "--vcpus", "1", "--vcpu-type", "EPYC"]),
            ("is no firmware image", ["snp", "--ovmf", text, "--vcpus", "1", "--vcpu-type", "EPYC"]),
            ("not made for SEV-SNP", ["snp", "--ovmf", plain, "--vcpus", "1", "--vcpu-type", "EPYC"]),
            ("would start a kernel unmeasured", ["snp", "--ovmf", unchecking, "--vcpus", "1", "--vcpu-type", "EPYC", "--kernel", text]),
            ("go with --kernel", ["snp", "--ovmf", Firmware, "--vcpus", "1", "--vcpu-type", "EPYC", "--append", "quiet"]),
            ("--cpu-signature", ["snp", "--ovmf", Firmware, "--vcpus", "1", "--vcpu-type", "Xeon"]),
            ("--vcpus takes", ["snp", "--ovmf", Firmware, "--vcpus", "0", "--vcpu-type", "EPYC"]),
            ("--guest-features takes", ["snp", "--ovmf", Firmware, "--vcpus", "1", "--vcpu-type", "EPYC", "--guest-features", "many"]),
            ("not made for TDX", ["tdx", "--firmware", plain, "--shape", "s"]),
            ("What boots?", ["tdx", "--firmware", Firmware, "--shape", "s"]),
            ("RTMR 0 needs", ["tdx", "--firmware", Firmware, "--shape", "s", "--kernel", Unified, "--initrd", text]),
            ("is no PE file", ["tdx", "--firmware", Firmware, "--shape", "s", "--rtmr0-events", none, "--kernel", text, "--initrd", text]),
            ("96 letters", ["tdx", "--firmware", Firmware, "--shape", "s", "--rtmr0-events", text, "--kernel", Unified, "--initrd", text]),
            ("--memory takes", ["tdx", "--firmware", Firmware, "--shape", "s", "--kernel", Unified, "--initrd", text, "--memory", "much", "--acpi-loader", text, "--acpi-rsdp", text, "--acpi-tables", text]),
            ("--memory is not", ["tdx", "--firmware", Firmware, "--shape", "s", "--kernel", Unified, "--initrd", text, "--memory", "4K", "--acpi-loader", text, "--acpi-rsdp", text, "--acpi-tables", text]),
            ("GUID partition table", ["tdx", "--firmware", Firmware, "--shape", "s", "--uki", Unified, "--disk", text]),
            ("no unified kernel image", ["tpm", "--shape", "s", "--uki", File("plain.efi", new TestImage().ToBytes())]),
            ("stub whose measurements", ["tpm", "--shape", "s", "--uki", Unified, "--stub-version", "253"]),
            ("--pcr takes", ["tpm", "--shape", "s", "--uki", Unified, "--pcr", "5"]),
        ])
        {
            var outcome = await CloisterProgram.RunAsync(["measure", .. arguments]);
            Assert.True(outcome.ExitCode == 2 && outcome.Error.Contains(words, StringComparison.Ordinal) && outcome.Error.Trim().Split('\n').Length == 1 && outcome.Output == "", $"{words}: {outcome}");
        }
    }

    [Fact]
    public async Task Help_teaches_with_examples()
    {
        foreach (string platform in (string[])["snp", "tdx", "tpm"])
        {
            Assert.Contains($"cloister measure {platform}", (await CloisterProgram.RunAsync(["measure", platform, "--help"])).Output);
        }
    }
}
