using System.Globalization;
using Microsoft.Extensions.AI;

namespace Cloister.Inference.Generation;

/// <summary>How the next token is chosen. The defaults are the model's own, from generation_config.json.</summary>
internal sealed record SamplingRule
{
    /// <summary>0 takes the likeliest token always.</summary>
    public float Temperature { get; init; } = 1;
    public float TopP { get; init; } = 1;
    public int TopK { get; init; }
    public float MinP { get; init; }
    public float RepetitionPenalty { get; init; } = 1;
    public float FrequencyPenalty { get; init; }
    public float PresencePenalty { get; init; }
    public long? Seed { get; init; }
    public int? MaxTokens { get; init; }
    public IReadOnlyList<string> Stops { get; init; } = [];

    public static SamplingRule From(ChatOptions? options, SamplingRule defaults) => options is null ? defaults : defaults with
    {
        Temperature = options.Temperature ?? defaults.Temperature,
        TopP = options.TopP ?? defaults.TopP,
        TopK = options.TopK ?? defaults.TopK,
        MinP = Additional(options, "min_p") ?? defaults.MinP,
        RepetitionPenalty = Additional(options, "repetition_penalty") ?? defaults.RepetitionPenalty,
        FrequencyPenalty = options.FrequencyPenalty ?? defaults.FrequencyPenalty,
        PresencePenalty = options.PresencePenalty ?? defaults.PresencePenalty,
        Seed = options.Seed ?? defaults.Seed,
        MaxTokens = options.MaxOutputTokens ?? defaults.MaxTokens,
        Stops = options.StopSequences is { } stops ? [.. stops.Where(stop => stop.Length > 0)] : defaults.Stops,
    };

    private static float? Additional(ChatOptions options, string name) =>
        options.AdditionalProperties?.TryGetValue(name, out object? value) ?? false ? Convert.ToSingle(value, CultureInfo.InvariantCulture) : null;
}
