using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Entries of a tiled log, one after the other, each behind its length in two bytes, big-endian (tlog-tiles, Log entries).</summary>
public static class EntryBundle
{
    /// <summary>The longest entry, in bytes: what a length of two bytes can say.</summary>
    public const int MaxEntrySize = ushort.MaxValue;

    /// <exception cref="ArgumentException">There are none or more than 256 entries, or one is too long.</exception>
    public static byte[] Encode(IReadOnlyCollection<ReadOnlyMemory<byte>> entries)
    {
        if (entries.Count is 0 or > TilePath.FullWidth || entries.Any(entry => entry.Length > MaxEntrySize))
        {
            throw new ArgumentException($"A bundle has 1 to {TilePath.FullWidth} entries of at most {MaxEntrySize} bytes.", nameof(entries));
        }

        var bytes = new byte[entries.Sum(entry => sizeof(ushort) + entry.Length)];
        var writer = new WireWriter(bytes);
        foreach (var entry in entries)
        {
            writer.UInt16BigEndian((ushort)entry.Length);
            writer.Bytes(entry.Span);
        }
        return bytes;
    }

    /// <summary>Reads a bundle of exactly <paramref name="width"/> entries. Whether they are the log's, their hashes in a proof say.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, int width, out ImmutableArray<byte[]> entries, out WireError error)
    {
        var reader = new WireReader(bytes);
        var read = ImmutableArray.CreateBuilder<byte[]>();
        while (!reader.Failed && read.Count < width)
        {
            ushort length = reader.UInt16BigEndian("length");
            read.Add(reader.Bytes("entry", length).ToArray());
        }
        reader.ExpectEnd("bundle");
        error = reader.Error;
        entries = reader.Failed ? [] : read.ToImmutable();
        return !reader.Failed;
    }
}
