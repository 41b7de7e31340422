using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Cloister.Vault.Tests.Exchange;

/// <summary>A file for a .zip file, and what its directory is to say of it where that is not the truth.</summary>
internal sealed record Packed(string Name, byte[] Content)
{
    public Packed(string name, string content) : this(name, Encoding.UTF8.GetBytes(content)) { }

    public int Method { get; init; } = 8;

    public int Flags { get; init; }

    public uint? Length { get; init; }

    public uint Spoil { get; init; }

    /// <summary>How often the directory names it, over the same bytes.</summary>
    public int Times { get; init; } = 1;

    /// <summary>Sizes as files of more than 4 GiB have them.</summary>
    public bool IsLong { get; init; }
}

/// <summary>.zip files: as others make them, and by hand what nobody honest makes.</summary>
internal static class Zips
{
    /// <summary>As the runtime's own writer makes it.</summary>
    public static byte[] Make(params (string Name, string Content)[] files)
    {
        using var made = new MemoryStream();
        using (var zip = new ZipArchive(made, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var writer = new StreamWriter(zip.CreateEntry(name).Open());
                writer.Write(content);
            }
        }
        return made.ToArray();
    }

    public static byte[] MakeByHand(params Packed[] files) => MakeByHand(isLong: false, null, files);

    /// <param name="isLong">With the end that files of more than 4 GiB have.</param>
    /// <param name="count">How many files it says there are, where that is not the truth.</param>
    /// <param name="files">What is in it.</param>
    public static byte[] MakeByHand(bool isLong, ulong? count, params Packed[] files)
    {
        using var made = new MemoryStream();
        using var directory = new MemoryStream();
        foreach (var file in files)
        {
            byte[] name = Encoding.UTF8.GetBytes(file.Name), packed = file.Method == 8 ? Deflate(file.Content) : file.Content;
            uint length = file.Length ?? (uint)file.Content.Length, sum = Sum(file.Content) ^ file.Spoil, at = (uint)made.Length;
            byte[] extra = file.IsLong ? [9, 9, 1, 0, 7, 1, 0, 24, 0, .. Long(length), .. Long((ulong)packed.Length), .. Long(at)] : [];
            byte[] sizes = file.IsLong ? [.. Enumerable.Repeat((byte)255, 8)] : [.. Int((uint)packed.Length), .. Int(length)];
            byte[] common = [20, 0, .. Short(file.Flags), .. Short(file.Method), 0, 0, 0, 0, .. Int(sum), .. sizes, .. Short(name.Length), .. Short(extra.Length)];
            made.Write([.. "PK\u0003\u0004"u8, .. common, .. name, .. extra, .. packed]);
            for (int time = 0; time < file.Times; time++)
            {
                directory.Write([.. "PK\u0001\u0002"u8, 20, 0, .. common, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. file.IsLong ? Int(uint.MaxValue) : Int(at), .. name, .. extra]);
            }
        }
        ulong files64 = count ?? (ulong)files.Sum(file => file.Times), offset = (ulong)made.Length;
        made.Write(directory.ToArray());
        if (isLong)
        {
            ulong end = (ulong)made.Length;
            made.Write([.. "PK\u0006\u0006"u8, .. Long(44), 45, 0, 45, 0, .. new byte[8], .. Long(files64), .. Long(files64), .. Long((ulong)directory.Length), .. Long(offset)]);
            made.Write([.. "PK\u0006\u0007"u8, 0, 0, 0, 0, .. Long(end), 1, 0, 0, 0]);
        }
        byte[] counts = isLong ? [255, 255, 255, 255] : [.. Short((int)files64), .. Short((int)files64)];
        made.Write([.. "PK\u0005\u0006"u8, 0, 0, 0, 0, .. counts, .. isLong ? Int(uint.MaxValue) : Int((uint)directory.Length), .. isLong ? Int(uint.MaxValue) : Int((uint)offset), 3, 0, .. "end"u8]);
        return made.ToArray();
    }

    public static byte[] Deflate(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var deflating = new DeflateStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflating.Write(content);
        }
        return packed.ToArray();
    }

    // Bit by bit: another way to the same number than the one that is tested.
    private static uint Sum(byte[] content)
    {
        uint sum = uint.MaxValue;
        foreach (byte next in content)
        {
            sum ^= next;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (sum & 1) == 1 ? (sum >> 1) ^ 0xedb88320 : sum >> 1;
            }
        }
        return ~sum;
    }

    private static byte[] Short(int value) => [(byte)(value & 0xff), (byte)(value >> 8)];

    private static byte[] Int(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Long(ulong value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }
}
