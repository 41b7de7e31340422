using System.Text.Json.Serialization;

namespace Cloister.Enclave.Api;

internal sealed record ChatCompletion(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    public string Object { get; } = "chat.completion";
}

internal sealed record ChatChoice(ChatAnswer Message, string FinishReason)
{
    public int Index { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Logprobs { get; }
}

internal sealed record ChatAnswer(string Content)
{
    public string Role { get; } = "assistant";

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Refusal { get; }
}

internal sealed record ChatChunk(string Id, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, Usage? Usage = null)
{
    public string Object { get; } = "chat.completion.chunk";
}

internal sealed record ChatChunkChoice(ChatDelta Delta, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason = null)
{
    public int Index { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Logprobs { get; }
}

internal sealed record ChatDelta(string? Role = null, string? Content = null);

/// <summary>The same shape whole and streamed, as the API has it.</summary>
internal sealed record Completion(string Id, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, Usage? Usage = null)
{
    public string Object { get; } = "text_completion";
}

internal sealed record CompletionChoice(string Text, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason = null)
{
    public int Index { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Logprobs { get; }
}

internal sealed record EmbeddingList(string Model, IReadOnlyList<EmbeddingItem> Data, EmbeddingUsage Usage)
{
    public string Object { get; } = "list";
}

/// <param name="Embedding">A list of numbers, or base64 of little-endian single floats.</param>
internal sealed record EmbeddingItem(int Index, object Embedding)
{
    public string Object { get; } = "embedding";
}

internal sealed record EmbeddingUsage(long PromptTokens)
{
    public long TotalTokens => PromptTokens;
}
