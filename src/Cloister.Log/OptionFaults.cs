using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Log;

/// <summary>How the options of this room's programs are read and judged: strictly, and every fault at once.</summary>
internal static class OptionFaults
{
    public static ImmutableArray<string> Unless(bool holds, string sentence) => holds ? [] : [sentence];

    public static ImmutableArray<string> Endpoint(string name, string? text) =>
        Unless(IPEndPoint.TryParse(text ?? "", out _) && text!.Contains(':', StringComparison.Ordinal), $"{name}: '{text}' is not an address and a port, such as 127.0.0.1:8450.");

    public static bool TryRead<T>(string file, JsonTypeInfo<T> type, Func<T, ImmutableArray<string>> judge, [NotNullWhen(true)] out T? options, out ImmutableArray<string> faults) where T : class
    {
        options = null;
        try
        {
            using var stream = File.OpenRead(file);
            options = JsonSerializer.Deserialize(stream, type);
            faults = options is null ? ["The configuration is empty."] : judge(options);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            faults = [$"The configuration '{file}' cannot be read: {fault.Message}"];
        }
        options = faults.IsEmpty ? options : null;
        return options is not null;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LogOptions))]
[JsonSerializable(typeof(Witnesses.WitnessOptions))]
internal sealed partial class OptionsJson : JsonSerializerContext;
