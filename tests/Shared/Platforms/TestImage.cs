using System.Buffers.Binary;
using System.Text;

namespace Cloister.Testing;

/// <summary>Small PE files: 64-bit, sections one after the other, aligned to 512 bytes. With the right sections they are unified kernel images.</summary>
internal sealed record TestImage
{
    public const int HeadersSize = 0x600;
    public const int PeOffset = 0x80;
    public const int OptionalOffset = PeOffset + 24;
    public const int ChecksumOffset = OptionalOffset + 64;
    public const int CertificateEntryOffset = OptionalOffset + 112 + 8 * 4;
    public const int SectionTableOffset = OptionalOffset + 112 + 8 * 16;

    public (string Name, byte[] Contents)[] Sections { get; init; } = [(".text", [1, 2, 3]), (".data", [4, 5])];

    /// <summary>What follows the sections without being one.</summary>
    public byte[] Behind { get; init; } = [];

    public byte[] Certificates { get; init; } = [];

    /// <summary>An image that systemd's stub would boot, of a version.</summary>
    public static TestImage Unified(string stubVersion = "252.39-1", params (string Name, string Contents)[] sections) => new()
    {
        Sections =
        [
            (".sdmagic", Encoding.ASCII.GetBytes($"#### LoaderInfo: systemd-stub {stubVersion} ####\0")),
            .. sections.Select(section => (section.Name, Encoding.ASCII.GetBytes(section.Contents))),
        ],
    };

    public byte[] ToBytes()
    {
        byte[] headers = new byte[HeadersSize];
        "MZ"u8.CopyTo(headers);
        Word(headers, 0x3C, PeOffset);
        "PE\0\0"u8.CopyTo(headers.AsSpan(PeOffset));
        Half(headers, PeOffset + 4, 0x8664);
        Half(headers, PeOffset + 6, Sections.Length);
        Half(headers, PeOffset + 20, 112 + 8 * 16);
        Half(headers, PeOffset + 22, 0x22E);
        Half(headers, OptionalOffset, 0x20B);
        Word(headers, OptionalOffset + 32, 0x1000);
        Word(headers, OptionalOffset + 36, 0x200);
        Word(headers, OptionalOffset + 56, 0x1000 * (Sections.Length + 1));
        Word(headers, OptionalOffset + 60, HeadersSize);
        Word(headers, ChecksumOffset, 0x1234_5678);
        Half(headers, OptionalOffset + 68, 10);
        Word(headers, OptionalOffset + 108, 16);

        var body = new List<byte>();
        for (int index = 0; index < Sections.Length; index++)
        {
            var (name, contents) = Sections[index];
            int at = SectionTableOffset + 40 * index, size = (contents.Length + 511) / 512 * 512;
            Encoding.ASCII.GetBytes(name).CopyTo(headers, at);
            Word(headers, at + 8, contents.Length);
            Word(headers, at + 12, 0x1000 * (index + 1));
            Word(headers, at + 16, size);
            Word(headers, at + 20, HeadersSize + body.Count);
            Word(headers, at + 36, 0x4000_0040);
            body.AddRange([.. contents, .. new byte[size - contents.Length]]);
        }
        body.AddRange(Behind);
        if (Certificates.Length > 0)
        {
            Word(headers, CertificateEntryOffset, HeadersSize + body.Count);
            Word(headers, CertificateEntryOffset + 4, Certificates.Length);
            body.AddRange(Certificates);
        }
        return [.. headers, .. body];
    }

    public static byte[] With(byte[] image, int offset, int word)
    {
        byte[] changed = [.. image];
        Word(changed, offset, word);
        return changed;
    }

    private static void Half(byte[] bytes, int offset, int value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), (ushort)value);

    private static void Word(byte[] bytes, int offset, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), value);
}
