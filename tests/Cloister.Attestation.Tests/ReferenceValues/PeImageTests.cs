using System.Security.Cryptography;
using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests.ReferenceValues;

public class PeImageTests
{
    private static readonly TestImage Usual = new() { Sections = [(".text", [1, 2, 3]), (".data", [4, 5]), (".bss", [])] };

    [Fact]
    public void Sections_are_what_was_put_into_the_file()
    {
        var image = Parse(Usual.ToBytes());
        Assert.Equal([".text", ".data", ".bss"], image.Sections.Select(section => section.Name));
        Assert.Equal([1, 2, 3], image.Contents(image.Sections[0]).ToArray());
        Assert.Equal(512, image.Sections[1].Size);
        Assert.Equal(0, image.Contents(image.Sections[2]).Length);
    }

    public static TheoryData<string> Shapes => ["plain", "trailing", "signed", "trailing and signed"];

    private static TestImage Shape(string name) => Usual with
    {
        Behind = name.Contains("trailing", StringComparison.Ordinal) ? [9, 8, 7] : [],
        Certificates = name.Contains("signed", StringComparison.Ordinal) ? [.. Enumerable.Range(0, 24).Select(one => (byte)one)] : [],
    };

    /// <summary>A second method: the file's bytes, without those that are left out.</summary>
    [Theory, MemberData(nameof(Shapes))]
    public void A_digest_is_over_all_but_checksum_and_certificates(string shape)
    {
        var made = Shape(shape);
        byte[] file = made.ToBytes();
        byte[] covered = [.. file.Where((_, at) => at is not (>= TestImage.ChecksumOffset and < TestImage.ChecksumOffset + 4) and not (>= TestImage.CertificateEntryOffset and < TestImage.CertificateEntryOffset + 8) && at < file.Length - made.Certificates.Length)];
        Assert.Equal(Convert.ToHexString(SHA384.HashData(covered)), Convert.ToHexString(Parse(file).Authenticode(RegisterBank.Sha384)));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(covered)), Convert.ToHexString(Parse(file).Authenticode(RegisterBank.Sha256)));
    }

    /// <summary>As <c>pesign --hash</c> of Debian's pesign 0.112 gives them for the same files, written out by hand once.</summary>
    [Theory]
    [InlineData("plain", "189d585c46c6620cd71711acb4e000b838df7dfd26cccef8a8af95dd9f14bbb6")]
    [InlineData("trailing", "aa3cd7a05e7f923c52f259541613146163fe823f66170e18ba9bece571d40a7d")]
    public void Another_tool_gives_the_same(string shape, string digest) => Assert.Equal(digest, Hex.Encode(Parse(Shape(shape).ToBytes()).Authenticode(RegisterBank.Sha256)));

    [Fact]
    public void Sections_count_in_the_order_of_their_places()
    {
        byte[] file = Usual.ToBytes(), swapped = [.. file];
        file.AsSpan(TestImage.SectionTableOffset, 40).CopyTo(swapped.AsSpan(TestImage.SectionTableOffset + 40));
        file.AsSpan(TestImage.SectionTableOffset + 40, 40).CopyTo(swapped.AsSpan(TestImage.SectionTableOffset));
        byte[] covered = [.. swapped.Where((_, at) => at is not (>= TestImage.ChecksumOffset and < TestImage.ChecksumOffset + 4) and not (>= TestImage.CertificateEntryOffset and < TestImage.CertificateEntryOffset + 8))];
        Assert.Equal(Hex.Encode(SHA256.HashData(covered)), Hex.Encode(Parse(swapped).Authenticode(RegisterBank.Sha256)));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Every_other_bit_counts(string shape)
    {
        byte[] file = Shape(shape).ToBytes();
        byte[] digest = Parse(file).Authenticode(RegisterBank.Sha256);
        for (int at = 0; at < file.Length; at++)
        {
            byte[] other = [.. file];
            other[at] ^= (byte)(1 << at % 8);
            if (PeImage.TryParse(other, out var image, out _))
            {
                bool outside = at is >= TestImage.ChecksumOffset and < TestImage.ChecksumOffset + 4 || at >= file.Length - Shape(shape).Certificates.Length;
                Assert.True(outside == image.Authenticode(RegisterBank.Sha256).AsSpan().SequenceEqual(digest), $"byte {at:x}");
            }
        }
    }

    /// <summary>Field, place and the wrong word there.</summary>
    public static TheoryData<string, int, int> Spoiled => new()
    {
        { "e_magic", 0, 0 },
        { "dos_stub", 0x3C, 0x3C },
        { "dos_stub", 0x3C, -1 },
        { "signature", TestImage.PeOffset, 0 },
        { "number_of_sections", TestImage.PeOffset + 4, 0x8664 },
        { "number_of_sections", TestImage.PeOffset + 4, 97 << 16 | 0x8664 },
        { "size_of_optional_header", TestImage.PeOffset + 20, 0x022E_00EF },
        { "magic", TestImage.OptionalOffset, 0x107 },
        { "size_of_headers", TestImage.OptionalOffset + 60, TestImage.SectionTableOffset },
        { "size_of_headers", TestImage.OptionalOffset + 60, 0x10000 },
        { "number_of_rva_and_sizes", TestImage.OptionalOffset + 108, 17 },
        { "certificate_table", TestImage.CertificateEntryOffset, 8 },
        { "certificate_table", TestImage.CertificateEntryOffset + 4, 8 },
        { "name", TestImage.SectionTableOffset, 0x7400742E },
        { "name", TestImage.SectionTableOffset, 0x0174652E },
        { "size_of_raw_data", TestImage.SectionTableOffset + 16, 0x10000 },
        { "size_of_raw_data", TestImage.SectionTableOffset + 20, TestImage.HeadersSize - 1 },
        { "pointer_to_raw_data", TestImage.SectionTableOffset + 20, TestImage.HeadersSize + 1 },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_wrong_is_refused_where_it_is_wrong(string field, int offset, int word)
    {
        Assert.False(PeImage.TryParse(TestImage.With(Usual.ToBytes(), offset, word), out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void A_file_that_ends_too_early_is_refused()
    {
        byte[] file = Usual.ToBytes();
        for (int length = 0; length < file.Length; length += 13)
        {
            Assert.False(PeImage.TryParse(file.AsMemory(0, length), out _, out _));
        }
    }

    [Fact]
    public void Certificates_that_are_not_the_files_end_are_refused()
    {
        byte[] file = Shape("signed").ToBytes();
        Assert.False(PeImage.TryParse((byte[])[.. file, 0], out _, out var error));
        Assert.Equal("certificate_table", error.Field);
    }

    internal static PeImage Parse(byte[] file)
    {
        Assert.True(PeImage.TryParse(file, out var image, out var error), $"{error}");
        return image;
    }
}
