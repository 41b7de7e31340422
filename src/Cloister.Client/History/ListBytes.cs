using System.Text;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Client.History;

/// <summary>The list of conversations as bytes, to be sealed for the device. It is the device's own and can be thrown away: another version is none.</summary>
internal static class ListBytes
{
    private const byte Version = 1;

    public static byte[] Write(IReadOnlyCollection<ConversationHeader> headers, IReadOnlyCollection<Registers> registers)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Version);
        writer.Write(headers.Count);
        foreach (var header in headers)
        {
            writer.Write(header.Id.ToArray());
            writer.Write(header.Title);
            Write(writer, header.Folder);
            writer.Write(header.Order?.ToString() ?? "");
            writer.Write((byte)((header.Pinned ? 1 : 0) | (header.Archived ? 2 : 0) | (header.Deleted ? 4 : 0)));
            Write(writer, header.Leaf);
            writer.Write(header.Messages);
            writer.Write(header.Newest?.ToString() ?? "");
        }
        writer.Write(registers.Count);
        foreach (var one in registers)
        {
            byte[] content = one.ToBytes();
            writer.Write(content.Length);
            writer.Write(content);
        }
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>False for another version.</summary>
    public static bool TryRead(byte[] bytes, out List<ConversationHeader> headers, out List<Registers> registers)
    {
        (headers, registers) = ([], []);
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        try
        {
            if (reader.ReadByte() != Version)
            {
                return false;
            }
            for (int left = reader.ReadInt32(); left > 0; left--)
            {
                headers.Add(ReadHeader(reader));
            }
            for (int left = reader.ReadInt32(); left > 0; left--)
            {
                if (!ItemContent.TryParse(default, reader.ReadBytes(reader.ReadInt32()), out var content, out _) || content is not Registers one)
                {
                    return false;
                }
                registers.Add(one);
            }
            return true;
        }
        catch (Exception cut) when (cut is IOException or ArgumentException or FormatException)
        {
            return false;
        }
    }

    private static ConversationHeader ReadHeader(BinaryReader reader)
    {
        var id = Identity.Read(reader.ReadBytes(Identity.Size));
        string title = reader.ReadString();
        var folder = ReadIdentity(reader);
        FractionalIndex? order = FractionalIndex.TryParse(reader.ReadString(), out var index) ? index : null;
        byte flags = reader.ReadByte();
        var leaf = ReadIdentity(reader);
        int messages = reader.ReadInt32();
        Clock? newest = Clock.TryParse(reader.ReadString(), out var clock) ? clock : null;
        return new(id, title, folder, order, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, leaf, messages, newest);
    }

    private static void Write(BinaryWriter writer, Identity? identity)
    {
        writer.Write(identity is not null);
        if (identity is { } there)
        {
            writer.Write(there.ToArray());
        }
    }

    private static Identity? ReadIdentity(BinaryReader reader) => reader.ReadBoolean() ? Identity.Read(reader.ReadBytes(Identity.Size)) : null;
}
