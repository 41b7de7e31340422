using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>A disk's GUID partition table, as EV_EFI_GPT_EVENT measures it: header, number of entries in use, those entries.</summary>
/// <remarks>UEFI Specification, section 5.3; sectors of 512 bytes. A table whose checksums are wrong is refused: firmware would take the disk's second table.</remarks>
public static class PartitionTable
{
    private const int SectorSize = 512;
    private const int HeaderSize = 92;
    private const int TypeSize = 16;
    private const int MaxEntries = 1024;
    private const int MaxEntrySize = 4096;

    /// <summary>From the disk's first bytes (1 MiB is enough for usual tables) the bytes that are hashed.</summary>
    public static bool TryReadEvent(ReadOnlySpan<byte> disk, [NotNullWhen(true)] out byte[]? data, out WireError error)
    {
        data = null;
        var reader = new WireReader(disk);
        reader.Bytes("protective_mbr", SectorSize);
        var header = disk.Length < SectorSize + HeaderSize ? default : disk.Slice(SectorSize, HeaderSize);
        reader.Expect("signature", "EFI PART"u8);
        reader.Expect("revision", [0, 0, 1, 0]);
        reader.Expect("header_size", [HeaderSize, 0, 0, 0]);
        uint headerSum = reader.UInt32LittleEndian("header_crc32");
        reader.Zeros("reserved", 4);
        reader.Expect("my_lba", [1, 0, 0, 0, 0, 0, 0, 0]);
        reader.Bytes("alternate_lba … disk_guid", 40);
        ulong first = reader.UInt64LittleEndian("partition_entry_lba");
        uint count = reader.UInt32LittleEndian("number_of_partition_entries"), size = reader.UInt32LittleEndian("size_of_partition_entry");
        uint entriesSum = reader.UInt32LittleEndian("partition_entry_array_crc32");

        bool bounded = count is > 0 and <= MaxEntries && size is >= 128 and <= MaxEntrySize && size % 128 == 0 && first >= 2 && first <= (ulong)disk.Length / SectorSize;
        if (!bounded || (long)first * SectorSize + (long)count * size > disk.Length)
        {
            reader.Refuse("partition_entry_lba", disk.Length / SectorSize, bounded ? (long)first : 0);
        }
        if (!reader.Failed && Crc32([.. header[..16], 0, 0, 0, 0, .. header[20..]]) != headerSum)
        {
            reader.Refuse("header_crc32", 0, headerSum);
        }
        var entries = reader.Failed ? default : disk.Slice((int)first * SectorSize, (int)(count * size));
        if (!reader.Failed && Crc32(entries) != entriesSum)
        {
            reader.Refuse("partition_entry_array_crc32", 0, entriesSum);
        }
        error = reader.Error;
        if (!reader.Failed)
        {
            data = Event(header, entries, (int)size);
        }
        return !reader.Failed;
    }

    private static byte[] Event(ReadOnlySpan<byte> header, ReadOnlySpan<byte> entries, int size)
    {
        var used = new List<byte>();
        for (int at = 0; at < entries.Length; at += size)
        {
            if (entries.Slice(at, TypeSize).ContainsAnyExcept((byte)0))
            {
                used.AddRange(entries.Slice(at, size));
            }
        }
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(number, (ulong)(used.Count / size));
        return [.. header, .. number, .. used];
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        uint sum = uint.MaxValue;
        foreach (byte one in data)
        {
            sum ^= one;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (sum & 1) == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320;
            }
        }
        return ~sum;
    }
}
