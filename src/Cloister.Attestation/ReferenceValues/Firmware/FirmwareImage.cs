using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>A virtual machine's firmware (OVMF, TDVF) and what it tells a hypervisor about how to launch it (docs/spec/reference-values.md, section 2).</summary>
/// <remarks>
/// The GUIDed table ends 32 bytes before the image's end; it is read from its end to its start. Each entry is data, its length (with these 18 bytes) and
/// its GUID. Entries of other GUIDs are passed over. Nothing overlaps by which one memory page would be described twice.
/// </remarks>
public sealed class FirmwareImage
{
    /// <summary>In bytes. The image is a whole number of pages.</summary>
    public const int PageSize = 4096;

    /// <summary>Ours to choose: the largest image that is read, in bytes. Hypervisors map 2 to 16 MiB.</summary>
    public const int MaxSize = 64 * 1024 * 1024;

    private static readonly Guid SevResetBlock = new("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
    private static readonly Guid SevHashTable = new("7255371f-3a3b-4b04-927b-1da6efa8d454");
    private static readonly Guid SevMetadata = new("dc886566-984a-4798-a75e-5585a7bf67cc");
    private static readonly Guid TdxMetadataOffset = new("e47a6535-984a-4798-865e-4685a7bf8ec2");

    private FirmwareImage(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Where the image begins in the guest's physical memory: it ends at 4 GiB.</summary>
    public ulong Address => (1UL << 32) - (ulong)Bytes.Length;

    /// <summary>Where all processors but the first begin under SEV; null where the image does not say.</summary>
    public uint? ApResetAddress { get; private init; }

    /// <summary>Where the firmware looks for the hashes of kernel, initrd and command line under SEV; null where it takes none.</summary>
    public uint? HashTableAddress { get; private init; }

    /// <summary>What is measured beside the image under SEV-SNP, in the order of measurement; empty where the image is not made for it.</summary>
    public ImmutableArray<SnpSection> SnpSections { get; private init; } = [];

    /// <summary>What a trust domain starts with, in the order in which it is added; empty where the image is not made for it.</summary>
    public ImmutableArray<TdxSection> TdxSections { get; private init; } = [];

    public static bool TryParse(ReadOnlyMemory<byte> image, [NotNullWhen(true)] out FirmwareImage? firmware, out WireError error)
    {
        firmware = null;
        if (image.Length is 0 or > MaxSize || image.Length % PageSize != 0)
        {
            error = new(WireFault.WrongValue, "image_size", 0, PageSize, image.Length);
            return false;
        }
        var bytes = image.Span;
        if (!GuidedTable.TryRead(bytes, out var table, out error)
            || !TryReadWord(bytes, table, SevResetBlock, 4, out uint? reset, out error)
            || !TryReadWord(bytes, table, SevHashTable, 8, out uint? hashes, out error)
            || !TryReadWord(bytes, table, SevMetadata, 4, out uint? snp, out error)
            || !TryReadWord(bytes, table, TdxMetadataOffset, 4, out uint? tdx, out error))
        {
            return false;
        }
        ImmutableArray<SnpSection> snpSections = [];
        ImmutableArray<TdxSection> tdxSections = [];
        if ((snp is { } fromEnd && !SnpSection.TryReadAll(bytes, fromEnd, out snpSections, out error))
            || (tdx is { } tdxFromEnd && !TdxSection.TryReadAll(bytes, tdxFromEnd, out tdxSections, out error)))
        {
            return false;
        }
        firmware = new(image) { ApResetAddress = reset, HashTableAddress = hashes is 0 ? null : hashes, SnpSections = snpSections, TdxSections = tdxSections };
        return true;
    }

    // The first word of an entry of an exact size.
    private static bool TryReadWord(ReadOnlySpan<byte> image, Dictionary<Guid, Range> table, Guid guid, int size, out uint? word, out WireError error)
    {
        (word, error) = (null, default);
        if (table.TryGetValue(guid, out var range))
        {
            var entry = image[range];
            if (entry.Length != size)
            {
                error = new(WireFault.WrongValue, "entry_size", range.Start.Value, size, entry.Length);
                return false;
            }
            word = BinaryPrimitives.ReadUInt32LittleEndian(entry);
        }
        return true;
    }
}
