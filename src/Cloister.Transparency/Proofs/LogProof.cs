using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Why a proof does not hold. Zero is none.</summary>
public enum LogProofFault : byte { None, MalformedCheckpoint, UnknownLog, WrongSignature, TooFewWitnesses, TooOld, NotIncluded }

/// <summary>What became of a proof.</summary>
/// <param name="Fault">Zero is none.</param>
/// <param name="Checkpoint">The checkpoint where a known log signed it.</param>
/// <param name="Cosignatures">The known witnesses that signed it, each with its latest time.</param>
public sealed record LogProofResult(LogProofFault Fault, Checkpoint? Checkpoint, ImmutableArray<WitnessedAt> Cosignatures);

/// <summary>That an entry is in a log, and who saw the log then: all that is needed to verify it offline (C2SP tlog-proof).</summary>
public sealed class LogProof
{
    /// <summary>The longest proof, in bytes.</summary>
    public const int MaxSize = SignedNote.MaxSize + 256 * 1024;

    private const string Header = "c2sp.org/tlog-proof@v1";
    private const string ExtraStart = "extra ";
    private const string IndexStart = "index ";

    /// <exception cref="ArgumentException">The index is negative or the path too long.</exception>
    public LogProof(long index, ImmutableArray<TreeHash> path, SignedNote checkpoint, ReadOnlyMemory<byte>? extra = null)
    {
        if (index < 0 || path.Length > InclusionProof.MaxLength)
        {
            throw new ArgumentException("The index is not negative and the path has at most 63 hashes.", nameof(index));
        }
        (Index, Path, Checkpoint, Extra) = (index, path, checkpoint, extra);
    }

    /// <summary>The entry's place in the log.</summary>
    public long Index { get; }

    /// <summary>From the leaf's sibling up.</summary>
    public ImmutableArray<TreeHash> Path { get; }

    /// <summary>The log's checkpoint with all signatures, not verified.</summary>
    public SignedNote Checkpoint { get; }

    /// <summary>What somebody put beside the proof; nothing vouches for it. Null where there is none.</summary>
    public ReadOnlyMemory<byte>? Extra { get; }

    /// <summary>Reads a proof strictly. It verifies nothing.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out LogProof? proof)
    {
        proof = null;
        int end = bytes.IndexOf("\n\n"u8);
        if (bytes.Length > MaxSize || end < 0 || !SignedNote.TryParse(bytes[(end + 2)..], out var note, out _) || !Transparency.Checkpoint.TryParse(note.Text, out _)
            || !NoteText.TryDecode(bytes[..end], out string head))
        {
            return false;
        }

        var lines = head.Split('\n').AsSpan();
        byte[]? extra = null;
        bool hasExtra = lines.Length > 1 && lines[1].StartsWith(ExtraStart, StringComparison.Ordinal);
        int at = hasExtra ? 2 : 1;
        if (lines[0] != Header || (hasExtra && !Base64.TryDecode(lines[1].AsSpan(ExtraStart.Length), out extra)) || lines.Length <= at || lines.Length - at - 1 > InclusionProof.MaxLength
            || !lines[at].StartsWith(IndexStart, StringComparison.Ordinal) || !NoteText.TryReadNumber(lines[at].AsSpan(IndexStart.Length), out long index)
            || !TryReadPath(lines[(at + 1)..], out var path))
        {
            return false;
        }
        proof = new LogProof(index, path, note, hasExtra ? extra : (ReadOnlyMemory<byte>?)null);
        return true;
    }

    /// <summary>The proof's bytes: what parses serialises back to the same.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder(Header).Append('\n');
        if (Extra is { } extra)
        {
            text.Append(ExtraStart).Append(Base64.Encode(extra.Span)).Append('\n');
        }
        text.Append(IndexStart).Append(Index.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Path)
        {
            text.Append(hash).Append('\n');
        }
        return NoteText.StrictUtf8.GetBytes(text.Append('\n').Append(Checkpoint).ToString());
    }

    /// <summary>Whether the entry is in a log that the policy accepts, seen by the witnesses that it asks for.</summary>
    /// <param name="entry">The entry's exact bytes.</param>
    /// <param name="maximumAge">How old the cosignatures may be; null where it does not matter.</param>
    public LogProofResult Verify(ReadOnlySpan<byte> entry, LogPolicy policy, DateTimeOffset now, TimeSpan? maximumAge)
    {
        var verification = CheckpointVerification.Verify(Checkpoint, policy, now, maximumAge);
        var fault = verification.Fault switch
        {
            CheckpointFault.None => verification.Checkpoint is { } checkpoint && InclusionProof.Verify(TreeHash.OfLeaf(entry), Index, checkpoint.Size, Path.AsSpan(), checkpoint.Root)
                ? LogProofFault.None : LogProofFault.NotIncluded,
            CheckpointFault.Malformed => LogProofFault.MalformedCheckpoint,
            CheckpointFault.UnknownLog => LogProofFault.UnknownLog,
            CheckpointFault.WrongSignature => LogProofFault.WrongSignature,
            CheckpointFault.TooFewWitnesses => LogProofFault.TooFewWitnesses,
            CheckpointFault.TooOld => LogProofFault.TooOld,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return new(fault, verification.Checkpoint, verification.Cosignatures);
    }

    internal static bool TryReadPath(ReadOnlySpan<string> lines, out ImmutableArray<TreeHash> path)
    {
        var hashes = ImmutableArray.CreateBuilder<TreeHash>(lines.Length);
        path = [];
        foreach (string line in lines)
        {
            if (!TreeHash.TryParse(line, out var hash))
            {
                return false;
            }
            hashes.Add(hash);
        }
        path = hashes.ToImmutable();
        return true;
    }
}
