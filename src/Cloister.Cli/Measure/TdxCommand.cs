using System.CommandLine;
using Cloister.Attestation.ReferenceValues;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Measure;

/// <summary><c>cloister measure tdx</c>: MRTD and the four runtime registers of a trust domain.</summary>
internal static class TdxCommand
{
    private const RegisterBank Bank = RegisterBank.Sha384;

    private static readonly Dictionary<string, TdxPageOrder> Orders = new() { ["page"] = TdxPageOrder.PageByPage, ["section"] = TdxPageOrder.SectionBySection };

    public static Command Make()
    {
        var options = new TdxOptions();
        var tdx = new TaughtCommand("tdx", "MRTD and the runtime registers that an Intel TDX quote will carry.", """
            cloister measure tdx --firmware OVMF.fd --shape vm-4g --memory 4G --acpi-loader table-loader --acpi-rsdp rsdp --acpi-tables tables --kernel bzImage --initrd initrd.img --append "console=ttyS0"
            cloister measure tdx --firmware OVMF.fd --shape vm --rtmr0-events rtmr0.txt --uki cloister.efi --disk disk.raw --json
            """);
        options.AddTo(tdx);
        tdx.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(options.Firmware);
            var image = MeasuredFile.ReadFirmware(path);
            if (!TdxMrtd.TryCompute(image, Orders[parsed.GetRequiredValue(options.PageOrder)], out byte[]? mrtd, out var fault))
            {
                throw MeasuredFile.Explain(path, fault);
            }
            var (first, second) = BootEvents(parsed, options);
            IEnumerable<byte[]>[] registers = [PlatformEvents(parsed, options, image), first, second, []];
            var reference = new TdxReference(parsed.GetRequiredValue(options.Shape), Hex.Encode(mrtd), [.. registers.Select(events => Hex.Encode(MeasuredRegister.Replay(Bank, events)))]);
            return MeasurementOutput.Write(reference, parsed.GetValue(options.Json));
        });
        return tdx;
    }

    private static IReadOnlyList<byte[]> PlatformEvents(ParseResult parsed, TdxOptions options, FirmwareImage image)
    {
        if (parsed.GetValue(options.FirstEvents) is { } events)
        {
            return MeasuredFile.ReadEvents(events);
        }
        if (parsed.GetValue(options.Memory) is not { } memory || parsed.GetValue(options.AcpiLoader) is not { } loader || parsed.GetValue(options.AcpiRsdp) is not { } rsdp || parsed.GetValue(options.AcpiTables) is not { } tables)
        {
            throw new CommandFault(ExitCode.Usage, "RTMR 0 needs --memory, --acpi-loader, --acpi-rsdp and --acpi-tables, or --rtmr0-events.");
        }
        var platform = new TdxConfiguration
        {
            Memory = MeasureOptions.ReadSize("--memory", memory),
            AcpiLoader = MeasuredFile.Read(loader),
            AcpiRsdp = MeasuredFile.Read(rsdp),
            AcpiTables = MeasuredFile.Read(tables),
        };
        string[] boot = parsed.GetRequiredValue(options.BootVariables);
        platform = boot.Length == 0 ? platform : platform with { BootVariables = [.. boot.Select(path => (ReadOnlyMemory<byte>)MeasuredFile.Read(path))] };
        return platform.TryGetEvents(image, out var list, out var fault) ? list : throw MeasuredFile.Explain(parsed.GetRequiredValue(options.Firmware), fault);
    }

    private static (IEnumerable<byte[]> First, IEnumerable<byte[]> Second) BootEvents(ParseResult parsed, TdxOptions options)
    {
        string? kernel = parsed.GetValue(options.Kernel), uki = parsed.GetValue(options.Uki), disk = parsed.GetValue(options.Disk);
        string? first = parsed.GetValue(options.SecondEvents), second = parsed.GetValue(options.ThirdEvents);
        MeasureOptions.Require((uki is null) == (disk is null), "--uki goes with --disk.");
        MeasureOptions.Require((first is null) == (second is null), "--rtmr1-events goes with --rtmr2-events.");
        if (((string?[])[kernel, uki, first]).Count(path => path is not null) != 1)
        {
            throw new CommandFault(ExitCode.Usage, "What boots? Name --kernel, or --uki and --disk, or --rtmr1-events and --rtmr2-events.");
        }
        if (first is not null)
        {
            return (MeasuredFile.ReadEvents(first), MeasuredFile.ReadEvents(second!));
        }
        if (kernel is not null)
        {
            string initrd = parsed.GetValue(options.Initrd) ?? throw new CommandFault(ExitCode.Usage, "--kernel goes with --initrd: without one, RTMR 2 is not known.");
            return (TdxBoot.DirectKernelEvents(MeasuredFile.ReadImage(kernel)), TdxBoot.DirectKernelArguments(parsed.GetValue(options.Append) ?? "", MeasuredFile.Read(initrd)));
        }
        var unified = MeasuredFile.ReadUnifiedKernel(uki!, parsed.GetValue(options.StubVersion));
        var arguments = TdxBoot.UnifiedKernelEvents(unified) ?? throw new CommandFault(ExitCode.Usage, $"{uki} has no command line of its own in ASCII: its RTMR 2 is not known.");
        return (TdxBoot.DiskEvents(MeasuredFile.ReadPartitionTable(disk!), MeasuredEvent.Application(Bank, unified.Image), MeasuredEvent.Application(Bank, MeasuredFile.ToImage(unified.Linux, $"The kernel in {uki}"))), arguments);
    }

    /// <summary>The options, which are many because a machine is.</summary>
    private sealed class TdxOptions
    {
        public Option<string> Firmware { get; } = new("--firmware") { Description = "TDVF, in one file.", HelpName = "FILE", Required = true };

        public Option<string> Shape { get; } = MeasureOptions.Shape();

        public Option<string> PageOrder { get; } = MakePageOrder();

        public Option<string?> Memory { get; } = MeasureOptions.Text("--memory", "The guest's memory, for example 4G.", "SIZE");

        public Option<string?> AcpiLoader { get; } = MeasureOptions.File("--acpi-loader", "QEMU's etc/table-loader for this shape.");

        public Option<string?> AcpiRsdp { get; } = MeasureOptions.File("--acpi-rsdp", "QEMU's etc/acpi/rsdp for this shape.");

        public Option<string?> AcpiTables { get; } = MeasureOptions.File("--acpi-tables", "QEMU's etc/acpi/tables for this shape.");

        public Option<string[]> BootVariables { get; } = MeasureOptions.Files("--boot-variable", "The contents of BootOrder, then of each Boot#### in it. Left out: those of a direct boot of a kernel.");

        public Option<string?> FirstEvents { get; } = MeasureOptions.File("--rtmr0-events", "Instead of all these: the digests that extend RTMR 0, one a line in hex.");

        public Option<string?> Kernel { get; } = MeasureOptions.File("--kernel", "The kernel that QEMU is given, as the firmware gets it from QEMU.");

        public Option<string?> Initrd { get; } = MeasureOptions.File("--initrd", "The initrd that QEMU is given.");

        public Option<string?> Append { get; } = MeasureOptions.Text("--append", "The kernel's command line, exactly.");

        public Option<string?> Uki { get; } = MeasureOptions.File("--uki", "The unified kernel image that the firmware finds on the disk.");

        public Option<string?> Disk { get; } = MeasureOptions.File("--disk", "That disk, raw: its partition table is measured.");

        public Option<int?> StubVersion { get; } = new("--stub-version") { Description = "The version of systemd that the stub is of, where it does not say.", HelpName = "N" };

        public Option<string?> SecondEvents { get; } = MeasureOptions.File("--rtmr1-events", "For another boot: the digests that extend RTMR 1.");

        public Option<string?> ThirdEvents { get; } = MeasureOptions.File("--rtmr2-events", "And those that extend RTMR 2.");

        public Option<bool> Json { get; } = MeasureOptions.Json();

        public void AddTo(Command command)
        {
            foreach (var option in (Option[])[Firmware, Shape, PageOrder, Memory, AcpiLoader, AcpiRsdp, AcpiTables, BootVariables, FirstEvents, Kernel, Initrd, Append, Uki, Disk, StubVersion, SecondEvents, ThirdEvents, Json])
            {
                command.Add(option);
            }
        }

        private static Option<string> MakePageOrder()
        {
            var order = new Option<string>("--page-order") { Description = "How the hypervisor extends MRTD: page by page (QEMU 9 and later), or section by section (QEMU 8).", HelpName = "ORDER", DefaultValueFactory = _ => "page" };
            order.AcceptOnlyFromAmong([.. Orders.Keys]);
            return order;
        }
    }
}
