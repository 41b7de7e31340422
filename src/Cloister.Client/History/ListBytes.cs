using System.Buffers.Binary;
using System.Collections;
using System.Text;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Wire;

namespace Cloister.Client.History;

/// <summary>
/// The list of conversations as bytes, to be sealed for the device: <c>03 ‖ shown ‖ hidden ‖ count(u32) ‖ registers</c>. The first two are <c>count(u32) ‖ where each header ends(u32) ‖ headers</c>,
/// numbers little-endian, texts and registers behind their length (u32), a header as <c>identity ‖ parts(u8) ‖ messages(u32) ‖ title ‖ folder, leaf, clock and order where the parts say so</c>.
/// It is the device's own and can be thrown away: another version is none.
/// </summary>
internal static class ListBytes
{
    private const byte Version = 3;

    [Flags]
    private enum Parts : byte { None = 0, Pinned = 1, Archived = 2, Deleted = 4, Folder = 8, Leaf = 16, Newest = 32, Order = 64 }

    /// <summary>The headers stay in their order.</summary>
    public static byte[] Write(IReadOnlyCollection<ConversationHeader> shown, IReadOnlyCollection<ConversationHeader> hidden, IReadOnlyCollection<Registers> registers)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Version);
        Write(writer, shown);
        Write(writer, hidden);
        writer.Write(registers.Count);
        foreach (var one in registers)
        {
            Write(writer, one.ToBytes());
        }
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>False for another version. A header is read when it is looked at, so that a long list can be shown at once.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, out IReadOnlyList<ConversationHeader> shown, out IReadOnlyList<ConversationHeader> hidden, out List<Registers> registers)
    {
        registers = [];
        var reader = new WireReader(bytes.Span);
        reader.Expect("version", [Version]);
        shown = ReadHeaders(ref reader, bytes);
        hidden = ReadHeaders(ref reader, bytes);
        for (uint left = reader.UInt32LittleEndian("registers"); left > 0 && !reader.Failed; left--)
        {
            if (!ItemContent.TryParse(default, ReadBytes(ref reader).ToArray(), out var content, out _) || content is not Registers one)
            {
                return false;
            }
            registers.Add(one);
        }
        reader.ExpectEnd("list");
        return !reader.Failed;
    }

    private static void Write(BinaryWriter writer, IReadOnlyCollection<ConversationHeader> headers)
    {
        using var stream = new MemoryStream();
        using var inner = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(headers.Count);
        foreach (var header in headers)
        {
            Write(inner, header);
            inner.Flush();
            writer.Write((int)stream.Length);
        }
        writer.Write(stream.ToArray());
    }

    private static void Write(BinaryWriter writer, ConversationHeader header)
    {
        writer.Write(header.Id.ToArray());
        writer.Write((byte)PartsOf(header));
        writer.Write(header.Messages);
        Write(writer, Encoding.UTF8.GetBytes(header.Title));
        writer.Write(header.Folder?.ToArray() ?? []);
        writer.Write(header.Leaf?.ToArray() ?? []);
        if (header.Newest is { } newest)
        {
            byte[] clock = new byte[Clock.Size];
            newest.Write(clock);
            writer.Write(clock);
        }
        if (header.Order is { } order)
        {
            Write(writer, Encoding.ASCII.GetBytes($"{order}"));
        }
    }

    private static Parts PartsOf(ConversationHeader header) =>
        (header.Pinned ? Parts.Pinned : 0) | (header.Archived ? Parts.Archived : 0) | (header.Deleted ? Parts.Deleted : 0)
        | (header.Folder is null ? 0 : Parts.Folder) | (header.Leaf is null ? 0 : Parts.Leaf) | (header.Newest is null ? 0 : Parts.Newest) | (header.Order is null ? 0 : Parts.Order);

    private static HeadersInBytes ReadHeaders(ref WireReader reader, ReadOnlyMemory<byte> bytes)
    {
        uint count = reader.UInt32LittleEndian("conversations");
        var ends = reader.Bytes("ends", (int)Math.Min(count * (long)sizeof(uint), int.MaxValue));
        int begin = reader.Offset;
        var headers = reader.Bytes("headers", ends.IsEmpty ? 0 : (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(ends[^sizeof(uint)..]), int.MaxValue));
        return new(bytes.Slice(begin - ends.Length, ends.Length), bytes.Slice(begin, headers.Length));
    }

    private static ConversationHeader ReadHeader(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var id = ReadIdentity(ref reader);
        var parts = (Parts)reader.UInt8("parts");
        int messages = (int)reader.UInt32LittleEndian("messages");
        string title = Encoding.UTF8.GetString(ReadBytes(ref reader));
        Identity? folder = Has(Parts.Folder) ? ReadIdentity(ref reader) : null;
        Identity? leaf = Has(Parts.Leaf) ? ReadIdentity(ref reader) : null;
        Clock? newest = Has(Parts.Newest) && Clock.TryRead(reader.Bytes("clock", Clock.Size), out var clock) ? clock : null;
        FractionalIndex? order = Has(Parts.Order) && FractionalIndex.TryParse(Encoding.ASCII.GetString(ReadBytes(ref reader)), out var index) ? index : null;
        return new(id, title, folder, order, Has(Parts.Pinned), Has(Parts.Archived), Has(Parts.Deleted), leaf, messages, newest);

        bool Has(Parts part) => (parts & part) != 0;
    }

    private static void Write(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    private static ReadOnlySpan<byte> ReadBytes(ref WireReader reader) => reader.Bytes("content", (int)Math.Min(reader.UInt32LittleEndian("length"), int.MaxValue));

    private static Identity ReadIdentity(ref WireReader reader) => reader.Bytes("identity", Identity.Size) is { IsEmpty: false } bytes ? Identity.Read(bytes) : default;

    private sealed class HeadersInBytes(ReadOnlyMemory<byte> ends, ReadOnlyMemory<byte> headers) : IReadOnlyList<ConversationHeader>
    {
        private readonly ConversationHeader?[] _read = new ConversationHeader?[ends.Length / sizeof(uint)];

        public int Count => _read.Length;

        public ConversationHeader this[int index] => _read[index] ??= ReadHeader(headers.Span[(index == 0 ? 0 : End(index - 1))..End(index)]);

        public IEnumerator<ConversationHeader> GetEnumerator()
        {
            for (int i = 0; i < Count; i++)
            {
                yield return this[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private int End(int index) => BinaryPrimitives.ReadInt32LittleEndian(ends.Span[(index * sizeof(uint))..]);
    }
}
