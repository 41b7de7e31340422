namespace Cloister.Attestation.ReferenceValues;

/// <summary>The events of RTMR 1 and RTMR 2 in the boots that are covered (docs/spec/reference-values.md, section 6.3). Nothing extends RTMR 3 before the enclave runs.</summary>
public static class TdxBoot
{
    private const RegisterBank Bank = RegisterBank.Sha384;

    // What OVMF appends to the command line that it hands to a kernel with an initrd.
    private const string InitrdArgument = " initrd=initrd";

    private const int FirstMeasuringStub = 256;

    /// <summary>RTMR 1 where QEMU hands the kernel to TDVF: it is loaded before the boot manager speaks.</summary>
    /// <param name="kernel">As TDVF gets it.</param>
    public static IEnumerable<byte[]> DirectKernelEvents(PeImage kernel) =>
    [
        MeasuredEvent.Application(Bank, kernel),
        MeasuredEvent.Action(Bank, MeasuredEvent.CallingApplication),
        MeasuredEvent.Separator(Bank),
        .. Leaving,
    ];

    /// <summary>RTMR 2 of the same boot.</summary>
    public static IEnumerable<byte[]> DirectKernelArguments(string commandLine, ReadOnlySpan<byte> initrd) =>
        PlatformRegisters.KernelEvents(Bank, commandLine + InitrdArgument, initrd);

    /// <summary>RTMR 1 where TDVF boots from a disk: the disk's partition table, then what it loads, by Authenticode and in order.</summary>
    /// <param name="partitionTable">What <see cref="PartitionTable.TryReadEvent"/> gives.</param>
    public static IEnumerable<byte[]> DiskEvents(ReadOnlySpan<byte> partitionTable, params IEnumerable<byte[]> applications) =>
    [
        MeasuredEvent.Action(Bank, MeasuredEvent.CallingApplication),
        MeasuredEvent.Separator(Bank),
        MeasuredEvent.Data(Bank, partitionTable),
        .. applications,
        .. Leaving,
    ];

    /// <summary>RTMR 2 where a unified kernel image boots. Stubs measure into it since version 256; the kernel's own stub measures what it takes over from them.</summary>
    /// <returns>Null where the image has no command line of its own: it then comes from whoever boots it.</returns>
    public static IReadOnlyList<byte[]>? UnifiedKernelEvents(UnifiedKernel kernel) => kernel.CommandLine is not { } commandLine ? null :
    [
        .. kernel.StubVersion >= FirstMeasuringStub ? kernel.StubEvents(Bank) : [],
        .. PlatformRegisters.KernelEvents(Bank, commandLine, kernel.Initrd.Span),
    ];

    private static IEnumerable<byte[]> Leaving =>
        [MeasuredEvent.Action(Bank, MeasuredEvent.ExitBootServices), MeasuredEvent.Action(Bank, MeasuredEvent.ExitBootServicesSucceeded)];
}
