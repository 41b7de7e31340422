using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.Keys;

namespace Cloister.Vault.History;

/// <summary>The kinds of registers that this program knows (docs/spec/vault.md, section 6). Others are kept and merged alike.</summary>
public static class RegisterKind
{
    public const string Conversation = "conversation";
    public const string Folder = "folder";
    public const string Memory = "memory";
    public const string Settings = "settings";
    public const string Unlockers = "unlockers";
    public const string Devices = "devices";
}

/// <summary>Named values that devices change independently: of each field the later clock wins.</summary>
public sealed partial class Registers(string kind, string subject) : ItemContent
{
    /// <summary>Of registers as a device writes or imports them, in bytes: two that grew apart have room in one item when they merge.</summary>
    public const int MaxAlone = 400 << 10;

    public override string Kind { get; } = kind;

    /// <summary>What it is about: an identity as text, or empty.</summary>
    public string Subject { get; } = subject;

    public ImmutableSortedDictionary<string, RegisterField> Fields { get; init; } = NoFields;

    private static ImmutableSortedDictionary<string, RegisterField> NoFields { get; } = ImmutableSortedDictionary.Create<string, RegisterField>(StringComparer.Ordinal);

    /// <summary>The item that these registers are, in the vault of <paramref name="keys"/>.</summary>
    public Identity Name(VaultKeys keys) => keys.Name(Kind, Subject);

    /// <summary>The value of a field; null where there is none, or it is JSON's null.</summary>
    public JsonElement? this[string field] => Fields.TryGetValue(field, out var found) && found.Value.ValueKind is not JsonValueKind.Null ? found.Value : null;

    /// <summary>The text of a field; null where it is none.</summary>
    public string? Text(string field) => this[field]?.Text();

    /// <summary>Whether a field is JSON's true.</summary>
    public bool IsTrue(string field) => this[field]?.ValueKind is JsonValueKind.True;

    /// <summary>The identity that a field names; null where it is none.</summary>
    public Identity? Identity(string field) => Ledger.Identity.TryParse(Text(field), out var identity) ? identity : null;

    /// <summary>With a field changed by <paramref name="device"/> at <paramref name="now"/>: later than what it was.</summary>
    public Registers With(string field, JsonNode? value, DateTimeOffset now, Identity device)
    {
        Clock? previous = Fields.TryGetValue(field, out var found) ? found.Clock : null;
        return With(Fields.SetItem(field, new(Element(value), Clock.After(now, previous, device))));
    }

    /// <summary>These and the other's, of the same kind and subject. Commutative, associative, idempotent.</summary>
    /// <exception cref="ArgumentException">They are about something else.</exception>
    public Registers Merge(Registers other)
    {
        if (other.Kind != Kind || other.Subject != Subject)
        {
            throw new ArgumentException("Registers of another kind or subject do not merge.", nameof(other));
        }
        var fields = Fields.ToBuilder();
        foreach (var (name, theirs) in other.Fields)
        {
            fields[name] = fields.TryGetValue(name, out var ours) ? RegisterField.Later(ours, theirs) : theirs;
        }
        var unknown = Unknown.ToBuilder();
        foreach (var (name, theirs) in other.Unknown)
        {
            unknown[name] = unknown.TryGetValue(name, out var ours) && Compare(ours, theirs) >= 0 ? ours : theirs;
        }
        return new(Kind, Subject) { Fields = fields.ToImmutable(), Unknown = unknown.ToImmutable() };
    }

    // Members without a clock, and values of the same clock: any choice will do that all devices make alike.
    internal static int Compare(JsonElement one, JsonElement other) => StrictJson.Bytes(one).AsSpan().SequenceCompareTo(StrictJson.Bytes(other));

    private Registers With(ImmutableSortedDictionary<string, RegisterField> fields) => new(Kind, Subject) { Fields = fields, Unknown = Unknown };

    private static JsonElement Element(JsonNode? value) =>
        StrictJson.TryParse(StrictJson.Write(writer => { if (value is null) { writer.WriteNullValue(); } else { value.WriteTo(writer); } }), out var element)
            ? element
            : throw new ArgumentException("A value has no member twice, no half characters and is nested at most 32 deep.", nameof(value));
}

/// <summary>One field: what it is and since when.</summary>
/// <param name="Value">Any JSON.</param>
/// <param name="Clock">The later wins.</param>
public sealed record RegisterField(JsonElement Value, Clock Clock)
{
    /// <summary>Members that this program does not know; they go with the value.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Unknown { get; init; } = ItemContent.NoMembers;

    /// <summary>The one that wins.</summary>
    public static RegisterField Later(RegisterField one, RegisterField other) => one.Clock.CompareTo(other.Clock) switch
    {
        > 0 => one,
        < 0 => other,
        _   => StrictJson.Write(one.Write).AsSpan().SequenceCompareTo(StrictJson.Write(other.Write)) >= 0 ? one : other,
    };

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("value");
        Value.WriteTo(writer);
        writer.WriteString("clock", Clock.ToString());
        foreach (var (name, value) in Unknown)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }
}
