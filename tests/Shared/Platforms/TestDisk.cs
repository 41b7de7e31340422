using System.Buffers.Binary;

namespace Cloister.Testing;

/// <summary>The beginning of a disk with a GUID partition table of four entries, of which two are used.</summary>
internal static class TestDisk
{
    public const int HeaderOffset = 512;
    public const int EntriesOffset = 1024;
    public const int EntrySize = 128;

    public static byte[] ToBytes()
    {
        byte[] disk = new byte[EntriesOffset + 4 * EntrySize];
        for (int entry = 0; entry < 3; entry += 2)
        {
            disk.AsSpan(EntriesOffset + entry * EntrySize, EntrySize).Fill((byte)(entry + 1));
        }
        var header = disk.AsSpan(HeaderOffset, 92);
        "EFI PART"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], 0x1_0000);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], 92);
        header[24] = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(header[72..], 2);
        BinaryPrimitives.WriteUInt32LittleEndian(header[80..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[84..], EntrySize);
        return Sum(disk);
    }

    /// <summary>The same with right checksums.</summary>
    public static byte[] Sum(byte[] disk)
    {
        var header = disk.AsSpan(HeaderOffset, 92);
        BinaryPrimitives.WriteUInt32LittleEndian(header[88..], Crc32(disk.AsSpan(EntriesOffset)));
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32(header));
        return disk;
    }

    // By table, unlike what it tests.
    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        uint[] table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            table[index] = Enumerable.Range(0, 8).Aggregate(index, (value, _) => (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1);
        }
        uint sum = 0xFFFFFFFF;
        foreach (byte one in data)
        {
            sum = table[(sum ^ one) & 0xFF] ^ (sum >> 8);
        }
        return sum ^ 0xFFFFFFFF;
    }
}
