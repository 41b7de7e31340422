using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>The hand-off block in which QEMU tells TDVF its memory, and which TDVF measures first (UEFI PI Specification, volume 3; QEMU, hw/i386/tdvf-hob.c).</summary>
public static class TdHandOff
{
    private const ushort HandOffType = 1;
    private const ushort ResourceType = 3;
    private const int HandOffSize = 56;
    private const int ResourceSize = 48;
    private const int EndSize = 8;

    // EFI_RESOURCE_SYSTEM_MEMORY for what was added, EFI_RESOURCE_MEMORY_UNACCEPTED for the rest; present, initialised, tested.
    private const uint SystemMemory = 0;
    private const uint UnacceptedMemory = 7;
    private const uint Attributes = 7;

    // QEMU's q35 machine: from 2.75 GiB on, 2 GiB lie below 4 GiB and the rest from there.
    private const ulong SplitFrom = 0xB000_0000;
    private const ulong LowMemory = 0x8000_0000;
    private const ulong FourGiB = 1UL << 32;
    private const ulong MaxMemory = 1UL << 46;

    /// <summary>The block without its end mark, as it is measured.</summary>
    /// <param name="memory">The guest's memory in bytes, whole pages.</param>
    public static bool TryBuild(FirmwareImage image, ulong memory, [NotNullWhen(true)] out byte[]? block, out MeasurementFault fault)
    {
        block = null;
        var added = image.TdxSections.Where(section => section.Type is TdxSectionType.HandOffBlocks or TdxSectionType.TemporaryMemory).OrderBy(section => section.Address).ToList();
        ulong end = added.Count == 0 ? 0 : added[^1].Address + added[^1].MemorySize;
        fault = !added.Exists(section => section.Type is TdxSectionType.HandOffBlocks) ? MeasurementFault.NoHandOffBlock
            : memory % FirmwareImage.PageSize != 0 || memory > MaxMemory || end >= Math.Min(memory, LowMemory) ? MeasurementFault.WrongMemorySize
            : MeasurementFault.None;
        if (fault is not MeasurementFault.None)
        {
            return false;
        }

        var ranges = Ranges(added, memory);
        block = new byte[HandOffSize + ResourceSize * ranges.Count];
        var writer = new WireWriter(block);
        writer.UInt16LittleEndian(HandOffType);
        writer.UInt16LittleEndian(HandOffSize);
        writer.Zeros(4);
        writer.UInt32LittleEndian(9);                                                // version
        writer.Zeros(4 + 4 * 8);                                                     // boot mode, memory's ends
        writer.UInt64LittleEndian(added.Single(section => section.Type is TdxSectionType.HandOffBlocks).Address + (ulong)block.Length + EndSize);
        foreach (var (type, start, length) in ranges)
        {
            writer.UInt16LittleEndian(ResourceType);
            writer.UInt16LittleEndian(ResourceSize);
            writer.Zeros(4 + 16);                                                    // reserved, owner
            writer.UInt32LittleEndian(type);
            writer.UInt32LittleEndian(Attributes);
            writer.UInt64LittleEndian(start);
            writer.UInt64LittleEndian(length);
        }
        return true;
    }

    private static List<(uint Type, ulong Start, ulong Length)> Ranges(List<TdxSection> added, ulong memory)
    {
        var ranges = new List<(uint Type, ulong Start, ulong Length)>();
        ulong at = 0;
        foreach (var section in added)
        {
            if (at < section.Address)
            {
                ranges.Add((UnacceptedMemory, at, section.Address - at));
            }
            ranges.Add((SystemMemory, section.Address, section.MemorySize));
            at = section.Address + section.MemorySize;
        }
        bool split = memory >= SplitFrom;
        ranges.Add((UnacceptedMemory, at, (split ? LowMemory : memory) - at));
        if (split)
        {
            ranges.Add((UnacceptedMemory, FourGiB, memory - LowMemory));
        }
        return ranges;
    }
}
