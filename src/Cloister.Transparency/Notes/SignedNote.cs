using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Why bytes are no note, or a note is not trusted. Zero is none.</summary>
public enum NoteFault : byte { None, TooLong, NotText, ControlCharacter, NoSignatures, TooManySignatures, MalformedSignature, WrongSignature, NoKnownSignature }

/// <summary>One line under a note: who is said to have signed it, and the signature.</summary>
/// <param name="KeyName">The key's name; not empty, without spaces and plus.</param>
/// <param name="KeyId">The first four bytes of a hash of name, type and key, as a big-endian number.</param>
/// <param name="Signature">What stands behind the key's id, in the form of the key's type.</param>
public sealed record NoteSignature(string KeyName, uint KeyId, ImmutableArray<byte> Signature)
{
    private const string Start = "— ";

    /// <summary>The line, with its newline.</summary>
    public override string ToString()
    {
        var bytes = new byte[4 + Signature.Length];
        var writer = new WireWriter(bytes);
        writer.UInt32BigEndian(KeyId);
        writer.Bytes(Signature.AsSpan());
        return $"{Start}{KeyName} {Base64.Encode(bytes)}\n";
    }

    /// <summary>Reads what <see cref="ToString"/> writes, without the newline.</summary>
    internal static bool TryParse(ReadOnlySpan<char> line, [NotNullWhen(true)] out NoteSignature? signature)
    {
        signature = null;
        if (!line.StartsWith(Start, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = line[Start.Length..];
        int space = Math.Max(rest.IndexOf(' '), 0);
        string name = rest[..space].ToString();
        if (!NoteText.IsKeyName(name) || !Base64.TryDecode(rest[Math.Min(space + 1, rest.Length)..], out var bytes) || bytes.Length <= 4)
        {
            return false;
        }
        var reader = new WireReader(bytes);
        signature = new(name, reader.UInt32BigEndian("key ID"), [.. reader.Rest("signature")]);
        return true;
    }
}

/// <summary>Text and who is said to have signed it (C2SP signed-note). The text means nothing before a signature is verified.</summary>
public sealed class SignedNote
{
    /// <summary>The longest note, in bytes: room for as many signatures as are allowed, whatever their kind.</summary>
    public const int MaxSize = 512 * 1024;

    /// <summary>The most signatures that are read. The specification asks for 16 at least.</summary>
    public const int MaxSignatures = 64;

    private SignedNote(string text, ImmutableArray<NoteSignature> signatures) => (Text, Signatures) = (text, signatures);

    /// <summary>The text, with its final newline.</summary>
    public string Text { get; }

    /// <summary>The text's exact bytes: what is signed.</summary>
    public byte[] TextBytes => NoteText.StrictUtf8.GetBytes(Text);

    public ImmutableArray<NoteSignature> Signatures { get; }

    /// <summary>Puts a note together.</summary>
    /// <param name="text">Ends in a newline and has no other control characters.</param>
    /// <param name="signatures">At least one.</param>
    /// <exception cref="ArgumentException">The parts make no note.</exception>
    public static SignedNote Create(string text, ImmutableArray<NoteSignature> signatures)
    {
        var note = new SignedNote(text, signatures);
        return TryParse(note.ToBytes(), out var read, out var fault) && read.Text == text ? read : throw new ArgumentException($"That is no note: {fault}.", nameof(text));
    }

    /// <summary>Reads a note strictly. It verifies nothing.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedNote? note, out NoteFault fault)
    {
        note = null;
        string all = "";
        fault = bytes.Length > MaxSize ? NoteFault.TooLong : !NoteText.TryDecode(bytes, out all) ? NoteFault.NotText
            : NoteText.HasControlCharacter(all) ? NoteFault.ControlCharacter : NoteFault.None;
        if (fault is not NoteFault.None)
        {
            return false;
        }

        // The last empty line parts text and signatures: the text may have empty lines of its own.
        int end = all.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0 || !all.EndsWith('\n') || end + 2 == all.Length)
        {
            fault = NoteFault.NoSignatures;
            return false;
        }

        fault = ReadSignatures(all.AsSpan(end + 2), out var signatures);
        note = fault is NoteFault.None ? new(all[..(end + 1)], signatures) : null;
        return note is not null;
    }

    /// <summary>The note's bytes: what parses serialises back to the same.</summary>
    public byte[] ToBytes() => NoteText.StrictUtf8.GetBytes(ToString());

    public override string ToString() => new StringBuilder(Text).Append('\n').AppendJoin("", Signatures).ToString();

    /// <summary>The same note with more signatures under it, such as a witness's answer.</summary>
    /// <exception cref="ArgumentException">They are too many.</exception>
    public SignedNote With(params ImmutableArray<NoteSignature> more) => Create(Text, [.. Signatures, .. more]);

    /// <summary>Reads signature lines, each with its newline: a note's, or what a witness answers (tlog-witness, add-checkpoint).</summary>
    internal static NoteFault ReadSignatures(ReadOnlySpan<char> lines, out ImmutableArray<NoteSignature> signatures)
    {
        var read = ImmutableArray.CreateBuilder<NoteSignature>();
        signatures = [];
        while (!lines.IsEmpty)
        {
            int newline = lines.IndexOf('\n');
            if (read.Count == MaxSignatures)
            {
                return NoteFault.TooManySignatures;
            }
            if (newline < 0 || !NoteSignature.TryParse(lines[..newline], out var signature))
            {
                return NoteFault.MalformedSignature;
            }
            read.Add(signature);
            lines = lines[(newline + 1)..];
        }
        signatures = read.ToImmutable();
        return read.Count == 0 ? NoteFault.NoSignatures : NoteFault.None;
    }
}
