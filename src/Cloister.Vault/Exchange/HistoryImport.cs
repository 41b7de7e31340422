using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Exchange;

/// <summary>
/// Reads an export of Cloister, ChatGPT or Claude from a stream, whatever its length, in bounded memory: a line or a conversation at a time. Those of ChatGPT and Claude may be
/// the .zip files that they come as, which are unpacked nowhere but here, as they are read; for these the stream must seek, and they begin where it does.
/// </summary>
/// <remarks>
/// Identities are made from the file's, so importing twice changes nothing. The lists of unlockers and devices are never imported: whoever could slip an
/// unlocker into a file would be given the key with the next epoch. For the rest of it a file is believed: who imports one takes it for their own history.
/// </remarks>
public sealed class HistoryImport(Stream stream, VaultKeys keys)
{
    /// <summary>Of one conversation of another service, in bytes.</summary>
    public const int MaxConversation = 64 << 20;

    private const int MaxNotes = 1000;

    private readonly ImmutableArray<ImportNote>.Builder _notes = ImmutableArray.CreateBuilder<ImportNote>();
    private ImportFormat _format;
    private int _conversations;
    private int _messages;
    private int _others;
    private int _attachments;
    private int _noteCount;
    private (ImportFault Fault, long At) _fault;
    private (Identity Id, long Next)? _attachment;
    private string? _file; // in a .zip file, the one that is read

    /// <summary>What was read so far; final once <see cref="ReadAsync(CancellationToken)"/> has ended.</summary>
    public ImportOutcome Outcome => new(
        _format, _conversations, _messages, _others, _attachments, _notes.ToImmutable(), _noteCount, _fault.Fault, _fault.At, _fault.Fault is ImportFault.None ? null : _file);

    /// <summary>What is in the file, in order, until it ends or makes no sense any more. Once.</summary>
    public async IAsyncEnumerable<Imported> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = new Lines(stream, ExportLine.MaxSize);
        byte first = await lines.PeekAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var imported in (ZipDirectory.Begins(lines.Ahead) ? ReadZipAsync(cancellationToken) : ReadAsync(stream, lines, first, cancellationToken)).ConfigureAwait(false))
        {
            yield return imported;
        }
    }

    private async IAsyncEnumerable<Imported> ReadZipAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (entries, fault) = stream.CanSeek ? await ZipDirectory.ReadAsync(stream, cancellationToken).ConfigureAwait(false) : ([], ImportFault.ZipFromPipe);
        var export = fault is ImportFault.None ? ZipExport.Choose(entries, stream.Length, sentence => Note(0, sentence)) : new([], fault, null);
        (_fault, _file) = ((export.Fault, 0), export.FaultFile);
        foreach (var entry in export.Conversations)
        {
            _file = entry.Name;
            using var content = await entry.OpenAsync(stream, cancellationToken).ConfigureAwait(false);
            if (content is null)
            {
                _fault = (ImportFault.ZipDamaged, 0);
                yield break;
            }
            await foreach (var imported in ReadInZipAsync(content, cancellationToken).ConfigureAwait(false))
            {
                yield return imported;
            }
            if (_fault.Fault is not ImportFault.None)
            {
                yield break;
            }
        }
    }

    private async IAsyncEnumerable<Imported> ReadInZipAsync(ZipContent content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = new Lines(content, ExportLine.MaxSize);
        byte first = await lines.PeekAsync(cancellationToken).ConfigureAwait(false);
        if (first == (byte)'[')
        {
            await foreach (var imported in ReadAsync(content, lines, first, cancellationToken).ConfigureAwait(false))
            {
                yield return imported;
            }
        }
        else
        {
            _fault = (ZipDirectory.Begins(lines.Ahead) ? ImportFault.ZipNested : ImportFault.UnknownFormat, 1);
        }
        // What makes no sense may be what an accident made of it: known at the end.
        if (_fault.Fault is ImportFault.None or ImportFault.NotJson)
        {
            await content.EndAsync(cancellationToken).ConfigureAwait(false);
        }
        _fault = content.IsDamaged ? (ImportFault.ZipDamaged, _fault.At) : _fault;
    }

    private async IAsyncEnumerable<Imported> ReadAsync(Stream file, Lines lines, byte first, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var elements = new ArrayElements(file, MaxConversation);
        elements.Continue(lines);
        Pieces pieces = first == (byte)'[' ? elements : lines;
        PieceState state;
        while ((state = await pieces.NextAsync(cancellationToken).ConfigureAwait(false)) is PieceState.Piece && _fault.Fault is ImportFault.None)
        {
            IEnumerable<Imported> found = first == (byte)'[' ? ReadConversation(pieces) : ReadLine(pieces);
            foreach (var imported in found)
            {
                Count(imported);
                yield return imported;
            }
        }
        if (_fault.Fault is ImportFault.None)
        {
            _fault = state switch
            {
                PieceState.TooLong   => (ImportFault.TooLong, pieces.Number),
                PieceState.Malformed => (ImportFault.NotJson, pieces.Number),
                _                    => (_format is ImportFormat.None && first != (byte)'[' ? ImportFault.UnknownFormat : ImportFault.None, 0),
            };
        }
    }

    private List<Imported> ReadLine(Pieces pieces)
    {
        if (pieces.Current.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
        {
            return [];
        }
        bool isJson = StrictJson.TryParse(pieces.Current, out var line);
        if (_format is ImportFormat.None)
        {
            bool begins = isJson && ExportLine.IsFirst(line);
            _format = begins ? ImportFormat.Cloister : ImportFormat.None;
            _fault = begins ? _fault : (ImportFault.UnknownFormat, pieces.Number);
            return [];
        }
        if (!isJson)
        {
            _fault = (ImportFault.NotJson, pieces.Number);
            return [];
        }
        var imported = ExportLine.Read(line, keys, out string sentence);
        if (imported is ImportedAttachment piece && !Follows(piece))
        {
            (imported, sentence) = (null, "A piece of an attachment does not follow the one before.");
        }
        if (imported is null)
        {
            Note(pieces.Number, sentence);
        }
        return imported is null ? [] : [imported];
    }

    private List<ImportedItem> ReadConversation(Pieces pieces)
    {
        try
        {
            using var document = JsonDocument.Parse(pieces.Current, LenientJson.Options);
            var root = document.RootElement;
            var format = ChatGptExport.Is(root) ? ImportFormat.ChatGpt : ClaudeExport.Is(root) ? ImportFormat.Claude : ImportFormat.None;
            _format = _format is ImportFormat.None ? format : _format;
            if (format is ImportFormat.None)
            {
                _fault = _format is ImportFormat.None ? (ImportFault.UnknownFormat, pieces.Number) : _fault;
                Note(pieces.Number, "It is no conversation.");
                return [];
            }
            var conversation = format is ImportFormat.ChatGpt ? ChatGptExport.Read(root, Tell) : ClaudeExport.Read(root, Tell);
            return conversation?.ToItems(keys, Tell) ?? [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            Note(pieces.Number, "A conversation could not be read.");
            return [];
        }

        void Tell(string sentence) => Note(pieces.Number, sentence);
    }

    // Pieces of an attachment come in order and without a gap.
    private bool Follows(ImportedAttachment piece)
    {
        bool follows = piece.Offset == 0 || (_attachment is { } open && open.Id == piece.Id && open.Next == piece.Offset);
        _attachment = follows ? (piece.Id, piece.Offset + piece.Bytes.Length) : null;
        return follows;
    }

    private void Count(Imported imported)
    {
        switch (imported)
        {
            case ImportedItem { Content: Message }:
                _messages++;
                break;
            case ImportedItem { Content.Kind: RegisterKind.Conversation }:
                _conversations++;
                break;
            case ImportedItem:
                _others++;
                break;
            case ImportedAttachment piece:
                _attachments += piece.Offset + piece.Bytes.Length == piece.Length ? 1 : 0;
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private void Note(long where, string sentence)
    {
        _noteCount++;
        if (_notes.Count < MaxNotes)
        {
            _notes.Add(new(where, sentence, _file));
        }
    }
}
