using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>A section of a PE file.</summary>
/// <param name="Name">Up to eight ASCII characters.</param>
/// <param name="MemorySize">In bytes, when it is loaded; what the file has beyond it is padding.</param>
/// <param name="Offset">Where its bytes lie in the file.</param>
/// <param name="Size">How many they are, padding included.</param>
public readonly record struct PeSection(string Name, int MemorySize, int Offset, int Size);

/// <summary>A PE file (an EFI application, a kernel, a unified kernel image), as far as it is measured (docs/spec/reference-values.md, section 4).</summary>
/// <remarks>
/// Microsoft PE Format; Windows Authenticode Portable Executable Signature Format. What firmwares would read differently is refused: sections that overlap or
/// lie in the headers, certificates that are not the file's end.
/// </remarks>
public sealed class PeImage
{
    /// <summary>Ours to choose: the largest file that is read, in bytes.</summary>
    public const int MaxSize = 1024 * 1024 * 1024;

    private const int MaxSections = 96;
    private const int MaxDirectories = 16;
    private const int CertificateDirectory = 4;
    private const int CoffHeaderSize = 20;
    private const int SectionHeaderSize = 40;
    private const ushort Pe32 = 0x10B;
    private const ushort Pe32Plus = 0x20B;

    private readonly int _checksum, _certificateEntry, _headers, _certificates;

    private PeImage(ReadOnlyMemory<byte> bytes, ImmutableArray<PeSection> sections, int checksum, int certificateEntry, int headers, int certificates)
    {
        (Bytes, Sections) = (bytes, sections);
        (_checksum, _certificateEntry, _headers, _certificates) = (checksum, certificateEntry, headers, certificates);
    }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>In the file's order.</summary>
    public ImmutableArray<PeSection> Sections { get; }

    /// <summary>The bytes of a section as they are when it is loaded, without the file's padding.</summary>
    public ReadOnlyMemory<byte> Contents(PeSection section) => Bytes.Slice(section.Offset, Math.Min(section.Size, section.MemorySize));

    /// <summary>
    /// The digest that signatures and firmwares' measurements are over: the file without its checksum, the entry of its certificates and the certificates.
    /// Sections go in the order of their places. What follows the bytes that were hashed so far is hashed too, counted as edk2 counts it, and nothing is padded.
    /// </summary>
    public byte[] Authenticode(RegisterBank bank)
    {
        using var hash = IncrementalHash.CreateHash(bank is RegisterBank.Sha384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);
        var bytes = Bytes.Span;
        hash.AppendData(bytes[.._checksum]);
        if (_certificateEntry == 0)
        {
            hash.AppendData(bytes[(_checksum + 4).._headers]);
        }
        else
        {
            hash.AppendData(bytes[(_checksum + 4).._certificateEntry]);
            hash.AppendData(bytes[(_certificateEntry + 8).._headers]);
        }

        int hashed = _headers;
        foreach (var section in Sections.Where(section => section.Size > 0).OrderBy(section => section.Offset))
        {
            hash.AppendData(bytes.Slice(section.Offset, section.Size));
            hashed += section.Size;
        }
        int end = bytes.Length - _certificates;
        if (hashed < end)
        {
            hash.AppendData(bytes[hashed..end]);
        }
        return hash.GetHashAndReset();
    }

    public static bool TryParse(ReadOnlyMemory<byte> file, [NotNullWhen(true)] out PeImage? image, out WireError error)
    {
        image = null;
        var bytes = file.Span;
        if (bytes.Length > MaxSize)
        {
            error = new(WireFault.TooLong, "file", 0, MaxSize, bytes.Length);
            return false;
        }

        var reader = new WireReader(bytes);
        reader.Expect("e_magic", "MZ"u8);
        reader.Bytes("dos_header", 0x3C - 2);
        uint place = reader.UInt32LittleEndian("e_lfanew");
        Skip(ref reader, "dos_stub", place);
        reader.Expect("signature", "PE\0\0"u8);
        reader.Bytes("machine", 2);
        int sectionCount = reader.UInt16LittleEndian("number_of_sections");
        reader.Bytes("timestamp … number_of_symbols", 12);
        int optionalSize = reader.UInt16LittleEndian("size_of_optional_header");
        reader.Bytes("characteristics", 2);

        int optional = reader.Offset;
        ushort magic = reader.UInt16LittleEndian("magic");
        Check(ref reader, "magic", magic is Pe32 or Pe32Plus, magic);
        reader.Bytes("major_linker_version … size_of_image", 60 - 2);
        uint headers = reader.UInt32LittleEndian("size_of_headers");
        int checksum = reader.Offset;
        reader.Bytes("checksum … loader_flags", (magic is Pe32Plus ? 108 : 92) - 64);
        uint directories = reader.UInt32LittleEndian("number_of_rva_and_sizes");
        Check(ref reader, "number_of_rva_and_sizes", directories <= MaxDirectories, directories);
        int directoryTable = reader.Offset;
        var entries = reader.Bytes("data_directories", reader.Failed ? 0 : 8 * (int)directories);
        Check(ref reader, "size_of_optional_header", reader.Offset <= (long)optional + optionalSize, optionalSize);
        Skip(ref reader, "optional_header", reader.Failed ? 0 : (uint)(optional + optionalSize));

        Check(ref reader, "number_of_sections", sectionCount is > 0 and <= MaxSections, sectionCount);
        int tableEnd = reader.Offset + (reader.Failed ? 0 : SectionHeaderSize * sectionCount);
        Check(ref reader, "size_of_headers", headers >= tableEnd && headers <= bytes.Length, headers);
        var sections = ImmutableArray.CreateBuilder<PeSection>();
        while (!reader.Failed && sections.Count < sectionCount)
        {
            sections.Add(ReadSection(ref reader, (int)headers, bytes.Length));
        }
        CheckApart(ref reader, sections);
        int certificates = 0;
        if (!reader.Failed && directories > CertificateDirectory)
        {
            certificates = ReadCertificates(ref reader, entries[(8 * CertificateDirectory)..], sections.Select(section => section.Offset + section.Size).Append((int)headers).Max(), bytes.Length);
        }

        error = reader.Error;
        if (!reader.Failed)
        {
            image = new(file, sections.ToImmutable(), checksum, directories > CertificateDirectory ? directoryTable + 8 * CertificateDirectory : 0, (int)headers, certificates);
        }
        return !reader.Failed;
    }

    private static PeSection ReadSection(scoped ref WireReader reader, int headers, int fileSize)
    {
        var name = reader.Bytes("name", 8);
        uint memory = reader.UInt32LittleEndian("virtual_size");
        reader.Bytes("virtual_address", 4);
        uint size = reader.UInt32LittleEndian("size_of_raw_data"), offset = reader.UInt32LittleEndian("pointer_to_raw_data");
        reader.Bytes("pointer_to_relocations … characteristics", 16);

        int end = name.IndexOf((byte)0) is >= 0 and var nul ? nul : name.Length;
        Check(ref reader, "name", !name[end..].ContainsAnyExcept((byte)0) && !name[..end].ContainsAnyExceptInRange((byte)' ', (byte)'~'), 0);
        Check(ref reader, "size_of_raw_data", size == 0 || (offset >= headers && (ulong)offset + size <= (ulong)fileSize), size);
        return reader.Failed ? default : new(System.Text.Encoding.ASCII.GetString(name[..end]), (int)Math.Min(memory, int.MaxValue), size == 0 ? 0 : (int)offset, (int)size);
    }

    private static void CheckApart(scoped ref WireReader reader, IEnumerable<PeSection> sections)
    {
        int end = 0;
        foreach (var section in sections.Where(section => section.Size > 0).OrderBy(section => section.Offset))
        {
            Check(ref reader, "pointer_to_raw_data", section.Offset >= end, section.Offset);
            end = section.Offset + section.Size;
        }
    }

    private static int ReadCertificates(scoped ref WireReader reader, ReadOnlySpan<byte> entry, int sectionsEnd, int fileSize)
    {
        var fields = new WireReader(entry);
        uint offset = fields.UInt32LittleEndian("certificate_table"), size = fields.UInt32LittleEndian("certificate_table_size");
        Check(ref reader, "certificate_table", (offset, size) is (0, 0) || (size > 0 && (ulong)offset + size == (ulong)fileSize && offset >= sectionsEnd), offset);
        return reader.Failed ? 0 : (int)size;
    }

    // Only forward: headers that begin before the place where one has read to would be read twice.
    private static void Skip(scoped ref WireReader reader, string field, uint to)
    {
        Check(ref reader, field, to >= reader.Offset && to <= int.MaxValue, to);
        reader.Bytes(field, reader.Failed ? 0 : (int)to - reader.Offset);
    }

    private static void Check(scoped ref WireReader reader, string field, bool holds, long found)
    {
        if (!holds)
        {
            reader.Refuse(field, 0, found);
        }
    }
}
