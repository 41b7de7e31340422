using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>In which order a hypervisor adds the pages of a section and extends the measurement by them.</summary>
public enum TdxPageOrder : byte
{
    /// <summary>Page by page: added, then extended. QEMU 9 and later.</summary>
    PageByPage,

    /// <summary>All pages of a section added, then all extended. QEMU 8 with Intel's patches.</summary>
    SectionBySection,
}

/// <summary>MRTD: what a trust domain was built from (Intel TDX Module ABI, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND; docs/spec/reference-values.md, section 6).</summary>
public static class TdxMrtd
{
    private const int RecordSize = 128;
    private const int ChunkSize = 256;

    /// <summary>48 bytes.</summary>
    public static bool TryCompute(FirmwareImage image, TdxPageOrder order, [NotNullWhen(true)] out byte[]? mrtd, out MeasurementFault fault)
    {
        mrtd = null;
        fault = image.TdxSections.IsEmpty ? MeasurementFault.NoTdxMetadata : MeasurementFault.None;
        if (fault is MeasurementFault.None)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
            foreach (var section in image.TdxSections)
            {
                Append(hash, image.Bytes.Span, section, order);
            }
            mrtd = hash.GetHashAndReset();
        }
        return fault is MeasurementFault.None;
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> image, TdxSection section, TdxPageOrder order)
    {
        for (ulong at = 0; at < section.MemorySize; at += FirmwareImage.PageSize)
        {
            if (!section.IsAccepted)
            {
                AppendRecord(hash, "MEM.PAGE.ADD"u8, section.Address + at);
            }
            if (order is TdxPageOrder.PageByPage)
            {
                AppendContents(hash, image, section, at);
            }
        }
        for (ulong at = 0; at < section.MemorySize && order is TdxPageOrder.SectionBySection; at += FirmwareImage.PageSize)
        {
            AppendContents(hash, image, section, at);
        }
    }

    private static void AppendContents(IncrementalHash hash, ReadOnlySpan<byte> image, TdxSection section, ulong page)
    {
        for (int chunk = 0; chunk < FirmwareImage.PageSize && section.IsExtended; chunk += ChunkSize)
        {
            AppendRecord(hash, "MR.EXTEND"u8, section.Address + page + (ulong)chunk);
            hash.AppendData(image.Slice(section.DataOffset + (int)page + chunk, ChunkSize));
        }
    }

    // The operation's name, the address at byte 16, zeros.
    private static void AppendRecord(IncrementalHash hash, ReadOnlySpan<byte> operation, ulong address)
    {
        Span<byte> record = stackalloc byte[RecordSize];
        record.Clear();
        operation.CopyTo(record);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], address);
        hash.AppendData(record);
    }
}
