using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Ledger;

namespace Cloister.Vault.History;

/// <summary>What an item says once it is open (docs/spec/vault.md, section 6): a <see cref="Message"/> or <see cref="Registers"/>. A tombstone says nothing: null.</summary>
public abstract class ItemContent
{
    /// <summary>Of an item's content that is read, in bytes.</summary>
    public const int MaxSize = 1 << 20;

    /// <summary>Of content that fits into a sealed item once it is padded, in bytes: nothing larger is written.</summary>
    public const int MaxWritten = (63 << 14) - sizeof(uint);

    private protected ItemContent() { }

    public abstract string Kind { get; }

    /// <summary>Members that this program does not know, by name: kept as they are. Never <c>id</c>, which is the item's in an export.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Unknown { get; init; } = NoMembers;

    internal static ImmutableSortedDictionary<string, JsonElement> NoMembers { get; } = ImmutableSortedDictionary.Create<string, JsonElement>(StringComparer.Ordinal);

    /// <summary>UTF-8 JSON in its one form: known members in the order of the specification, then the unknown by name. What was parsed from these bytes gives them back.</summary>
    public byte[] ToBytes() => StrictJson.Write(writer =>
    {
        writer.WriteStartObject();
        Write(writer);
        writer.WriteEndObject();
    });

    /// <summary>Reads what a device sealed as the content of <paramref name="item"/>. Anything may be in it; no fault is thrown.</summary>
    /// <remarks>Registers are named by their content: who has the keys must ignore those whose <see cref="Registers.Name"/> is not <paramref name="item"/>.</remarks>
    public static bool TryParse(Identity item, ReadOnlyMemory<byte> utf8, [NotNullWhen(true)] out ItemContent? content, out ContentFault fault)
    {
        content = null;
        fault = utf8.Length > MaxSize ? ContentFault.TooLong : ContentFault.NotJson;
        return utf8.Length <= MaxSize && StrictJson.TryParse(utf8, out var root) && TryParse(item, root, out content, out fault);
    }

    /// <summary>The conversation that content names which <see cref="TryParse(Identity, ReadOnlyMemory{byte}, out ItemContent?, out ContentFault)"/> does not understand: a newer program's. Null where it names none.</summary>
    /// <param name="utf8">Anything.</param>
    /// <param name="asRegisters">Whether it names it as registers do; they are named by it.</param>
    public static Identity? ConversationOf(ReadOnlyMemory<byte> utf8, out bool asRegisters)
    {
        asRegisters = false;
        if (utf8.Length > MaxSize || !StrictJson.TryParse(utf8, out var root) || root.ValueKind is not JsonValueKind.Object)
        {
            return null;
        }
        asRegisters = root.TryGetProperty("kind", out var kind) && kind.Text() is RegisterKind.Conversation;
        return root.TryGetProperty(asRegisters ? "subject" : "conversation", out var name) && Identity.TryParse(name.Text(), out var conversation) ? conversation : null;
    }

    /// <summary>Two states of one item become one, whatever the order and however often: nothing stays of a message that was deleted, registers merge field by field.</summary>
    /// <remarks>Devices that keep to the specification never make two messages of one identity, nor registers and a message: where it happens all the same, each device chooses alike.</remarks>
    public static ItemContent? Merge(ItemContent? one, ItemContent? other) => (one, other) switch
    {
        (null, _) or (_, null) => null,
        (Registers a, Registers b) when a.Kind == b.Kind && a.Subject == b.Subject => a.Merge(b),
        (Registers a, Registers b) => string.CompareOrdinal($"{a.Kind}\0{a.Subject}", $"{b.Kind}\0{b.Subject}") >= 0 ? a : b,
        (Message, Registers) => one,
        (Registers, Message) => other,
        _ => one.ToBytes().AsSpan().SequenceCompareTo(other.ToBytes()) >= 0 ? one : other,
    };

    internal static bool TryParse(Identity item, JsonElement root, [NotNullWhen(true)] out ItemContent? content, out ContentFault fault)
    {
        content = null;
        fault = ContentFault.Kind;
        if (root.ValueKind is not JsonValueKind.Object || !root.TryGetProperty("kind", out var kind) || kind.Text() is not { } name)
        {
            return false;
        }
        content = name == Message.KindName ? Message.Read(item, root, out fault) : Registers.Read(name, root, out fault);
        return content is not null;
    }

    internal abstract void Write(Utf8JsonWriter writer);

    private protected void WriteUnknown(Utf8JsonWriter writer)
    {
        foreach (var (name, value) in Unknown)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }

    private protected static ImmutableSortedDictionary<string, JsonElement> UnknownOf(JsonElement root, params ReadOnlySpan<string> known)
    {
        // Nearly always there is none: then nothing is made for them.
        ImmutableSortedDictionary<string, JsonElement>.Builder? unknown = null;
        foreach (var member in root.EnumerateObject())
        {
            if (!IsAmong(member, known))
            {
                (unknown ??= NoMembers.ToBuilder())[member.Name] = member.Value;
            }
        }
        return unknown?.ToImmutable() ?? NoMembers;
    }

    private static bool IsAmong(JsonProperty member, ReadOnlySpan<string> known)
    {
        foreach (string name in known)
        {
            if (member.NameEquals(name))
            {
                return true;
            }
        }
        return false;
    }
}
