using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Why an entry does not say what is asked of it. Zero is none.</summary>
public enum EntryFault : byte { None, WrongType, WrongNamespace, NotYetValid, Expired, WrongSignature, TooFewPublishers }

/// <summary>Whose signatures make a statement: m of n keys, no two of them the same.</summary>
public sealed class PublisherKeys
{
    /// <exception cref="ArgumentException">The threshold is not 1 to the number of keys, a key is not Ed25519 (type 1), or is there twice.</exception>
    public PublisherKeys(int threshold, params ImmutableArray<VerifierKey> keys)
    {
        if (threshold < 1 || threshold > keys.Length || keys.Any(key => key.Type is not NoteKeyType.Ed25519) || keys.DistinctBy(key => Hex.Encode(key.PublicKey.AsSpan())).Count() < keys.Length)
        {
            throw new ArgumentException("Needs 1 to n of n different Ed25519 keys.", nameof(threshold));
        }
        (Threshold, Keys) = (threshold, keys);
    }

    public int Threshold { get; }

    public ImmutableArray<VerifierKey> Keys { get; }
}

/// <summary>An entry of our log: a statement in a signed note (docs/spec/transparency.md, section 4).</summary>
public sealed class LogEntry
{
    /// <summary>The text's first line: no signature under an entry is one under anything else.</summary>
    public const string Header = "cloister-entry/v1";

    private LogEntry(SignedNote note, LogStatement statement) => (Note, Statement) = (note, statement);

    /// <summary>The note: the header's line, and one line of JSON.</summary>
    public SignedNote Note { get; }

    public LogStatement Statement { get; }

    /// <summary>SHA-256 of the note's text: what recalls, rebuilds and enclaves name a release by. Signatures are no part of it.</summary>
    public ReadOnlyMemory<byte> Digest => SHA256.HashData(Note.TextBytes);

    /// <summary>The text to be signed.</summary>
    /// <exception cref="ArgumentException">The statement is not well-formed.</exception>
    public static string TextOf(LogStatement statement) => statement.IsWellFormed()
        ? $"{Header}\n{JsonSerializer.Serialize(statement, EntryJson.Default.LogStatement)}\n"
        : throw new ArgumentException("The statement is not well-formed.", nameof(statement));

    /// <summary>Signs a statement.</summary>
    /// <exception cref="ArgumentException">The statement is not well-formed, or too long for a log.</exception>
    public static LogEntry Sign(LogStatement statement, params ReadOnlySpan<SignerKey> publishers)
    {
        string text = TextOf(statement);
        var signatures = ImmutableArray.CreateBuilder<NoteSignature>();
        foreach (var publisher in publishers)
        {
            signatures.Add(publisher.Sign(text));
        }
        return TryParse(SignedNote.Create(text, signatures.ToImmutable()).ToBytes(), out var entry) ? entry : throw new ArgumentException("The entry is too long.", nameof(statement));
    }

    /// <summary>Reads what <see cref="TextOf"/> writes, as strictly as an entry: a statement that nobody has signed yet, or the text of a note that somebody did.</summary>
    public static bool TryReadText(string text, [NotNullWhen(true)] out LogStatement? statement)
    {
        statement = text.Split('\n') is [Header, var json, ""] && EntryJson.Read(json, EntryJson.Default.LogStatement) is { } read && read.IsWellFormed() ? read : null;
        return statement is not null;
    }

    /// <summary>Reads an entry strictly: no unknown, repeated or missing member, exactly one body. It verifies nothing.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out LogEntry? entry)
    {
        entry = null;
        if (bytes.Length > EntryBundle.MaxEntrySize || !SignedNote.TryParse(bytes, out var note, out _) || !TryReadText(note.Text, out var statement))
        {
            return false;
        }
        entry = new LogEntry(note, statement);
        return true;
    }

    /// <summary>The entry's exact bytes, as they are in the log.</summary>
    public byte[] ToBytes() => Note.ToBytes();

    /// <summary>Whether the entry is of this type and namespace, valid now, and signed by enough publishers.</summary>
    public EntryFault Verify(EntryType type, string @namespace, PublisherKeys publishers, DateTimeOffset now)
    {
        var fault = VerifySigned(type, @namespace, publishers);
        return fault is not EntryFault.None || Statement.IsCurrent(now) ? fault
            : Statement.HasBegun(now) ? EntryFault.Expired : EntryFault.NotYetValid;
    }

    /// <summary>The same, whenever it is valid.</summary>
    internal EntryFault VerifySigned(EntryType type, string @namespace, PublisherKeys publishers)
    {
        if (Statement.Type != type)
        {
            return EntryFault.WrongType;
        }
        if (Statement.Namespace != @namespace)
        {
            return EntryFault.WrongNamespace;
        }

        int signed = 0;
        foreach (var key in publishers.Keys)
        {
            var own = Note.Signatures.Where(key.IsNamedBy).ToList();
            if (!own.TrueForAll(signature => key.Verify(Note.Text, signature, out _)))
            {
                return EntryFault.WrongSignature;
            }
            signed += own.Count > 0 ? 1 : 0;
        }
        return signed < publishers.Threshold ? EntryFault.TooFewPublishers : EntryFault.None;
    }
}
