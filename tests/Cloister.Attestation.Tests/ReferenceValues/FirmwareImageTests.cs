using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;

namespace Cloister.Attestation.Tests.ReferenceValues;

public class FirmwareImageTests
{
    private static readonly TestFirmware Usual = new();

    [Fact]
    public void An_image_says_what_was_put_into_it()
    {
        Assert.True(FirmwareImage.TryParse(Usual.ToBytes(), out var image, out var error), $"{error}");
        Assert.Equal(0xFFFFE000UL, image.Address);
        Assert.Equal((0x80B004u, 0x810C00u), (image.ApResetAddress, image.HashTableAddress));
        Assert.Equal(Usual.Snp, image.SnpSections.Select(one => (one.Address, one.Size, (uint)one.Type)));
        Assert.Equal(Usual.Tdx, image.TdxSections.Select(one => ((uint)one.DataOffset, (uint)one.DataSize, one.Address, one.MemorySize, (uint)one.Type, (one.IsExtended ? 1u : 0) | (one.IsAccepted ? 2u : 0))));
    }

    [Fact]
    public void An_image_may_be_made_for_neither()
    {
        Assert.True(FirmwareImage.TryParse((Usual with { Table = _ => [] }).ToBytes(), out var image, out var error), $"{error}");
        Assert.True(image.SnpSections.IsEmpty && image.TdxSections.IsEmpty && image.ApResetAddress is null && image.HashTableAddress is null);
    }

    private static (uint, uint, uint)[] Snp(int index, uint address, uint size, uint type)
    {
        var sections = Usual.Snp.ToArray();
        sections[index] = (address, size, type);
        return sections;
    }

    private static (uint, uint, ulong, ulong, uint, uint)[] Tdx(int index, uint offset, uint size, ulong address, ulong memory, uint type, uint attributes)
    {
        var sections = Usual.Tdx.ToArray();
        sections[index] = (offset, size, address, memory, type, attributes);
        return sections;
    }

    private static Func<(Guid Guid, byte[] Data)[], (Guid, byte[])[]> Replace(Guid guid, byte[] data) => table => [.. table.Select(entry => entry.Guid == guid ? (guid, data) : entry)];

    /// <summary>The field at which it is refused, and the one thing that is wrong with the image.</summary>
    public static TheoryData<string, string> Spoiled => new()
    {
        { "image_size", "empty" }, { "image_size", "no whole page" }, { "table_footer", "footer" }, { "entry_size", "table longer than the image" }, { "entry_size", "table shorter than its end" },
        { "entry_size", "entry longer than the table" }, { "entry", "bytes before the first entry" }, { "entry_guid", "the same entry twice" }, { "entry_size", "reset block too long" }, { "entry_size", "hash table too short" },
        { "sev_metadata_offset", "SEV metadata outside" }, { "signature", "SEV signature" }, { "version", "SEV version" }, { "sections", "SEV length" }, { "sections", "no SEV section" },
        { "section", "SEV type" }, { "section", "SEV address in a page" }, { "section", "SEV size in a page" }, { "section", "SEV empty section" }, { "section", "SEV overlap" }, { "section", "SEV two pages of secrets" }, { "section", "SEV memory without end" },
        { "tdx_metadata_offset", "TDX metadata outside" }, { "metadata_guid", "TDX GUID" }, { "signature", "TDX signature" }, { "version", "TDX version" }, { "sections", "TDX length" },
        { "section", "TDX type" }, { "section", "TDX data outside" }, { "section", "TDX data larger than memory" }, { "section", "TDX address in a page" }, { "section", "TDX size in a page" }, { "section", "TDX attribute" },
        { "section", "TDX extended without data" }, { "section", "TDX overlap" }, { "section", "TDX memory without end" }, { "section", "TDX address beyond memory" }, { "sections", "TDX no firmware" }, { "sections", "TDX two hand-off blocks" },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_wrong_is_refused_where_it_is_wrong(string field, string what)
    {
        byte[] image = Usual.ToBytes();
        int sev = 4096 - 0x400, tdx = 4096 - 0x800;
        byte[] spoiled = what switch
        {
            "empty" => [],
            "no whole page" => [0, .. image],
            "footer" => TestFirmware.With(image, 48, 0),
            "table longer than the image" => Table(image, 0xFFFF),
            "table shorter than its end" => Table(image, 17),
            "entry longer than the table" => Entry(image, 0x4000),
            "bytes before the first entry" => Table(image, TableSize(image) + 1),
            "the same entry twice" => (Usual with { Table = table => [.. table, table[0]] }).ToBytes(),
            "reset block too long" => (Usual with { Table = Replace(TestFirmware.ResetBlock, new byte[8]) }).ToBytes(),
            "hash table too short" => (Usual with { Table = Replace(TestFirmware.HashTable, new byte[4]) }).ToBytes(),
            "SEV metadata outside" => (Usual with { Table = Replace(TestFirmware.SevMetadata, [1, 0x20, 0, 0]) }).ToBytes(),
            "SEV signature" => TestFirmware.With(image, sev, 0),
            "SEV length" => TestFirmware.With(image, sev - 4, 99),
            "SEV version" => TestFirmware.With(image, sev - 8, 2),
            "no SEV section" => (Usual with { Snp = [] }).ToBytes(),
            "SEV type" => (Usual with { Snp = Snp(0, 0x800000, 0x1000, 5) }).ToBytes(),
            "SEV address in a page" => (Usual with { Snp = Snp(0, 0x800010, 0x1000, 1) }).ToBytes(),
            "SEV size in a page" => (Usual with { Snp = Snp(0, 0x800000, 0x1010, 1) }).ToBytes(),
            "SEV empty section" => (Usual with { Snp = Snp(0, 0x800000, 0, 1) }).ToBytes(),
            "SEV overlap" => (Usual with { Snp = Snp(0, 0x800000, 0xB000, 1) }).ToBytes(),
            "SEV two pages of secrets" => (Usual with { Snp = Snp(2, 0x900000, 0x2000, 2) }).ToBytes(),
            "SEV memory without end" => (Usual with { Snp = Snp(0, 0x900000, 0x8000000, 1) }).ToBytes(),
            "TDX metadata outside" => (Usual with { Table = Replace(TestFirmware.TdxMetadata, [0xF1, 0x1F, 0, 0]) }).ToBytes(),
            "TDX GUID" => TestFirmware.With(image, tdx, 0),
            "TDX signature" => TestFirmware.With(image, tdx - 16, 0),
            "TDX length" => TestFirmware.With(image, tdx - 20, 99),
            "TDX version" => TestFirmware.With(image, tdx - 24, 2),
            "TDX type" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810000, 0x1000, 7, 0) }).ToBytes(),
            "TDX data outside" => (Usual with { Tdx = Tdx(1, 0x2000, 0x1000, 0xFFFFE000, 0x1000, 1, 0) }).ToBytes(),
            "TDX data larger than memory" => (Usual with { Tdx = Tdx(1, 0, 0x1001, 0xFFFFE000, 0x1000, 1, 0) }).ToBytes(),
            "TDX address in a page" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810010, 0x1000, 3, 0) }).ToBytes(),
            "TDX size in a page" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810000, 0x1010, 3, 0) }).ToBytes(),
            "TDX attribute" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810000, 0x1000, 3, 4) }).ToBytes(),
            "TDX extended without data" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810000, 0x1000, 3, 1) }).ToBytes(),
            "TDX overlap" => (Usual with { Tdx = Tdx(2, 0, 0, 0x80C000, 0x1000, 3, 0) }).ToBytes(),
            "TDX memory without end" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810000, 0x2000_0000, 3, 0) }).ToBytes(),
            "TDX address beyond memory" => (Usual with { Tdx = Tdx(2, 0, 0, 0xFFFF_FFFF_FFFF_F000, 0x1000, 3, 0) }).ToBytes(),
            "TDX no firmware" => (Usual with { Tdx = [.. Usual.Tdx.Skip(1)] }).ToBytes(),
            "TDX two hand-off blocks" => (Usual with { Tdx = Tdx(2, 0, 0, 0x810000, 0x1000, 2, 0) }).ToBytes(),
            _ => throw new ArgumentException(what),
        };
        Assert.False(FirmwareImage.TryParse(spoiled, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    private static int TableSize(byte[] image) => image[^50] | image[^49] << 8;

    private static byte[] Table(byte[] image, int size) => [.. image[..^50], (byte)(size & 0xFF), (byte)(size >> 8), .. image[^48..]];

    // The last entry, which is read first, ends where the footer begins.
    private static byte[] Entry(byte[] image, int size) => [.. image[..^68], (byte)(size & 0xFF), (byte)(size >> 8), .. image[^66..]];
}
