using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Enclave.Api;

/// <summary>The fields that steer sampling, the same for chat and for plain completion.</summary>
internal abstract class SamplingFields
{
    public string? Model { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public float? RepetitionPenalty { get; init; }

    public float? FrequencyPenalty { get; init; }

    public float? PresencePenalty { get; init; }

    public long? Seed { get; init; }

    public int? N { get; init; }

    public int? MaxTokens { get; init; }

    /// <summary>A string, or a list of strings.</summary>
    public JsonElement Stop { get; init; }

    /// <summary>Every field that has no property here; each is judged by <see cref="UnservedFields"/>.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }

    public bool Streams => Stream is true;

    public bool WantsUsage => StreamOptions?.IncludeUsage is true;
}

internal sealed class StreamOptions
{
    public bool? IncludeUsage { get; init; }

    // The sealed channel pads and paces every record, which is what this asks for.
    public bool? IncludeObfuscation { get; init; }
}

internal sealed class ChatRequest : SamplingFields
{
    public List<ChatRequestMessage>? Messages { get; init; }

    public int? MaxCompletionTokens { get; init; }
}

internal sealed class ChatRequestMessage
{
    public string? Role { get; init; }

    /// <summary>A string, or a list of parts.</summary>
    public JsonElement Content { get; init; }

    public string? Name { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }
}

internal sealed class CompletionRequest : SamplingFields
{
    /// <summary>A string, or a list of exactly one.</summary>
    public JsonElement Prompt { get; init; }
}

internal sealed class EmbeddingRequest
{
    public string? Model { get; init; }

    /// <summary>A string, or a list of strings.</summary>
    public JsonElement Input { get; init; }

    public string? EncodingFormat { get; init; }

    public int? Dimensions { get; init; }

    public string? User { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }
}
