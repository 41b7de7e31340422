using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Log.Queue;

/// <summary>A batch as one value in a table: each entry behind its length in two bytes, as in a bundle, but as many as there are.</summary>
internal static class BatchRow
{
    public static byte[] Encode(PendingBatch batch)
    {
        var bytes = new byte[batch.Entries.Sum(entry => sizeof(ushort) + entry.Length)];
        var writer = new WireWriter(bytes);
        foreach (var entry in batch.Entries)
        {
            writer.UInt16BigEndian((ushort)entry.Length);
            writer.Bytes(entry.Span);
        }
        return bytes;
    }

    /// <exception cref="LogStoppedException">The row is not what was written.</exception>
    public static PendingBatch Decode(long first, int count, byte[] bytes)
    {
        var entries = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        var reader = new WireReader(bytes);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            entries.Add(reader.Bytes("entry", reader.UInt16BigEndian("length")).ToArray());
        }
        reader.ExpectEnd("batch");
        return reader.Failed ? throw new LogStoppedException(LogFault.QueueGap, $"The batch at {first} is damaged: {reader.Error}.") : new(first, entries.ToImmutable());
    }
}
