using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>What a section of memory is for in a trust domain. The numbers are those of the TDVF design guide.</summary>
public enum TdxSectionType : uint { BootFirmware = 0, ConfigurationFirmware = 1, HandOffBlocks = 2, TemporaryMemory = 3, PermanentMemory = 4, Payload = 5, PayloadParameters = 6 }

/// <summary>Memory that a trust domain starts with (Intel TDX Virtual Firmware Design Guide, TDX metadata; edk2, OvmfPkg/ResetVector/X64/IntelTdxMetadata.asm).</summary>
/// <param name="DataOffset">Where its bytes lie in the image.</param>
/// <param name="DataSize">How many they are; 0 for memory that starts empty.</param>
/// <param name="Address">In the guest's physical memory, at a page's start.</param>
/// <param name="MemorySize">In bytes, whole pages.</param>
/// <param name="IsExtended">Its bytes are measured, beside its addresses.</param>
/// <param name="IsAccepted">It is not added before the launch: the domain itself accepts it.</param>
public readonly record struct TdxSection(int DataOffset, int DataSize, ulong Address, ulong MemorySize, TdxSectionType Type, bool IsExtended, bool IsAccepted)
{
    private const int DescriptorSize = 16;
    private const int GuidSize = 16;
    private const int EntrySize = 32;
    private const int MaxSections = 64;
    private const uint Extend = 1;
    private const uint Accept = 2;

    // Ours to choose, for all sections together: real firmware names 2 to 20 MiB.
    private const ulong MaxMemory = 256 * 1024 * 1024;

    // What the guest's physical addresses can have without the shared bit.
    private const ulong MaxAddress = 1UL << 47;

    private static readonly Guid Metadata = new("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae");

    /// <summary>The offset names the descriptor; the metadata's GUID stands before it.</summary>
    internal static bool TryReadAll(ReadOnlySpan<byte> image, uint fromEnd, out ImmutableArray<TdxSection> sections, out WireError error)
    {
        sections = [];
        if (fromEnd > image.Length - GuidSize)
        {
            error = new(WireFault.WrongValue, "tdx_metadata_offset", 0, image.Length, fromEnd);
            return false;
        }
        int start = image.Length - (int)fromEnd - GuidSize;
        var reader = new WireReader(image[start..]);
        reader.Expect("metadata_guid", Metadata.ToByteArray());
        reader.Expect("signature", "TDVF"u8);
        uint length = reader.UInt32LittleEndian("length");
        reader.Expect("version", [1, 0, 0, 0]);
        uint count = reader.UInt32LittleEndian("sections");
        if (count is 0 or > MaxSections || length != DescriptorSize + EntrySize * count)
        {
            reader.Refuse("sections", MaxSections, count);
        }
        var read = ImmutableArray.CreateBuilder<TdxSection>();
        for (ulong memory = 0; read.Count < count && !reader.Failed;)
        {
            bool fits = TryRead(ref reader, image.Length, out var section);
            if (fits && section.MemorySize <= MaxMemory - memory && read.All(other => !section.Overlaps(other)))
            {
                read.Add(section);
                memory += section.MemorySize;
            }
            else
            {
                reader.Refuse("section", read.Count, (uint)section.Type);
            }
        }
        if (!reader.Failed && (!read.Any(section => section.Type is TdxSectionType.BootFirmware) || read.Count(section => section.Type is TdxSectionType.HandOffBlocks) > 1))
        {
            reader.Refuse("sections", 1, 0);
        }
        error = reader.Failed ? reader.Error with { Offset = reader.Error.Offset + start } : default;
        sections = reader.Failed ? [] : read.ToImmutable();
        return !reader.Failed;
    }

    // What is extended comes whole from the image: nobody could say what the rest would hold.
    private static bool TryRead(ref WireReader reader, int imageSize, out TdxSection section)
    {
        uint offset = reader.UInt32LittleEndian("data_offset"), size = reader.UInt32LittleEndian("raw_data_size");
        ulong address = reader.UInt64LittleEndian("memory_address"), memory = reader.UInt64LittleEndian("memory_data_size");
        uint type = reader.UInt32LittleEndian("type"), attributes = reader.UInt32LittleEndian("attributes");
        bool extended = (attributes & Extend) != 0, accepted = (attributes & Accept) != 0;
        bool fits = (ulong)offset + size <= (ulong)imageSize && size <= memory && (!extended || size == memory) && !(extended && accepted)
            && memory > 0 && memory <= MaxMemory && address <= MaxAddress && (address | memory) % FirmwareImage.PageSize == 0
            && Enum.IsDefined((TdxSectionType)type) && (attributes & ~(Extend | Accept)) == 0;
        section = fits ? new((int)offset, (int)size, address, memory, (TdxSectionType)type, extended, accepted) : default(TdxSection) with { Type = (TdxSectionType)type };
        return fits;
    }

    private bool Overlaps(TdxSection other) => Address < other.Address + other.MemorySize && other.Address < Address + MemorySize;
}
