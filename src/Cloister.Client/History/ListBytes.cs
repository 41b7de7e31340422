using System.Text;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Wire;

namespace Cloister.Client.History;

/// <summary>
/// The list of conversations as bytes, to be sealed for the device: <c>02 ‖ count(u32) ‖ headers ‖ count(u32) ‖ registers</c>, numbers little-endian, texts and registers behind their length (u32), a header as
/// <c>identity ‖ parts(u8) ‖ messages(u32) ‖ title ‖ folder, leaf, clock and order where the parts say so</c>. It is the device's own and can be thrown away: another version is none.
/// </summary>
internal static class ListBytes
{
    private const byte Version = 2;

    [Flags]
    private enum Parts : byte { None = 0, Pinned = 1, Archived = 2, Deleted = 4, Folder = 8, Leaf = 16, Newest = 32, Order = 64 }

    /// <summary>The headers stay in their order.</summary>
    public static byte[] Write(IReadOnlyCollection<ConversationHeader> headers, IReadOnlyCollection<Registers> registers)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Version);
        writer.Write(headers.Count);
        foreach (var header in headers)
        {
            Write(writer, header);
        }
        writer.Write(registers.Count);
        foreach (var one in registers)
        {
            Write(writer, one.ToBytes());
        }
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>False for another version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out List<ConversationHeader> headers, out List<Registers> registers)
    {
        (headers, registers) = ([], []);
        var reader = new WireReader(bytes);
        reader.Expect("version", [Version]);
        for (uint left = reader.UInt32LittleEndian("conversations"); left > 0 && !reader.Failed; left--)
        {
            headers.Add(ReadHeader(ref reader));
        }
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

    private static ConversationHeader ReadHeader(ref WireReader reader)
    {
        var id = ReadIdentity(ref reader);
        var parts = (Parts)reader.UInt8("parts");
        int messages = (int)reader.UInt32LittleEndian("messages");
        string title = Encoding.UTF8.GetString(ReadBytes(ref reader));
        Identity? folder = parts.HasFlag(Parts.Folder) ? ReadIdentity(ref reader) : null;
        Identity? leaf = parts.HasFlag(Parts.Leaf) ? ReadIdentity(ref reader) : null;
        Clock? newest = parts.HasFlag(Parts.Newest) && Clock.TryRead(reader.Bytes("clock", Clock.Size), out var clock) ? clock : null;
        FractionalIndex? order = parts.HasFlag(Parts.Order) && FractionalIndex.TryParse(Encoding.ASCII.GetString(ReadBytes(ref reader)), out var index) ? index : null;
        return new(id, title, folder, order, parts.HasFlag(Parts.Pinned), parts.HasFlag(Parts.Archived), parts.HasFlag(Parts.Deleted), leaf, messages, newest);
    }

    private static void Write(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    private static ReadOnlySpan<byte> ReadBytes(ref WireReader reader) => reader.Bytes("content", (int)Math.Min(reader.UInt32LittleEndian("length"), int.MaxValue));

    private static Identity ReadIdentity(ref WireReader reader) => reader.Bytes("identity", Identity.Size) is { IsEmpty: false } bytes ? Identity.Read(bytes) : default;
}
