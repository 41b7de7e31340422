using System.Text.Json;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Keys;
using Cloister.Wire;

namespace Cloister.Vault.Exchange;

/// <summary>A line of Cloister's own export (docs/spec/vault.md, section 8).</summary>
internal static class ExportLine
{
    public const string VersionMember = "cloister_export";
    public const int Version = 1;
    public const string AttachmentKind = "attachment";

    /// <summary>An item, with everything that is written in it escaped in the longest way, or a piece of an attachment.</summary>
    public const int MaxSize = 7 << 20;

    public static bool IsFirst(JsonElement line) => line.Member(VersionMember) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int version) && version == Version;

    /// <summary>Null, and why, for what is not imported.</summary>
    public static Imported? Read(JsonElement line, VaultKeys keys, out string sentence)
    {
        sentence = "It does not say which item it is.";
        if (!Identity.TryParse(line.TextMember("id"), out var id))
        {
            return null;
        }
        if (line.TextMember("kind") is AttachmentKind)
        {
            sentence = "It is no piece of an attachment.";
            return ReadAttachment(line, id);
        }
        if (!ItemContent.TryParse(id, line, out var content, out var fault))
        {
            sentence = $"It is no item: {fault}.";
            return null;
        }
        if (content is Registers { Kind: RegisterKind.Unlockers or RegisterKind.Devices })
        {
            sentence = "The lists of unlockers and devices are never imported.";
            return null;
        }
        if (content.ToBytes().Length is var length && length > (content is Registers ? Registers.MaxAlone : ItemContent.MaxWritten))
        {
            sentence = $"With {length} bytes it is longer than an item may be.";
            return null;
        }
        return new ImportedItem(content is Registers registers ? registers.Name(keys) : id, content);
    }

    private static ImportedAttachment? ReadAttachment(JsonElement line, Identity id) =>
        line.TextMember("name") is { } name && line.TextMember("type") is { } type
        && Number(line, "length") is { } length && Number(line, "offset") is { } offset
        && Base64.TryDecode(line.TextMember("bytes"), out byte[]? bytes) && bytes.Length <= ImportedAttachment.MaxPiece && offset <= length && bytes.Length <= length - offset
            ? new(id, name, type, length, offset, bytes)
            : null;

    private static long? Number(JsonElement line, string name) =>
        line.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out long value) && value >= 0 ? value : null;
}
