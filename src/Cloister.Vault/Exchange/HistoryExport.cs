using System.Globalization;
using System.Text.Json;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Vault.Exchange;

/// <summary>Writes a history as a text file that anybody can read who has it (docs/spec/vault.md, section 8): one JSON object to a line.</summary>
public sealed class HistoryExport
{
    private readonly Stream _stream;

    private HistoryExport(Stream stream) => _stream = stream;

    /// <summary>Writes the first line.</summary>
    public static async ValueTask<HistoryExport> BeginAsync(Stream stream, AccountNumber account, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var export = new HistoryExport(stream);
        await export.WriteLineAsync(writer =>
        {
            writer.WriteNumber(ExportLine.VersionMember, ExportLine.Version);
            writer.WriteString("account", account.ToString());
            writer.WriteString("time", now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        }, cancellationToken).ConfigureAwait(false);
        return export;
    }

    /// <summary>Writes an item. The lists of unlockers and devices are left out: no import takes them.</summary>
    public ValueTask WriteAsync(Identity item, ItemContent content, CancellationToken cancellationToken) =>
        content is Registers { Kind: RegisterKind.Unlockers or RegisterKind.Devices } ? default : WriteLineAsync(writer =>
        {
            writer.WriteString("id", item.ToString());
            content.Write(writer);
        }, cancellationToken);

    /// <summary>Writes an attachment in pieces, reading <paramref name="content"/> to its end.</summary>
    /// <exception cref="InvalidDataException">It is shorter or longer than the message says. Pieces of it may have been written.</exception>
    public async ValueTask WriteAsync(AttachmentReference attachment, Stream content, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[ImportedAttachment.MaxPiece];
        long offset = 0;
        do
        {
            int read = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read > attachment.Length - offset || (read < buffer.Length && offset + read < attachment.Length))
            {
                throw new InvalidDataException("An attachment is not as long as its message says.");
            }
            long at = offset;
            await WriteLineAsync(writer => Write(writer, attachment, at, buffer.AsSpan(0, read)), cancellationToken).ConfigureAwait(false);
            offset += read;
        }
        while (offset < attachment.Length);
    }

    private static void Write(Utf8JsonWriter writer, AttachmentReference attachment, long offset, ReadOnlySpan<byte> bytes)
    {
        writer.WriteString("id", attachment.Id.ToString());
        writer.WriteString("kind", ExportLine.AttachmentKind);
        writer.WriteString("name", attachment.Name);
        writer.WriteString("type", attachment.Type);
        writer.WriteNumber("length", attachment.Length);
        writer.WriteNumber("offset", offset);
        writer.WriteBase64String("bytes", bytes);
    }

    private async ValueTask WriteLineAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        byte[] line = StrictJson.Write(writer =>
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        });
        await _stream.WriteAsync(line, cancellationToken).ConfigureAwait(false);
        await _stream.WriteAsync("\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
    }
}
