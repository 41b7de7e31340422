using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Exchange;

/// <summary>A message of another service, as it was found.</summary>
/// <param name="Id">The service's.</param>
/// <param name="Parent">The service's; null for a first one.</param>
/// <param name="Role"><see cref="MessageRole.None"/> for what is not imported: what follows it follows the one before.</param>
/// <param name="Text">What was said, and what of it was not imported.</param>
internal sealed record ForeignMessage(string Id, string? Parent, MessageRole Role, string Text, DateTimeOffset? Time, string? Model, MessageState State);

/// <summary>A conversation of another service. It becomes the same items on every device, however often it is imported (docs/spec/vault.md, section 8).</summary>
internal sealed record ForeignConversation(
    string Service, string Id, string Title, DateTimeOffset? Created, DateTimeOffset? Updated, bool IsArchived, string? Leaf, ImmutableArray<ForeignMessage> Messages)
{
    private const string NameKind = "import";

    // Of a title, in characters: no real one is longer, and an item has room for it.
    private const int MaxTitle = 2000;

    // Made by no device: so that all devices make the same.
    private static Identity NoDevice => default;

    public List<ImportedItem> ToItems(VaultKeys keys, Action<string> note)
    {
        var conversation = keys.Name(NameKind, $"{Service}\0{Id}");
        var items = new List<ImportedItem>();
        var placed = new Dictionary<string, Message?>(StringComparer.Ordinal);
        foreach (var message in ParentsFirst())
        {
            var parent = message.Parent is { } above ? placed.GetValueOrDefault(above) : null;
            placed[message.Id] = parent;
            if (message.Role is MessageRole.None)
            {
                continue;
            }
            var made = Make(keys, conversation, message, parent);
            if (made.ToBytes().Length > ItemContent.MaxWritten)
            {
                note($"A message of {message.Text.Length} characters is longer than an item may be, and was left out.");
                continue;
            }
            placed[message.Id] = made;
            items.Add(new(made.Id, made));
        }
        if (Title.Length > MaxTitle)
        {
            note($"A title of {Title.Length} characters was cut.");
        }
        var header = Header(conversation, Leaf is { } leaf ? placed.GetValueOrDefault(leaf) : null);
        return [new(header.Name(keys), header), .. items];
    }

    private Message Make(VaultKeys keys, Identity conversation, ForeignMessage message, Message? parent) => new()
    {
        Id = keys.Name(NameKind, $"{Service}\0{Id}/{message.Id}"),
        Conversation = conversation,
        Parent = parent?.Id,
        Role = message.Role,
        Clock = Clock.After(message.Time ?? parent?.Clock.Time ?? Created ?? DateTimeOffset.UnixEpoch, parent?.Clock, NoDevice),
        Text = message.Text,
        Model = message.Model,
        State = message.State,
        Origin = JsonSerializer.SerializeToElement(new Origin(Service, message.Id), OriginJson.Default.Origin),
    };

    private Registers Header(Identity conversation, Message? leaf)
    {
        var time = Updated ?? Created ?? DateTimeOffset.UnixEpoch;
        var header = new Registers(RegisterKind.Conversation, conversation.ToString()).With(ConversationHeader.TitleField, Cut(Title), time, NoDevice);
        header = IsArchived ? header.With(ConversationHeader.ArchivedField, JsonValue.Create(true), time, NoDevice) : header;
        return leaf is null ? header : header.With(ConversationHeader.LeafField, leaf.Id.ToString(), time, NoDevice);
    }

    private static string Cut(string title) => title.Length <= MaxTitle ? title : title[..(MaxTitle - (char.IsHighSurrogate(title[MaxTitle - 1]) ? 1 : 0))];

    // A parent that is not there counts as none, and a circle is cut where it is met.
    private List<ForeignMessage> ParentsFirst()
    {
        var all = Messages.DistinctBy(message => message.Id).ToDictionary(message => message.Id, StringComparer.Ordinal);
        var ordered = new List<ForeignMessage>(all.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var above = new Stack<ForeignMessage>();
        foreach (var message in all.Values)
        {
            for (var next = message; next is not null && seen.Add(next.Id); next = next.Parent is { } parent ? all.GetValueOrDefault(parent) : null)
            {
                above.Push(next);
            }
            while (above.TryPop(out var next))
            {
                ordered.Add(next);
            }
        }
        return ordered;
    }
}

/// <summary>Where a message came from.</summary>
internal sealed record Origin(string Service, string Id);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower)]
[System.Text.Json.Serialization.JsonSerializable(typeof(Origin))]
internal sealed partial class OriginJson : System.Text.Json.Serialization.JsonSerializerContext;
