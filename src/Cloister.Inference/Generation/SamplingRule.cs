using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Cloister.Inference.Generation;

/// <summary>How the next token is chosen. The defaults are the model's own, from generation_config.json. Every number is finite and in its range.</summary>
internal sealed record SamplingRule
{
    // Ours to choose: wider than any use, and narrow enough that no sum of them overflows.
    private const float Most = 100;

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

    /// <exception cref="ModelException">A number is out of its range.</exception>
    public static SamplingRule Of(JsonObject generation)
    {
        var rule = new SamplingRule
        {
            Temperature = generation.Flag("do_sample") is false ? 0 : generation.Number("temperature") ?? 1,
            TopP = generation.Number("top_p") ?? 1,
            TopK = generation.Whole("top_k") ?? 0,
            MinP = generation.Number("min_p") ?? 0,
            RepetitionPenalty = generation.Number("repetition_penalty") ?? 1,
        };
        return rule.OutOfRange() is { } name ? throw new ModelException($"generation_config.json has a {name} that is out of its range.") : rule;
    }

    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public SamplingRule With(ChatOptions? options)
    {
        if (options is null)
        {
            return this;
        }
        var rule = this with
        {
            Temperature = options.Temperature ?? Temperature,
            TopP = options.TopP ?? TopP,
            TopK = options.TopK ?? TopK,
            MinP = Additional(options, "min_p") ?? MinP,
            RepetitionPenalty = Additional(options, "repetition_penalty") ?? RepetitionPenalty,
            FrequencyPenalty = options.FrequencyPenalty ?? FrequencyPenalty,
            PresencePenalty = options.PresencePenalty ?? PresencePenalty,
            Seed = options.Seed ?? Seed,
            MaxTokens = options.MaxOutputTokens ?? MaxTokens,
            Stops = options.StopSequences is { } stops ? [.. stops.Where(stop => stop.Length > 0)] : Stops,
        };
        return rule.OutOfRange() is { } name ? throw new ArgumentOutOfRangeException(nameof(options), $"The {name} is out of its range.") : rule;
    }

    // Written so that what is not a number is out of range too.
    private string? OutOfRange() => this switch
    {
        { Temperature: not (>= 0 and <= Most) }          => "temperature",
        { TopP: not (>= 0 and <= 1) }                    => "top_p",
        { TopK: < 0 }                                    => "top_k",
        { MinP: not (>= 0 and <= 1) }                    => "min_p",
        { RepetitionPenalty: not (> 0 and <= Most) }     => "repetition_penalty",
        { FrequencyPenalty: not (>= -Most and <= Most) } => "frequency_penalty",
        { PresencePenalty: not (>= -Most and <= Most) }  => "presence_penalty",
        { MaxTokens: < 1 }                               => "number of tokens",
        _                                                => null,
    };

    private static float? Additional(ChatOptions options, string name) => options.AdditionalProperties?.GetValueOrDefault(name) switch
    {
        null => null,
        IConvertible number and (float or double or decimal or int or long) => number.ToSingle(CultureInfo.InvariantCulture),
        _ => float.NaN,
    };
}
