using System.Text.Json;
using Cloister.Vault.History;

namespace Cloister.Vault.Exchange;

/// <summary>A conversation in Claude's export: messages in order, each made of blocks.</summary>
internal static class ClaudeExport
{
    private const string Service = "claude";

    public static bool Is(JsonElement conversation) => conversation.Member("chat_messages")?.ValueKind is JsonValueKind.Array;

    /// <summary>Null where it has no identity.</summary>
    public static ForeignConversation? Read(JsonElement conversation, Action<string> note)
    {
        if (conversation.TextMember("uuid") is not { } id)
        {
            note("A conversation without an identity was left out.");
            return null;
        }
        var left = new LeftOut();
        var messages = new List<ForeignMessage>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var message in conversation.Elements("chat_messages"))
        {
            // Older exports do not say what a message answers: it is the one before. A first one names a parent that is not there.
            string own = message.TextMember("uuid") ?? $"{messages.Count}";
            string? named = message.TextMember("parent_message_uuid");
            string? parent = named is null ? messages.LastOrDefault()?.Id : known.Contains(named) ? named : null;
            messages.Add(Read(message, own, parent, left));
            known.Add(own);
        }
        left.Tell(note);
        return new(Service, id, conversation.TextMember("name") ?? "", conversation.Time("created_at"), conversation.Time("updated_at"), false, messages.LastOrDefault()?.Id, [.. messages]);
    }

    private static ForeignMessage Read(JsonElement message, string id, string? parent, LeftOut left)
    {
        var role = message.TextMember("sender") switch
        {
            "human"     => MessageRole.User,
            "assistant" => MessageRole.Assistant,
            _           => MessageRole.None,
        };
        left.Tools += role is MessageRole.None ? 1 : 0;
        var parts = message.Elements("content").Select(block => BlockOf(block, left)).Where(part => part.Length > 0).ToList();
        if (parts.Count == 0 && message.TextMember("text") is { Length: > 0 } text)
        {
            parts.Add(text);
        }
        parts.AddRange(message.Elements("attachments").Select(file => Attached(file, left)));
        parts.AddRange(message.Elements("files").Select(file => left.Name($"the file {LeftOut.Short(file.TextMember("file_name"))}")));
        string whole = string.Join("\n\n", parts);
        return new(id, parent, string.IsNullOrWhiteSpace(whole) ? MessageRole.None : role, whole, message.Time("created_at"), null, MessageState.Complete);
    }

    private static string BlockOf(JsonElement block, LeftOut left)
    {
        switch (block.TextMember("type"))
        {
            case "text" or null:
                return block.TextMember("text") ?? "";
            case "thinking" or "redacted_thinking":
                left.Reasoning++;
                return "";
            case "tool_use" or "tool_result" or "server_tool_use" or "web_search_tool_result":
                left.Tools++;
                return "";
            case "image":
                return left.Name("an image");
            case { } other:
                return block.TextMember("text") ?? left.Name($"content of type {LeftOut.Short(other)}");
        }
    }

    // Of a text file the export has the text.
    private static string Attached(JsonElement file, LeftOut left)
    {
        string name = LeftOut.Short(file.TextMember("file_name"));
        return file.TextMember("extracted_content") is { Length: > 0 } text ? $"{name}:\n\n{text}" : left.Name($"the file {name}");
    }
}
