using System.Buffers.Binary;
using System.Text;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>The digests of single events, as firmware, boot stub and kernel extend them (docs/spec/reference-values.md, section 5).</summary>
/// <remarks>TCG PC Client Platform Firmware Profile Specification, section 10; for the kernel's own events Linux, drivers/firmware/efi/libstub.</remarks>
public static class MeasuredEvent
{
    public const string CallingApplication = "Calling EFI Application from Boot Option";
    public const string ReturningFromApplication = "Returning from EFI Application from Boot Option";
    public const string ExitBootServices = "Exit Boot Services Invocation";
    public const string ExitBootServicesSucceeded = "Exit Boot Services Returned with Success";

    /// <summary>The bytes themselves: an initrd, ACPI data, a boot option's variable, a firmware volume.</summary>
    public static byte[] Data(RegisterBank bank, ReadOnlySpan<byte> data) => MeasuredRegister.Hash(bank, data);

    /// <summary>EV_SEPARATOR: the firmware's own part is over.</summary>
    public static byte[] Separator(RegisterBank bank) => Data(bank, [0, 0, 0, 0]);

    /// <summary>EV_EFI_ACTION: a sentence, without an end mark.</summary>
    public static byte[] Action(RegisterBank bank, string action) => Data(bank, Encoding.ASCII.GetBytes(action));

    /// <summary>EV_EFI_VARIABLE_DRIVER_CONFIG and EV_EFI_VARIABLE_AUTHORITY: UEFI_VARIABLE_DATA. A variable that is not there has no data.</summary>
    public static byte[] Variable(RegisterBank bank, Guid vendor, string name, ReadOnlySpan<byte> data)
    {
        Span<byte> lengths = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(lengths, (ulong)name.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(lengths[8..], (ulong)data.Length);
        return Data(bank, [.. vendor.ToByteArray(), .. lengths, .. Encoding.Unicode.GetBytes(name), .. data]);
    }

    /// <summary>EV_EFI_BOOT_SERVICES_APPLICATION: the Authenticode digest of what the firmware loads.</summary>
    public static byte[] Application(RegisterBank bank, PeImage image) => image.Authenticode(bank);

    /// <summary>EV_EVENT_TAG "LOADED_IMAGE::LoadOptions": the command line as the kernel's EFI stub gets it, UTF-16LE with its NUL.</summary>
    public static byte[] LoadOptions(RegisterBank bank, string commandLine) => Data(bank, Encoding.Unicode.GetBytes(commandLine + '\0'));
}
