using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>A machine as TDVF finds it: the events of RTMR 0 (docs/spec/reference-values.md, section 6.2).</summary>
public sealed record TdxConfiguration
{
    private static readonly Guid FirmwareVolume = new("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1");
    private static readonly Guid UiApp = new("462caa21-7614-4503-836e-8ab6f4662331");

    /// <summary>The guest's memory in bytes, whole pages.</summary>
    public required ulong Memory { get; init; }

    /// <summary>QEMU's <c>etc/table-loader</c>: the bytes that its firmware configuration device gives, as are the two that follow.</summary>
    public required ReadOnlyMemory<byte> AcpiLoader { get; init; }

    /// <summary><c>etc/acpi/rsdp</c>.</summary>
    public required ReadOnlyMemory<byte> AcpiRsdp { get; init; }

    /// <summary><c>etc/acpi/tables</c>.</summary>
    public required ReadOnlyMemory<byte> AcpiTables { get; init; }

    public SecureBootVariables SecureBoot { get; init; } = SecureBootVariables.Absent;

    /// <summary>The contents of BootOrder and of each Boot#### in it. Left alone: what a direct boot of a kernel has, the firmware's own menu.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> BootVariables { get; init; } = [new byte[] { 0, 0 }, MenuOption()];

    /// <summary>The hand-off block, the volume of configuration, the five variables, a separator, the ACPI data, the boot options.</summary>
    public bool TryGetEvents(FirmwareImage image, [NotNullWhen(true)] out IReadOnlyList<byte[]>? events, out MeasurementFault fault)
    {
        events = null;
        if (!TdHandOff.TryBuild(image, Memory, out byte[]? handOff, out fault))
        {
            return false;
        }
        var configuration = image.TdxSections.Where(section => section.Type is TdxSectionType.ConfigurationFirmware).ToList();
        if (configuration.Count != 1)
        {
            fault = MeasurementFault.NoHandOffBlock;
            return false;
        }
        const RegisterBank Bank = RegisterBank.Sha384;
        events =
        [
            MeasuredEvent.Data(Bank, handOff),
            MeasuredEvent.Data(Bank, image.Bytes.Span.Slice(configuration[0].DataOffset, configuration[0].DataSize)),
            .. SecureBoot.VariableEvents(Bank),
            MeasuredEvent.Separator(Bank),
            MeasuredEvent.Data(Bank, AcpiLoader.Span),
            MeasuredEvent.Data(Bank, AcpiRsdp.Span),
            MeasuredEvent.Data(Bank, AcpiTables.Span),
            .. BootVariables.Select(variable => MeasuredEvent.Data(Bank, variable.Span)),
        ];
        return true;
    }

    // EFI_LOAD_OPTION of the menu that OVMF carries: active, hidden, an application; its place as a volume and a file in it.
    private static byte[] MenuOption()
    {
        byte[] name = Encoding.Unicode.GetBytes("UiApp\0");
        const int NodeSize = 4 + 16;
        const int PathSize = 2 * NodeSize + 4;
        byte[] option = new byte[4 + 2 + name.Length + PathSize];
        var writer = new WireWriter(option);
        writer.UInt32LittleEndian(0x109);
        writer.UInt16LittleEndian(PathSize);
        writer.Bytes(name);
        foreach (var (subtype, guid) in ((byte, Guid)[])[(7, FirmwareVolume), (6, UiApp)])
        {
            writer.UInt8(4);
            writer.UInt8(subtype);
            writer.UInt16LittleEndian(NodeSize);
            writer.Bytes(guid.ToByteArray());
        }
        writer.Bytes([0x7F, 0xFF, 4, 0]);
        return option;
    }
}
