using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Api;

/// <summary>The API's messages, judged, as the engine takes them: text only, in the roles that a chat template knows.</summary>
internal static class Conversation
{
    public static (List<ChatMessage>? Messages, ApiError? Error) From(List<ChatRequestMessage>? messages)
    {
        if (messages is not { Count: > 0 })
        {
            return (null, ApiError.Invalid("'messages' must hold at least one message.", "messages"));
        }

        var conversation = new List<ChatMessage>(messages.Count);
        for (int i = 0; i < messages.Count; i++)
        {
            string place = $"messages[{i}]";
            if (messages[i] is not { } message)
            {
                return (null, ApiError.Invalid($"'{place}' must be a message.", place));
            }

            var error = ReadRole(message.Role, place, out var role) ?? UnservedFields.Judge(message.Others, place);
            if (error is not null)
            {
                return (null, error);
            }

            (string? text, error) = ReadText(message.Content, place);
            if (error is not null)
            {
                return (null, error);
            }
            conversation.Add(new ChatMessage(role, text) { AuthorName = message.Name });
        }
        return (conversation, null);
    }

    private static ApiError? ReadRole(string? name, string place, out ChatRole role)
    {
        role = name switch
        {
            "assistant"             => ChatRole.Assistant,
            "system" or "developer" => ChatRole.System,
            _                       => ChatRole.User,
        };
        return name switch
        {
            "user" or "assistant" or "system" or "developer" => null,
            "tool" or "function" => ApiError.Unsupported($"{place}.role", "Calling tools"),
            _ => ApiError.Invalid($"'{place}.role' must be system, developer, user or assistant.", $"{place}.role"),
        };
    }

    private static (string? Text, ApiError? Error) ReadText(JsonElement content, string place)
    {
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                return (content.GetString(), null);
            case JsonValueKind.Array when content.GetArrayLength() > 0:
                break;
            default:
                return (null, ApiError.Invalid($"'{place}.content' must be a text or a list of parts.", $"{place}.content"));
        }

        var texts = new List<string>(content.GetArrayLength());
        foreach (var part in content.EnumerateArray())
        {
            string partPlace = $"{place}.content[{texts.Count}]";
            string? type = part.ValueKind is JsonValueKind.Object && part.TryGetProperty("type", out var name) && name.ValueKind is JsonValueKind.String ? name.GetString() : null;
            switch (type)
            {
                case "text" when part.TryGetProperty("text", out var text) && text.ValueKind is JsonValueKind.String:
                    texts.Add(text.GetString()!);
                    break;
                case "image_url":
                    return (null, ApiError.Unsupported(partPlace, "An image in a message"));
                case "input_audio":
                    return (null, ApiError.Unsupported(partPlace, "Audio in a message"));
                case "file":
                    return (null, ApiError.Unsupported(partPlace, "A file in a message"));
                default:
                    return (null, ApiError.Invalid($"'{partPlace}' must be a part of type 'text'.", partPlace));
            }
        }
        return (string.Join('\n', texts), null);
    }
}
