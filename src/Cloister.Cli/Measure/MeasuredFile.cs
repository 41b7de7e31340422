using Cloister.Attestation.ReferenceValues;
using Cloister.Wire;

namespace Cloister.Cli.Measure;

/// <summary>Files that are measured, read whole, and sentences for those that cannot be.</summary>
internal static class MeasuredFile
{
    private const int MaxEventsSize = 1024 * 1024;
    private const int DiskStart = 4 * 1024 * 1024;

    /// <param name="path">Null: nothing.</param>
    public static byte[] ReadOrNothing(string? path, long maxSize = PeImage.MaxSize) => path is null ? [] : Read(path, maxSize);

    public static byte[] Read(string path, long maxSize = PeImage.MaxSize)
    {
        using var file = Open(path);
        if (file.Length > maxSize)
        {
            throw new CommandFault(ExitCode.Usage, $"{path}: {file.Length} bytes are more than can be measured, {maxSize}.");
        }
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    public static FirmwareImage ReadFirmware(string path) =>
        FirmwareImage.TryParse(Read(path, FirmwareImage.MaxSize), out var image, out var error) ? image : throw NotA("firmware image with a table of GUIDs", path, error);

    public static PeImage ReadImage(string path) => ToImage(Read(path), path);

    public static PeImage ToImage(ReadOnlyMemory<byte> bytes, string path) => PeImage.TryParse(bytes, out var image, out var error) ? image : throw NotA("PE file", path, error);

    public static UnifiedKernel ReadUnifiedKernel(string path, int? stubVersion) =>
        UnifiedKernel.TryRead(ReadImage(path), stubVersion, out var kernel, out var fault) ? kernel : throw Explain(path, fault);

    /// <summary>What is measured of a disk's partition table, from the disk's beginning.</summary>
    public static byte[] ReadPartitionTable(string path)
    {
        using var disk = Open(path);
        byte[] start = new byte[Math.Min(disk.Length, DiskStart)];
        disk.ReadExactly(start);
        return PartitionTable.TryReadEvent(start, out byte[]? data, out var error) ? data : throw NotA("disk with a GUID partition table", path, error);
    }

    /// <summary>One SHA-384 digest a line, in lower-case hex, in the order in which they extend a register.</summary>
    public static IReadOnlyList<byte[]> ReadEvents(string path)
    {
        string[] lines = System.Text.Encoding.UTF8.GetString(Read(path, MaxEventsSize)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. lines.Select(line => Hex.TryDecode(line, out byte[]? digest) && digest.Length == 48 ? digest : throw new CommandFault(ExitCode.Usage, $"{path}: each line is a SHA-384 digest, 96 letters of lower-case hex."))];
    }

    public static CommandFault Explain(string path, MeasurementFault fault) => new(ExitCode.Usage, fault switch
    {
        MeasurementFault.NoSnpMetadata     => $"{path} is not made for SEV-SNP: it has no SEV metadata. OVMF's combined images have it, OVMF_CODE alone has not.",
        MeasurementFault.NoResetAddress    => $"{path} does not say where further processors begin: it has no SEV-ES reset block.",
        MeasurementFault.NoKernelHashes    => $"{path} would start a kernel unmeasured: it has no section for kernel hashes. OVMF's AmdSev build has it.",
        MeasurementFault.HashTableOutside  => $"{path} looks for the kernel's hashes outside of the page that holds them.",
        MeasurementFault.NoTdxMetadata     => $"{path} is not made for TDX: it has no TDX metadata.",
        MeasurementFault.NoHandOffBlock    => $"{path} has no hand-off block, or not one volume of configuration: its RTMR 0 is not known.",
        MeasurementFault.WrongMemorySize   => "--memory is not whole pages, or less than the firmware occupies, or more than a machine has.",
        MeasurementFault.NotUnified        => $"{path} is no unified kernel image: it has no section '.linux'.",
        MeasurementFault.AmbiguousSections => $"{path} has sections that are there twice, or that the stub chooses by the machine: what it measures is not known.",
        MeasurementFault.UnknownStub       => $"{path} has a stub whose measurements are not known; they are for systemd 252, and 254 and later. If the stub does not name its version, give it with --stub-version.",
        _                                  => throw new System.Diagnostics.UnreachableException(),
    });

    private static FileStream Open(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return file.CanSeek ? file : throw new IOException("It has no length.");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFault(ExitCode.Usage, File.Exists(path) ? $"{path} cannot be read." : $"There is no file '{path}'.", fault);
        }
    }

    private static CommandFault NotA(string kind, string path, WireError error) => new(ExitCode.Usage, $"{path} is no {kind}: {error}.");
}
