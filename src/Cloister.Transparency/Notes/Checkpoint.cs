using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Cloister.Transparency;

/// <summary>A log's state: what its checkpoints say (C2SP tlog-checkpoint).</summary>
public sealed class Checkpoint : IEquatable<Checkpoint>
{
    /// <exception cref="ArgumentException">The parts make no checkpoint.</exception>
    public Checkpoint(string origin, long size, TreeHash root, params ImmutableArray<string> extensions)
    {
        (Origin, Size, Root, Extensions) = (origin, size, root, extensions);
        if (size < 0 || !IsLine(origin) || !extensions.All(IsLine))
        {
            throw new ArgumentException("A checkpoint's lines are not empty, its size not negative.", nameof(origin));
        }
    }

    /// <summary>The log's identity.</summary>
    public string Origin { get; }

    /// <summary>Leaves in the tree, less than 2^63.</summary>
    public long Size { get; }

    public TreeHash Root { get; }

    /// <summary>Further lines, which no witness vouches for and nothing here reads.</summary>
    public ImmutableArray<string> Extensions { get; }

    /// <summary>Reads a note's text strictly.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        string[] lines = text.Split('\n');
        if (lines.Length < 4 || lines[^1].Length != 0 || !lines[..^1].All(IsLine) || !NoteText.TryReadNumber(lines[1], out long size) || !TreeHash.TryParse(lines[2], out var root))
        {
            return false;
        }
        checkpoint = new Checkpoint(lines[0], size, root, [.. lines[3..^1]]);
        return true;
    }

    /// <summary>The note's text, with its final newline.</summary>
    public override string ToString() =>
        string.Concat((string[])[Origin, "\n", Size.ToString(CultureInfo.InvariantCulture), "\n", $"{Root}", "\n", .. Extensions.Select(line => line + "\n")]);

    /// <summary>A note of this checkpoint, signed by the log.</summary>
    /// <param name="timestamp">For a log whose key is of a cosigner's type: seconds since 1970.</param>
    public SignedNote Sign(SignerKey log, long timestamp = 0) =>
        SignedNote.Create(ToString(), [log.Verifier.Type is NoteKeyType.Ed25519 ? log.Sign(ToString()) : log.Cosign(this, timestamp)]);

    /// <summary>The same origin, size and root: extensions are nobody's statement.</summary>
    public bool Equals(Checkpoint? other) => other is not null && Origin == other.Origin && Size == other.Size && Root == other.Root;

    public override bool Equals(object? obj) => Equals(obj as Checkpoint);

    public override int GetHashCode() => HashCode.Combine(Origin, Size, Root);

    private static bool IsLine(string line) => line.Length > 0 && !line.AsSpan().ContainsAnyInRange('\0', '\x1f');
}
