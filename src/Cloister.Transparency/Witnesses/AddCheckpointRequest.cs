using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Cloister.Transparency;

/// <summary>What a log asks of a witness: to cosign a checkpoint that goes on from the last one (C2SP tlog-witness, add-checkpoint).</summary>
/// <param name="OldSize">The size of the last checkpoint that the witness cosigned, as far as the log knows.</param>
/// <param name="Path">The consistency proof from it.</param>
/// <param name="Checkpoint">Signed by the log.</param>
public sealed record AddCheckpointRequest(long OldSize, ImmutableArray<TreeHash> Path, SignedNote Checkpoint)
{
    /// <summary>The longest request, in bytes.</summary>
    public const int MaxSize = SignedNote.MaxSize + 4096;

    private const string OldStart = "old ";

    /// <summary>Reads a request's body strictly. It verifies nothing.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AddCheckpointRequest? request)
    {
        request = null;
        int end = bytes.IndexOf("\n\n"u8);
        if (bytes.Length > MaxSize || end < 0 || !SignedNote.TryParse(bytes[(end + 2)..], out var note, out _) || !Transparency.Checkpoint.TryParse(note.Text, out _)
            || !NoteText.TryDecode(bytes[..end], out string head))
        {
            return false;
        }

        var lines = head.Split('\n').AsSpan();
        if (!lines[0].StartsWith(OldStart, StringComparison.Ordinal) || !NoteText.TryReadNumber(lines[0].AsSpan(OldStart.Length), out long oldSize)
            || lines.Length - 1 > ConsistencyProof.MaxLength || !LogProof.TryReadPath(lines[1..], out var path))
        {
            return false;
        }
        request = new(oldSize, path, note);
        return true;
    }

    /// <summary>The body's bytes: what parses serialises back to the same.</summary>
    public byte[] ToBytes() => NoteText.StrictUtf8.GetBytes(
        string.Concat((string[])[OldStart, OldSize.ToString(CultureInfo.InvariantCulture), "\n", .. Path.Select(hash => $"{hash}\n"), "\n", $"{Checkpoint}"]));

    /// <summary>Reads a witness's answer to an accepted request: signature lines and nothing else. The caller verifies those of keys it knows.</summary>
    public static bool TryParseAnswer(ReadOnlySpan<byte> bytes, out ImmutableArray<NoteSignature> cosignatures)
    {
        cosignatures = [];
        return bytes.Length <= SignedNote.MaxSize && NoteText.TryDecode(bytes, out string text) && SignedNote.ReadSignatures(text, out cosignatures) is NoteFault.None;
    }

    /// <summary>Reads a witness's answer to a conflict: the size of the last checkpoint it cosigned, and a newline.</summary>
    public static bool TryParseConflict(ReadOnlySpan<byte> bytes, out long size)
    {
        size = 0;
        return bytes.Length is > 1 and <= 20 && bytes[^1] == '\n' && NoteText.TryDecode(bytes[..^1], out string text) && NoteText.TryReadNumber(text, out size);
    }
}
