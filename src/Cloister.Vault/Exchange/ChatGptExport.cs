using System.Text.Json;
using Cloister.Vault.History;

namespace Cloister.Vault.Exchange;

/// <summary>A conversation in ChatGPT's export: nodes by identity, each with its parent and, but for the first, a message.</summary>
internal static class ChatGptExport
{
    private const string Service = "chatgpt";

    public static bool Is(JsonElement conversation) => conversation.Member("mapping")?.ValueKind is JsonValueKind.Object;

    /// <summary>Null where it has no identity.</summary>
    public static ForeignConversation? Read(JsonElement conversation, Action<string> note)
    {
        if ((conversation.TextMember("conversation_id") ?? conversation.TextMember("id")) is not { } id)
        {
            note("A conversation without an identity was left out.");
            return null;
        }
        var left = new LeftOut();
        var messages = conversation.GetProperty("mapping").EnumerateObject().Select(node => ReadNode(node.Name, node.Value, left)).ToList();
        left.Tell(note);
        return new(
            Service, id, conversation.TextMember("title") ?? "", conversation.Time("create_time"), conversation.Time("update_time"),
            conversation.IsTrue("is_archived"), conversation.TextMember("current_node"), [.. messages]);
    }

    private static ForeignMessage ReadNode(string id, JsonElement node, LeftOut left)
    {
        string? parent = node.TextMember("parent");
        if (node.Member("message") is not { } message)
        {
            return new(id, parent, MessageRole.None, "", null, null, MessageState.Complete);
        }
        var role = message.Member("author")?.TextMember("role") switch
        {
            "user"      => MessageRole.User,
            "assistant" => MessageRole.Assistant,
            "system"    => MessageRole.System,
            _           => MessageRole.None,
        };
        var metadata = message.Member("metadata") ?? default;
        string? text = role is MessageRole.None ? null : TextOf(message, metadata, left);
        left.Tools += role is MessageRole.None ? 1 : 0;
        bool isShown = !string.IsNullOrWhiteSpace(text) && !(role is MessageRole.System && metadata.IsTrue("is_visually_hidden_from_conversation"));
        bool isWhole = message.TextMember("status") is not ("in_progress" or "finished_partial_completion");
        return new(id, parent, isShown ? role : MessageRole.None, text ?? "", message.Time("create_time"), metadata.TextMember("model_slug"), isWhole ? MessageState.Complete : MessageState.Stopped);
    }

    // Null where nothing of it is imported.
    private static string? TextOf(JsonElement message, JsonElement metadata, LeftOut left)
    {
        var content = message.Member("content") ?? default;
        var parts = new List<string>();
        switch (content.TextMember("content_type"))
        {
            case null or "text" or "multimodal_text":
                parts.AddRange(content.Elements("parts").Select(part => PartOf(part, left)));
                break;
            case "code":
                parts.Add($"```\n{content.TextMember("text")}\n```");
                break;
            case "thoughts" or "reasoning_recap":
                left.Reasoning++;
                return null;
            case "user_editable_context" or "model_editable_context":
                left.Instructions++;
                return null;
            case { } other:
                parts.Add(content.TextMember("text") ?? left.Name($"content of type {LeftOut.Short(other)}"));
                break;
        }
        parts.AddRange(metadata.Elements("attachments").Select(file => left.Name($"the file {LeftOut.Short(file.TextMember("name"))}")));
        return string.Join("\n\n", parts.Where(part => part.Length > 0));
    }

    private static string PartOf(JsonElement part, LeftOut left) => part.ValueKind is JsonValueKind.String
        ? LenientJson.TextOf(part)
        : part.TextMember("content_type") switch
        {
            "image_asset_pointer"                         => left.Name("an image"),
            "audio_transcription"                         => part.TextMember("text") ?? "",
            "audio_asset_pointer"                         => left.Name("a recording"),
            "real_time_user_audio_video_asset_pointer"    => left.Name("a recording"),
            var other                                     => left.Name($"content of type {LeftOut.Short(other)}"),
        };
}
