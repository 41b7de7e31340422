namespace Cloister.Attestation.ReferenceValues;

/// <summary>The events behind a TPM's platform configuration registers in a boot of applications by UEFI firmware (docs/spec/reference-values.md, section 5).</summary>
public static class PlatformRegisters
{
    /// <summary>PCR 4: what the firmware started, in order, by Authenticode.</summary>
    /// <param name="failedOptions">How many boot options the firmware tried in vain before: each is measured.</param>
    /// <param name="applications">For a unified kernel image its own digest and that of its kernel.</param>
    public static IEnumerable<byte[]> BootManagerEvents(RegisterBank bank, int failedOptions, params IEnumerable<byte[]> applications)
    {
        byte[] calling = MeasuredEvent.Action(bank, MeasuredEvent.CallingApplication), returning = MeasuredEvent.Action(bank, MeasuredEvent.ReturningFromApplication);
        // The separator comes once, with the first attempt.
        return
        [
            calling, MeasuredEvent.Separator(bank),
            .. Enumerable.Repeat((byte[][])[returning, calling], failedOptions).SelectMany(events => events),
            .. applications,
        ];
    }

    /// <summary>PCR 9: what the kernel's EFI stub took over from systemd's stub.</summary>
    /// <remarks>With one initrd, and nothing that systemd's stub adds to it (credentials, extensions, the signature of PCR 11 or its key).</remarks>
    public static IEnumerable<byte[]> KernelEvents(RegisterBank bank, string commandLine, ReadOnlySpan<byte> initrd) =>
        [MeasuredEvent.LoadOptions(bank, commandLine), MeasuredEvent.Data(bank, initrd)];
}
