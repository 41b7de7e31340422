using System.Collections.Frozen;
using System.Text.Json;

namespace Cloister.Enclave.Api;

/// <summary>Judges the fields of a request that the embedded engine does not serve: refused by name, unless they ask for nothing.</summary>
internal static class UnservedFields
{
    // Identities and cache hints: they never change an answer, and the enclave keeps none of them.
    private static readonly FrozenSet<string> WithoutEffect =
        FrozenSet.Create("user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "service_tier", "parallel_tool_calls");

    // Values that say what happens anyway.
    private static readonly FrozenDictionary<string, FrozenSet<string>> AsServed = new Dictionary<string, FrozenSet<string>>
    {
        ["tool_choice"] = FrozenSet.Create("\"none\"", "\"auto\""),
        ["function_call"] = FrozenSet.Create("\"none\"", "\"auto\""),
        ["response_format"] = FrozenSet.Create("""{"type":"text"}"""),
        ["modalities"] = FrozenSet.Create("""["text"]"""),
        ["top_logprobs"] = FrozenSet.Create("0"),
        ["best_of"] = FrozenSet.Create("1"),
        ["suffix"] = FrozenSet.Create("\"\""),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, string> Unsupported = new Dictionary<string, string>
    {
        ["tools"] = "Calling tools",
        ["tool_choice"] = "Calling tools",
        ["functions"] = "Calling functions",
        ["function_call"] = "Calling functions",
        ["response_format"] = "Structured output",
        ["logprobs"] = "Returning log probabilities",
        ["top_logprobs"] = "Returning log probabilities",
        ["logit_bias"] = "Biasing single tokens",
        ["modalities"] = "Output other than text",
        ["audio"] = "Audio",
        ["prediction"] = "Predicted output",
        ["web_search_options"] = "Searching the web",
        ["reasoning_effort"] = "Choosing an effort of reasoning",
        ["verbosity"] = "Choosing a verbosity",
        ["store"] = "Storing an answer",
        ["echo"] = "Echoing the prompt",
        ["suffix"] = "Completing before a suffix",
        ["best_of"] = "Choosing the best of several answers",
        ["tool_calls"] = "Calling tools",
        ["tool_call_id"] = "Calling tools",
        ["refusal"] = "A refusal in a message",
    }.ToFrozenDictionary();

    /// <param name="fields">What stood beside the fields that are served.</param>
    /// <param name="place">Where they stood, e.g. <c>messages[2]</c>; empty for the request itself.</param>
    public static ApiError? Judge(Dictionary<string, JsonElement>? fields, string place = "")
    {
        foreach (var (name, value) in fields ?? [])
        {
            if (WithoutEffect.Contains(name) || AsksForNothing(name, value))
            {
                continue;
            }

            string param = place.Length == 0 ? name : $"{place}.{name}";
            return Unsupported.TryGetValue(name, out string? what)
                ? ApiError.Unsupported(param, what)
                : ApiError.Invalid($"Unrecognized field '{param}'.", param, "unknown_parameter");
        }
        return null;
    }

    private static bool AsksForNothing(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => Unsupported.ContainsKey(name),
        JsonValueKind.Array when value.GetArrayLength() == 0 => Unsupported.ContainsKey(name),
        JsonValueKind.Object when value.GetPropertyCount() == 0 => Unsupported.ContainsKey(name),
        _ => AsServed.TryGetValue(name, out var served) && served.Any(text => JsonElement.DeepEquals(value, Parse(text))),
    };

    private static JsonElement Parse(string json) => JsonElement.Parse(json);
}
