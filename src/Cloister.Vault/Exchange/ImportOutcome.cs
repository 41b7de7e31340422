using System.Collections.Immutable;

namespace Cloister.Vault.Exchange;

/// <summary>What a file was.</summary>
public enum ImportFormat : byte
{
    None = 0,
    /// <summary>docs/spec/vault.md, section 8.</summary>
    Cloister = 1,
    /// <summary>ChatGPT's <c>conversations.json</c>, or the .zip file that it comes in.</summary>
    ChatGpt = 2,
    /// <summary>Claude's <c>conversations.json</c>, or the .zip file that it comes in.</summary>
    Claude = 3,
}

/// <summary>Why an import ended early.</summary>
public enum ImportFault : byte
{
    None = 0,
    /// <summary>Neither of the formats.</summary>
    UnknownFormat = 1,
    /// <summary>A line or a conversation is not JSON, or the file ends in the middle of one.</summary>
    NotJson = 2,
    /// <summary>A line or a conversation is larger than the import takes.</summary>
    TooLong = 3,
    /// <summary>It begins as a .zip file and is none, or is cut or changed.</summary>
    ZipDamaged = 4,
    /// <summary>A .zip file of more files than an export has, or that unpacks to far more than text does. Nothing of it was unpacked.</summary>
    ZipBomb = 5,
    /// <summary>A .zip file whose conversations need a password.</summary>
    ZipEncrypted = 6,
    /// <summary>A .zip file in a .zip file: it is not opened.</summary>
    ZipNested = 7,
    /// <summary>A .zip file packed in another way than by deflating.</summary>
    ZipMethod = 8,
    /// <summary>A .zip file without <c>conversations.json</c>.</summary>
    ZipWithoutConversations = 9,
    /// <summary>A .zip file is read from its end, and this stream cannot seek.</summary>
    ZipFromPipe = 10,
}

/// <summary>Something that was not imported, or not as it was.</summary>
/// <param name="Where">The line of an export, or the number of a conversation in its file, from 1; 0 where it is about the whole.</param>
/// <param name="Sentence">For people.</param>
/// <param name="File">In a .zip file which one, by the name that it has there; else null.</param>
public sealed record ImportNote(long Where, string Sentence, string? File = null);

/// <summary>What an import did, whether it came to the end or not.</summary>
/// <param name="Format">What the file was.</param>
/// <param name="Conversations">How many conversations were read.</param>
/// <param name="Messages">How many messages were read.</param>
/// <param name="Others">How many folders, memories and settings.</param>
/// <param name="Attachments">How many attachments, whole.</param>
/// <param name="Notes">What was left out or changed: at most 1,000, <paramref name="NoteCount"/> in all.</param>
/// <param name="NoteCount">How many there were.</param>
/// <param name="Fault">Why it ended early; everything before was imported.</param>
/// <param name="FaultAt">The line or the conversation of the fault; 0 where it is about the whole.</param>
/// <param name="FaultFile">In a .zip file which one, by the name that it has there; else null.</param>
public sealed record ImportOutcome(
    ImportFormat Format, int Conversations, int Messages, int Others, int Attachments, ImmutableArray<ImportNote> Notes, int NoteCount, ImportFault Fault, long FaultAt, string? FaultFile);
