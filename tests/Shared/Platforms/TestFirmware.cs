using System.Buffers.Binary;

namespace Cloister.Testing;

/// <summary>A firmware image of two pages with a table of GUIDs at its end, as OVMF has one; each part can be replaced.</summary>
internal sealed record TestFirmware
{
    public const int PageSize = 4096;

    public static readonly Guid ResetBlock = new("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
    public static readonly Guid HashTable = new("7255371f-3a3b-4b04-927b-1da6efa8d454");
    public static readonly Guid SevMetadata = new("dc886566-984a-4798-a75e-5585a7bf67cc");
    public static readonly Guid TdxMetadata = new("e47a6535-984a-4798-865e-4685a7bf8ec2");
    public static readonly Guid Footer = new("96b582de-1fb2-45f7-baea-a366c55a082d");

    private const int SevPlace = 0x400;
    private const int TdxPlace = 0x800;

    public int Pages { get; init; } = 2;

    public uint Reset { get; init; } = 0x80B004;

    public uint Hashes { get; init; } = 0x810C00;

    /// <summary>Address, size and type of each.</summary>
    public (uint Address, uint Size, uint Type)[] Snp { get; init; } =
        [(0x800000, 0x9000, 1), (0x80A000, 0x3000, 1), (0x80D000, 0x1000, 2), (0x80E000, 0x1000, 3), (0x80F000, 0x1000, 4), (0x811000, 0xF000, 1), (0x810000, 0x1000, 0x10)];

    /// <summary>Offset, data size, address, memory size, type and attributes of each.</summary>
    public (uint Offset, uint Size, ulong Address, ulong Memory, uint Type, uint Attributes)[] Tdx { get; init; } =
        [(0x1000, 0x1000, 0xFFFFF000, 0x1000, 0, 1), (0, 0x1000, 0xFFFFE000, 0x1000, 1, 0), (0, 0, 0x810000, 0x10000, 3, 0), (0, 0, 0x80B000, 0x2000, 3, 0), (0, 0, 0x809000, 0x2000, 2, 0), (0, 0, 0x800000, 0x6000, 3, 0)];

    /// <summary>Entries from the table's start to its end.</summary>
    public Func<(Guid Guid, byte[] Data)[], (Guid Guid, byte[] Data)[]> Table { get; init; } = entries => entries;

    public byte[] ToBytes()
    {
        byte[] image = new byte[Pages * PageSize];
        for (int at = 0; at < image.Length; at++)
        {
            image[at] = (byte)((at * 7 + at / 251) % 256);
        }
        byte[] sev = [.. "ASEV"u8, .. Words((uint)(16 + 12 * Snp.Length), 1, (uint)Snp.Length), .. Snp.SelectMany(one => Words(one.Address, one.Size, one.Type))];
        byte[] tdx =
        [
            .. new Guid("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae").ToByteArray(), .. "TDVF"u8, .. Words((uint)(16 + 32 * Tdx.Length), 1, (uint)Tdx.Length),
            .. Tdx.SelectMany(one => (byte[])[.. Words(one.Offset, one.Size), .. Longs(one.Address, one.Memory), .. Words(one.Type, one.Attributes)]),
        ];
        int last = image.Length - PageSize;
        sev.CopyTo(image, last + SevPlace);
        tdx.CopyTo(image, last + TdxPlace);

        (Guid, byte[])[] usual =
        [
            (TdxMetadata, Words(PageSize - TdxPlace - 16)), (SevMetadata, Words(PageSize - SevPlace)), (HashTable, Words(Hashes, 0x400)),
            (new Guid("4c2eb361-7d9b-4cc3-8081-127c90d3d294"), Words(0, 0)), (ResetBlock, Words(Reset)),
        ];
        byte[] entries = [.. Table(usual).SelectMany(entry => Entry(entry.Guid, entry.Data))];
        byte[] table = [.. entries, .. Half(entries.Length + 18), .. Footer.ToByteArray()];
        table.CopyTo(image, image.Length - 32 - table.Length);
        return image;
    }

    private static byte[] Entry(Guid guid, byte[] data) => [.. data, .. Half(data.Length + 18), .. guid.ToByteArray()];

    private static byte[] Half(int value) => [(byte)(value & 0xFF), (byte)(value >> 8)];

    private static byte[] Words(params uint[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Longs(params ulong[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>A copy with one word changed, counted from the image's end.</summary>
    public static byte[] With(byte[] image, int fromEnd, uint word)
    {
        byte[] changed = [.. image];
        BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(changed.Length - fromEnd), word);
        return changed;
    }
}
