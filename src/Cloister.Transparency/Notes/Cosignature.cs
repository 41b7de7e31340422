using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>What cosigners sign (C2SP tlog-cosignature).</summary>
internal static class Cosignature
{
    private const int MaxNameSize = 255;
    private static ReadOnlySpan<byte> SubtreeLabel => "subtree/v1\n\0"u8;

    /// <summary>Ed25519 signed message: all of the checkpoint behind a header and a time.</summary>
    public static byte[] Message(string checkpoint, long timestamp) => NoteText.StrictUtf8.GetBytes($"cosignature/v1\ntime {timestamp}\n{checkpoint}");

    /// <summary>Both names fit behind a length of one byte.</summary>
    public static bool CanBeSigned(string cosigner, string origin) =>
        NoteText.StrictUtf8.GetByteCount(cosigner) <= MaxNameSize && NoteText.StrictUtf8.GetByteCount(origin) <= MaxNameSize;

    /// <summary>ML-DSA-44 signed message: the cosigner's name, the time, and the checkpoint's first three lines.</summary>
    public static byte[] Message(string cosigner, Checkpoint checkpoint, long timestamp)
    {
        byte[] name = NoteText.StrictUtf8.GetBytes(cosigner), origin = NoteText.StrictUtf8.GetBytes(checkpoint.Origin);
        var message = new byte[SubtreeLabel.Length + 1 + name.Length + 8 + 1 + origin.Length + 8 + 8 + TreeHash.Size];
        var writer = new WireWriter(message);
        writer.Bytes(SubtreeLabel);
        writer.UInt8((byte)name.Length);
        writer.Bytes(name);
        writer.UInt64BigEndian((ulong)timestamp);
        writer.UInt8((byte)origin.Length);
        writer.Bytes(origin);
        writer.UInt64BigEndian(0); // start: a checkpoint is the subtree from the first leaf on
        writer.UInt64BigEndian((ulong)checkpoint.Size);
        checkpoint.Root.CopyTo(writer.Take(TreeHash.Size));
        return message;
    }
}
