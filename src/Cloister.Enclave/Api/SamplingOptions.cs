using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Api;

/// <summary>The API's sampling fields, judged, as the engine takes them.</summary>
internal static class SamplingOptions
{
    // The OpenAI API allows 4; other servers more. Each is compared with every token.
    private const int MaxStops = 16;

    public static (ChatOptions? Options, ApiError? Error) From(SamplingFields fields, int? maxTokens, int limit)
    {
        var error = OutOfRange("temperature", fields.Temperature, 0, 2)
                 ?? OutOfRange("top_p", fields.TopP, 0, 1)
                 ?? OutOfRange("min_p", fields.MinP, 0, 1)
                 ?? OutOfRange("top_k", fields.TopK, 0, int.MaxValue)
                 ?? OutOfRange("frequency_penalty", fields.FrequencyPenalty, -2, 2)
                 ?? OutOfRange("presence_penalty", fields.PresencePenalty, -2, 2)
                 ?? OutOfRange("repetition_penalty", fields.RepetitionPenalty, 0.01, 10)
                 ?? OutOfRange("max_tokens", maxTokens, 1, limit);
        if (error is null && fields.N is not (null or 1))
        {
            error = ApiError.Unsupported("n", "More than one answer to a request");
        }
        if (error is null && fields.StreamOptions is not null && !fields.Streams)
        {
            error = ApiError.Invalid("'stream_options' is only for a streamed answer.", "stream_options");
        }
        if (error is not null || !TryReadStops(fields.Stop, out var stops))
        {
            return (null, error ?? ApiError.Invalid($"'stop' must be a text or a list of at most {MaxStops} texts that are not empty.", "stop"));
        }

        var options = new ChatOptions
        {
            ModelId = fields.Model,
            Temperature = fields.Temperature,
            TopP = fields.TopP,
            TopK = fields.TopK is 0 ? null : fields.TopK,
            FrequencyPenalty = fields.FrequencyPenalty,
            PresencePenalty = fields.PresencePenalty,
            Seed = fields.Seed,
            MaxOutputTokens = maxTokens ?? limit,
            StopSequences = stops,
        };
        Add(options, "min_p", fields.MinP);
        Add(options, "repetition_penalty", fields.RepetitionPenalty);
        return (options, null);
    }

    private static ApiError? OutOfRange(string param, double? value, double min, double max) =>
        value is { } number && !(number >= min && number <= max)
            ? ApiError.Invalid(max == int.MaxValue ? $"'{param}' must be at least {min}." : $"'{param}' must be between {min} and {max}.", param)
            : null;

    private static bool TryReadStops(JsonElement stop, out List<string>? stops)
    {
        stops = null;
        switch (stop.ValueKind)
        {
            case JsonValueKind.Undefined or JsonValueKind.Null:
                return true;
            case JsonValueKind.String:
                stops = [stop.GetString()!];
                break;
            case JsonValueKind.Array when stop.GetArrayLength() <= MaxStops && stop.EnumerateArray().All(item => item.ValueKind is JsonValueKind.String):
                stops = [.. stop.EnumerateArray().Select(item => item.GetString()!)];
                break;
            default:
                return false;
        }
        return stops.All(text => text.Length > 0);
    }

    private static void Add(ChatOptions options, string name, float? value)
    {
        if (value is { } number)
        {
            options.AdditionalProperties ??= [];
            options.AdditionalProperties[name] = number;
        }
    }
}
