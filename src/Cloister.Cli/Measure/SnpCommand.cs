using System.CommandLine;
using Cloister.Attestation.ReferenceValues;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Measure;

/// <summary><c>cloister measure snp</c>: the launch digest of a SEV-SNP guest.</summary>
internal static class SnpCommand
{
    private static readonly Dictionary<string, SnpHypervisor> Hypervisors = new() { ["qemu"] = SnpHypervisor.Qemu, ["qemu-zero-fpu"] = SnpHypervisor.QemuZeroFloatingPoint, ["ec2"] = SnpHypervisor.Ec2 };

    public static Command Make()
    {
        var ovmf = new Option<string>("--ovmf") { Description = "The firmware that the hypervisor is given, in one file.", HelpName = "FILE", Required = true };
        var vcpus = new Option<int>("--vcpus") { Description = "How many virtual processors the guest has.", HelpName = "N", Required = true };
        var type = new Option<string>("--vcpu-type") { Description = $"Their type, as QEMU names it: {string.Join(", ", VcpuTypes.Names)}.", HelpName = "NAME", Required = true };
        var signature = MeasureOptions.Text("--cpu-signature", "The CPUID signature of a type that is not among these names, for example 0xa10f10.", "NUMBER");
        var kernel = MeasureOptions.File("--kernel", "The kernel that the hypervisor is given. The firmware must be one that checks it.");
        var initrd = MeasureOptions.File("--initrd", "The initrd that the hypervisor is given.");
        var append = MeasureOptions.Text("--append", "The kernel's command line, exactly.");
        var features = new Option<string>("--guest-features") { Description = "SEV_FEATURES as a number; 0x1 is SNP alone.", HelpName = "NUMBER", DefaultValueFactory = _ => "0x1" };
        var hypervisor = new Option<string>("--hypervisor") { Description = "Whose first processor state: qemu, qemu-zero-fpu (on AMD's host kernels before 6.9), ec2.", HelpName = "NAME", DefaultValueFactory = _ => "qemu" };
        hypervisor.AcceptOnlyFromAmong([.. Hypervisors.Keys]);
        var json = MeasureOptions.Json();

        var snp = new TaughtCommand("snp", "The launch digest that an AMD SEV-SNP report will carry.", """
            cloister measure snp --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-v4
            cloister measure snp --ovmf OVMF.amdsev.fd --vcpus 4 --vcpu-type EPYC-Genoa --kernel vmlinuz --initrd initrd.img --append "console=ttyS0" --json
            """)
        { ovmf, vcpus, type, signature, kernel, initrd, append, features, hypervisor, json };
        snp.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(ovmf), name = parsed.GetRequiredValue(type);
            var launch = new SnpLaunch
            {
                Vcpus = ReadCount(parsed.GetValue(vcpus)),
                CpuSignature = ReadSignature(name, parsed.GetValue(signature)),
                GuestFeatures = MeasureOptions.ReadNumber("--guest-features", parsed.GetRequiredValue(features)),
                Hypervisor = Hypervisors[parsed.GetRequiredValue(hypervisor)],
                Kernel = ReadKernel(parsed.GetValue(kernel), parsed.GetValue(initrd), parsed.GetValue(append)),
            };
            return SnpLaunchDigest.TryCompute(MeasuredFile.ReadFirmware(path), launch, out byte[]? digest, out var fault)
                ? MeasurementOutput.Write(new SnpReference(launch.Vcpus, name, Hex.Encode(digest)), parsed.GetValue(json))
                : throw MeasuredFile.Explain(path, fault);
        });
        return snp;
    }

    private static int ReadCount(int vcpus) =>
        vcpus is >= 1 and <= SnpLaunch.MaxVcpus ? vcpus : throw new CommandFault(ExitCode.Usage, $"--vcpus takes 1 to {SnpLaunch.MaxVcpus}.");

    private static uint ReadSignature(string type, string? signature)
    {
        if (signature is not null)
        {
            ulong number = MeasureOptions.ReadNumber("--cpu-signature", signature);
            return number <= uint.MaxValue ? (uint)number : throw new CommandFault(ExitCode.Usage, "--cpu-signature takes 32 bits.");
        }
        return VcpuTypes.TryGetSignature(type, out uint known) ? known : throw new CommandFault(ExitCode.Usage, $"'{type}' is no type of processor that is known: give its CPUID signature with --cpu-signature.");
    }

    private static KernelHashes? ReadKernel(string? kernel, string? initrd, string? append)
    {
        MeasureOptions.Require(kernel is not null || (initrd ?? append) is null, "--initrd and --append go with --kernel.");
        return kernel is null ? null : KernelHashes.Of(MeasuredFile.Read(kernel), MeasuredFile.ReadOrNothing(initrd), append ?? "");
    }
}
