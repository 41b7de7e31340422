using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>What a page is to SNP_LAUNCH_UPDATE (AMD 56860, PAGE_TYPE).</summary>
internal enum SnpPageType : byte { Normal = 1, Vmsa = 2, Zero = 3, Unmeasured = 4, Secrets = 5, Cpuid = 6 }

/// <summary>The launch digest as the security processor extends it page by page.</summary>
/// <remarks>
/// AMD SEV Secure Nested Paging Firmware ABI Specification (56860), SNP_LAUNCH_UPDATE, PAGE_INFO; little-endian:
/// <code>
///   struct {
///       opaque digest_cur[48], contents[48];    // contents: SHA-384 of the page, or zeros
///       uint16 length = 0x70;
///       uint8 page_type, imi_page = 0;
///       uint8 vmpl3_perms = 0, vmpl2_perms = 0, vmpl1_perms = 0, reserved = 0;
///       uint64 gpa;
///   } PAGE_INFO;
/// </code>
/// The digest becomes SHA-384 of that structure.
/// </remarks>
internal sealed class SnpPageChain
{
    private const int PageInfoSize = 0x70;

    // The address that the security processor gives to saved states of processors: the last page below bit 52.
    private const ulong VmsaAddress = 0xFFFF_FFFF_F000;

    private readonly byte[] _digest = new byte[SHA384.HashSizeInBytes];

    public SnpPageChain() { }

    public SnpPageChain(ReadOnlySpan<byte> digest) => digest.CopyTo(_digest);

    public ReadOnlySpan<byte> Digest => _digest;

    public void AddNormal(ulong address, ReadOnlySpan<byte> pages)
    {
        Span<byte> contents = stackalloc byte[SHA384.HashSizeInBytes];
        for (int at = 0; at < pages.Length; at += FirmwareImage.PageSize)
        {
            SHA384.HashData(pages.Slice(at, FirmwareImage.PageSize), contents);
            Extend(SnpPageType.Normal, address + (ulong)at, contents);
        }
    }

    public void AddVmsa(ReadOnlySpan<byte> page)
    {
        Span<byte> contents = stackalloc byte[SHA384.HashSizeInBytes];
        SHA384.HashData(page, contents);
        Extend(SnpPageType.Vmsa, VmsaAddress, contents);
    }

    /// <summary>Pages whose contents are not measured, because the security processor or nobody fills them.</summary>
    public void AddEmpty(SnpPageType type, ulong address, uint size)
    {
        Span<byte> contents = stackalloc byte[SHA384.HashSizeInBytes];
        contents.Clear();
        for (uint at = 0; at < size; at += FirmwareImage.PageSize)
        {
            Extend(type, address + at, contents);
        }
    }

    private void Extend(SnpPageType type, ulong address, ReadOnlySpan<byte> contents)
    {
        Span<byte> info = stackalloc byte[PageInfoSize];
        info.Clear();
        _digest.CopyTo(info);
        contents.CopyTo(info[48..]);
        BinaryPrimitives.WriteUInt16LittleEndian(info[96..], PageInfoSize);
        info[98] = (byte)type;
        BinaryPrimitives.WriteUInt64LittleEndian(info[104..], address);
        SHA384.HashData(info, _digest);
    }
}
