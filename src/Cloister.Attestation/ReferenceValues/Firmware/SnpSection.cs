using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>What a section of memory is for under SEV-SNP. The numbers are edk2's.</summary>
public enum SnpSectionType : uint { SecureMemory = 1, Secrets = 2, Cpuid = 3, SvsmCallingArea = 4, KernelHashes = 0x10 }

/// <summary>Memory that the hypervisor adds to a guest before its launch (edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm).</summary>
/// <param name="Address">In the guest's physical memory, at a page's start.</param>
/// <param name="Size">In bytes, whole pages.</param>
public readonly record struct SnpSection(uint Address, uint Size, SnpSectionType Type)
{
    private const int HeaderSize = 16;
    private const int EntrySize = 12;
    private const int MaxSections = 64;

    // Ours to choose, for all sections together: real firmware names 0x20 pages.
    private const uint MaxMemory = 64 * 1024 * 1024;

    internal static bool TryReadAll(ReadOnlySpan<byte> image, uint fromEnd, out ImmutableArray<SnpSection> sections, out WireError error)
    {
        sections = [];
        if (fromEnd > image.Length)
        {
            error = new(WireFault.WrongValue, "sev_metadata_offset", 0, image.Length, fromEnd);
            return false;
        }
        int start = image.Length - (int)fromEnd;
        var reader = new WireReader(image[start..]);
        reader.Expect("signature", "ASEV"u8);
        uint length = reader.UInt32LittleEndian("length");
        reader.Expect("version", [1, 0, 0, 0]);
        uint count = reader.UInt32LittleEndian("sections");
        if (count is 0 or > MaxSections || length != HeaderSize + EntrySize * count)
        {
            reader.Refuse("sections", MaxSections, count);
        }
        var read = ImmutableArray.CreateBuilder<SnpSection>();
        for (uint memory = 0; read.Count < count && !reader.Failed;)
        {
            var section = new SnpSection(reader.UInt32LittleEndian("address"), reader.UInt32LittleEndian("size"), (SnpSectionType)reader.UInt32LittleEndian("type"));
            if (section.IsMeasurable && section.Size <= MaxMemory - memory && read.All(other => !section.Overlaps(other)))
            {
                read.Add(section);
                memory += section.Size;
            }
            else
            {
                reader.Refuse("section", read.Count, (uint)section.Type);
            }
        }
        error = reader.Failed ? reader.Error with { Offset = reader.Error.Offset + start } : default;
        sections = reader.Failed ? [] : read.ToImmutable();
        return !reader.Failed;
    }

    internal bool IsMeasurable =>
        Address % FirmwareImage.PageSize == 0 && Size > 0 && Size % FirmwareImage.PageSize == 0 && Enum.IsDefined(Type)
        && (Size == FirmwareImage.PageSize || Type is SnpSectionType.SecureMemory or SnpSectionType.SvsmCallingArea);

    private bool Overlaps(SnpSection other) => Address < (ulong)other.Address + other.Size && other.Address < (ulong)Address + Size;
}
