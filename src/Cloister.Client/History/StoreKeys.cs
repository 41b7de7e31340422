using System.Buffers.Binary;
using Cloister.Ledger;

namespace Cloister.Client.History;

/// <summary>Under which keys what stands in a device's store (docs/spec/vault.md, section 9). Stored: what is written here is read by later programs.</summary>
internal static class StoreKeys
{
    /// <summary>Of this layout. Another number is another program's.</summary>
    public const byte FormatNumber = 1;

    // Meta
    public static readonly byte[] Format = "format"u8.ToArray();
    public static readonly byte[] Account = "account"u8.ToArray();
    public static readonly byte[] Turn = "turn"u8.ToArray();
    public static readonly byte[] Epoch = "epoch"u8.ToArray();
    public static readonly byte[] Accepted = "accepted"u8.ToArray();
    public static readonly byte[] Sent = "sent"u8.ToArray();
    public static readonly byte[] Promoting = "promoting"u8.ToArray();
    public static readonly byte[] Fault = "fault"u8.ToArray();

    // Index
    public static readonly byte[] List = "list"u8.ToArray();
    public static readonly byte[] Directory = "words"u8.ToArray();
    public static readonly byte[] JournalBegin = "journal"u8.ToArray();

    public static byte[] Item(Identity place, Identity item) => [.. place.ToArray(), .. item.ToArray()];

    /// <summary>Where the items of a place, or the rows of a stage, end and those of the next begin; empty after the last.</summary>
    public static byte[] After(Identity place)
    {
        byte[] bytes = place.ToArray();
        for (int at = bytes.Length - 1; at >= 0; at--)
        {
            if (bytes[at] < 0xff)
            {
                bytes[at]++;
                return bytes;
            }
            bytes[at] = 0;
        }
        return [];
    }

    public static byte[] Subtree(int prefix) => [0, (byte)(prefix >> 8), (byte)(prefix & 0xff)];

    /// <summary>To which place an item belongs that lives.</summary>
    public static byte[] Place(Identity item) => [1, .. item.ToArray()];

    /// <summary>A part of the roots of all subtrees.</summary>
    public static byte[] TreePart(int part) => [2, (byte)part];

    /// <summary>A fetch of several pages that has begun. What it fetched comes after it, and before those that began later.</summary>
    public static byte[] Stage(Identity stage) => stage.ToArray();

    public static byte[] Staged(Identity stage, Identity item) => [.. stage.ToArray(), .. item.ToArray()];

    /// <summary>What was changed here and is in no batch.</summary>
    public static byte[] Unsent(Identity item) => [1, .. item.ToArray()];

    /// <summary>What is in the batch that was sent and not answered.</summary>
    public static byte[] InFlight(Identity item) => [2, .. item.ToArray()];

    /// <summary>What of the view changed in a turn.</summary>
    public static byte[] Journal(ulong turn) => [0, .. Number(turn)];

    /// <summary>A bucket of the index of words.</summary>
    public static byte[] Words(string bucket) => [1, .. System.Text.Encoding.ASCII.GetBytes(bucket)];

    /// <summary>The key after this one.</summary>
    public static byte[] Next(byte[] key) => [.. key, 0];

    public static byte[] Number(ulong number)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }
}
