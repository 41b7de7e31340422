using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;
using Cloister.Wire;

namespace Cloister.Vault.History;

/// <summary>A folder of conversations.</summary>
public sealed record Folder(Identity Id, string Name, FractionalIndex? Order)
{
    public const string NameField = "name";

    /// <summary>Null where it was deleted, or these are other registers.</summary>
    public static Folder? Read(Registers registers) =>
        registers.Kind == RegisterKind.Folder && Identity.TryParse(registers.Subject, out var id) && !registers.IsTrue(ConversationHeader.DeletedField)
            ? new(id, registers.Text(NameField) ?? "", FractionalIndex.TryParse(registers.Text(ConversationHeader.OrderField), out var order) ? order : null)
            : null;
}

/// <summary>Something that the assistant is to remember in every conversation.</summary>
public sealed record Memory(Identity Id, string Text)
{
    public const string TextField = "text";

    /// <summary>Null where it was deleted, has no text, or these are other registers.</summary>
    public static Memory? Read(Registers registers) =>
        registers.Kind == RegisterKind.Memory && Identity.TryParse(registers.Subject, out var id) && !registers.IsTrue(ConversationHeader.DeletedField) && registers.Text(TextField) is { } text
            ? new(id, text)
            : null;
}

/// <summary>What holds on all devices. Everything but the instructions is the client's own, in <see cref="Registers.Fields"/>.</summary>
public static class Settings
{
    public const string InstructionsField = "instructions";

    /// <summary>What the user wants every assistant to know; empty where there is nothing.</summary>
    public static string Instructions(Registers settings) => settings.Text(InstructionsField) ?? "";
}

/// <summary>An unlocker as the vault itself knows it (docs/spec/vault.md, section 3): a new epoch is wrapped for these and no others.</summary>
/// <param name="Id">Which.</param>
/// <param name="Kind">What it is; <see cref="UnlockerKind.None"/> where this program does not know it.</param>
/// <param name="Label">As the user called it.</param>
/// <param name="PublicKey">1,216 bytes for wraps in its absence; empty where it has none.</param>
/// <param name="Added">The day, as the device that added it saw it.</param>
public sealed record UnlockerEntry(Identity Id, UnlockerKind Kind, string Label, ReadOnlyMemory<byte> PublicKey, DateOnly Added)
{
    /// <summary>Of the public key, in bytes.</summary>
    public const int PublicKeySize = UnlockerSecret.PublicKeySize;

    /// <summary>The field's name.</summary>
    public string Field => FieldOf(Id);

    /// <summary>The name of an unlocker's field: its identity in hex.</summary>
    public static string FieldOf(Identity unlocker) => Hex.Encode(unlocker.ToArray());

    /// <summary>All that were not removed, by identity. An entry that is none is left out: no key is wrapped for what is not understood.</summary>
    public static ImmutableArray<UnlockerEntry> ReadAll(Registers unlockers) => [.. unlockers.Fields.Select(field => Read(field.Key, field.Value.Value)).OfType<UnlockerEntry>()];

    /// <summary>The field's value.</summary>
    public JsonNode ToJson() => new JsonObject
    {
        ["kind"] = (int)Kind,
        ["label"] = Label,
        ["public"] = PublicKey.IsEmpty ? null : Base64.EncodeUrl(PublicKey.Span),
        ["added"] = Added.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
    };

    private static UnlockerEntry? Read(string field, JsonElement value)
    {
        if (!Hex.TryDecode(field, out byte[]? id) || id.Length != Identity.Size || value.ValueKind is not JsonValueKind.Object
            || !value.TryGetProperty("kind", out var kind) || kind.ValueKind is not JsonValueKind.Number || !kind.TryGetByte(out byte number)
            || !value.TryGetProperty("label", out var label) || label.Text() is not { } name
            || !value.TryGetProperty("public", out var key)
            || !value.TryGetProperty("added", out var added) || !DateOnly.TryParseExact(added.Text(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return null;
        }
        byte[]? bytes = [];
        if (key.ValueKind is not JsonValueKind.Null && (!Base64.TryDecodeUrl(key.Text(), out bytes) || bytes.Length != PublicKeySize))
        {
            return null;
        }
        return new(Identity.Read(id), Enum.IsDefined((UnlockerKind)number) ? (UnlockerKind)number : UnlockerKind.None, name, bytes, day);
    }
}

/// <summary>A device that has been part of the account.</summary>
public sealed record DeviceEntry(Identity Id, string Label, DateOnly Added)
{
    /// <summary>The field's name: the identity in hex.</summary>
    public string Field => Hex.Encode(Id.ToArray());

    /// <summary>All of them, by identity.</summary>
    public static ImmutableArray<DeviceEntry> ReadAll(Registers devices) => [.. devices.Fields.Select(field => Read(field.Key, field.Value.Value)).OfType<DeviceEntry>()];

    /// <summary>The field's value.</summary>
    public JsonNode ToJson() => new JsonObject { ["label"] = Label, ["added"] = Added.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) };

    private static DeviceEntry? Read(string field, JsonElement value) =>
        Hex.TryDecode(field, out byte[]? id) && id.Length == Identity.Size && value.ValueKind is JsonValueKind.Object
        && value.TryGetProperty("label", out var label) && label.Text() is { } name
        && value.TryGetProperty("added", out var added) && DateOnly.TryParseExact(added.Text(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? new(Identity.Read(id), name, day)
            : null;
}
