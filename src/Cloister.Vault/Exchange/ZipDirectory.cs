using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Cloister.Vault.Exchange;

/// <summary>What a .zip file says that is in it (PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3), from the directory at its end. Nothing is unpacked here.</summary>
internal static class ZipDirectory
{
    /// <summary>A large history has as many pictures; what has more is no export.</summary>
    public const int MaxEntries = 100_000;

    private const int MaxSize = 32 << 20;
    private const int EndSize = 22;
    private const int LocatorSize = 20;
    private const int LongEndSize = 56;
    private const int HeaderSize = 46;

    private const uint EndMark = 0x06054b50;
    private const uint LocatorMark = 0x07064b50;
    private const uint LongEndMark = 0x06064b50;
    private const uint HeaderMark = 0x02014b50;

    // Bits 0, 6 and 13: this entry's bytes, or the directory itself.
    private const ushort EncryptedFlags = 0x2041;
    private const ushort LongSizes = 1;

    private readonly record struct Extent(ulong Entries, ulong Size, ulong Offset);

    /// <summary>Whether a file that begins so is one. An empty one begins with its end.</summary>
    public static bool Begins(ReadOnlySpan<byte> file) => file.StartsWith("PK\u0003\u0004"u8) || file.StartsWith("PK\u0005\u0006"u8);

    /// <param name="file">It can seek.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async ValueTask<(ImmutableArray<ZipEntry> Entries, ImportFault Fault)> ReadAsync(Stream file, CancellationToken cancellationToken)
    {
        long tailAt = Math.Max(0, file.Length - ushort.MaxValue - EndSize - LocatorSize);
        byte[]? tail = await ReadAsync(file, tailAt, file.Length - tailAt, cancellationToken).ConfigureAwait(false);
        int end = tail is null ? -1 : FindEnd(tail);
        if (end < 0)
        {
            return ([], ImportFault.ZipDamaged);
        }
        var extent = EndOf(tail.AsSpan(end));
        if (LocatorOf(tail.AsSpan(0, end)) is { } longEndAt)
        {
            byte[]? longEnd = await ReadAsync(file, longEndAt, LongEndSize, cancellationToken).ConfigureAwait(false);
            extent = longEnd is null ? null : LongEndOf(longEnd);
        }
        if (extent is not { } found)
        {
            return ([], ImportFault.ZipDamaged);
        }
        if (found.Entries > MaxEntries || found.Size > MaxSize)
        {
            return ([], ImportFault.ZipBomb);
        }
        byte[]? directory = await ReadAsync(file, found.Offset, (long)found.Size, cancellationToken).ConfigureAwait(false);
        return directory is not null && Parse(directory, (int)found.Entries) is { } entries ? (entries, ImportFault.None) : ([], ImportFault.ZipDamaged);
    }

    /// <summary>Null where the file is shorter.</summary>
    public static async ValueTask<byte[]?> ReadAsync(Stream file, long at, long length, CancellationToken cancellationToken)
    {
        if (at < 0 || length < 0 || at > file.Length - length)
        {
            return null;
        }
        byte[] bytes = new byte[length];
        file.Position = at;
        return await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) == bytes.Length ? bytes : null;
    }

    private static ValueTask<byte[]?> ReadAsync(Stream file, ulong at, long length, CancellationToken cancellationToken) =>
        ReadAsync(file, at > long.MaxValue ? -1 : (long)at, length, cancellationToken);

    // The last one whose comment ends where the file does.
    private static int FindEnd(ReadOnlySpan<byte> tail)
    {
        for (int at = tail.Length - EndSize; at >= 0; at--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail[at..]) == EndMark && at + EndSize + BinaryPrimitives.ReadUInt16LittleEndian(tail[(at + 20)..]) == tail.Length)
            {
                return at;
            }
        }
        return -1;
    }

    // In one file, not over several disks.
    private static Extent? EndOf(ReadOnlySpan<byte> end) =>
        BinaryPrimitives.ReadUInt16LittleEndian(end[8..]) == BinaryPrimitives.ReadUInt16LittleEndian(end[10..])
            ? new(BinaryPrimitives.ReadUInt16LittleEndian(end[10..]), BinaryPrimitives.ReadUInt32LittleEndian(end[12..]), BinaryPrimitives.ReadUInt32LittleEndian(end[16..]))
            : null;

    private static ulong? LocatorOf(ReadOnlySpan<byte> beforeEnd) =>
        beforeEnd.Length >= LocatorSize && BinaryPrimitives.ReadUInt32LittleEndian(beforeEnd[^LocatorSize..]) == LocatorMark
            ? BinaryPrimitives.ReadUInt64LittleEndian(beforeEnd[(beforeEnd.Length - LocatorSize + 8)..])
            : null;

    private static Extent? LongEndOf(ReadOnlySpan<byte> end) =>
        BinaryPrimitives.ReadUInt32LittleEndian(end) == LongEndMark && BinaryPrimitives.ReadUInt64LittleEndian(end[24..]) == BinaryPrimitives.ReadUInt64LittleEndian(end[32..])
            ? new(BinaryPrimitives.ReadUInt64LittleEndian(end[32..]), BinaryPrimitives.ReadUInt64LittleEndian(end[40..]), BinaryPrimitives.ReadUInt64LittleEndian(end[48..]))
            : null;

    private static ImmutableArray<ZipEntry>? Parse(ReadOnlySpan<byte> directory, int count)
    {
        var entries = ImmutableArray.CreateBuilder<ZipEntry>();
        for (; count > 0; count--)
        {
            if (directory.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(directory) != HeaderMark)
            {
                return null;
            }
            int name = BinaryPrimitives.ReadUInt16LittleEndian(directory[28..]), extra = BinaryPrimitives.ReadUInt16LittleEndian(directory[30..]);
            int length = HeaderSize + name + extra + BinaryPrimitives.ReadUInt16LittleEndian(directory[32..]);
            if (length > directory.Length || EntryOf(directory, directory.Slice(HeaderSize, name), directory.Slice(HeaderSize + name, extra)) is not { } entry)
            {
                return null;
            }
            entries.Add(entry);
            directory = directory[length..];
        }
        return directory.IsEmpty ? entries.ToImmutable() : null;
    }

    private static ZipEntry? EntryOf(ReadOnlySpan<byte> header, ReadOnlySpan<byte> name, ReadOnlySpan<byte> extra)
    {
        ulong length = BinaryPrimitives.ReadUInt32LittleEndian(header[24..]), packed = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]), at = BinaryPrimitives.ReadUInt32LittleEndian(header[42..]);
        var longSizes = LongSizesOf(extra);
        if (!TryLengthen(ref length, ref longSizes) || !TryLengthen(ref packed, ref longSizes) || !TryLengthen(ref at, ref longSizes))
        {
            return null;
        }
        return new(
            Encoding.UTF8.GetString(name),
            (BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) & EncryptedFlags) != 0,
            BinaryPrimitives.ReadUInt16LittleEndian(header[10..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[16..]),
            (long)packed,
            (long)length,
            (long)at);
    }

    // What has no room in 32 bits stands in an extra field, in this order, and only that.
    private static bool TryLengthen(ref ulong value, ref ReadOnlySpan<byte> longSizes)
    {
        if (value == uint.MaxValue && longSizes.Length >= sizeof(ulong))
        {
            value = BinaryPrimitives.ReadUInt64LittleEndian(longSizes);
            longSizes = longSizes[sizeof(ulong)..];
        }
        return value <= long.MaxValue;
    }

    private static ReadOnlySpan<byte> LongSizesOf(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4)
            {
                break;
            }
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == LongSizes)
            {
                return extra.Slice(4, length);
            }
            extra = extra[(4 + length)..];
        }
        return [];
    }
}
