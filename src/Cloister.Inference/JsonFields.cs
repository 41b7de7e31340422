using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Inference;

/// <summary>Fields of a model's own JSON files. One that is absent or null is null; one of another kind is a <see cref="ModelException"/> that names it.</summary>
internal static class JsonFields
{
    extension(JsonObject json)
    {
        public string? Text(string name) => json[name] is { } field ? Read<string>(field, name, "a text") : null;

        public bool? Flag(string name) => json[name] is { } field ? Read<bool>(field, name, "true or false") : null;

        public int? Whole(string name) => json[name] is { } field ? Read<int>(field, name, "a whole number") : null;

        public float? Number(string name) => json[name] is { } field ? Read<float>(field, name, "a number") : null;

        public JsonObject? Object(string name) => json[name] is { } field ? field as JsonObject ?? throw Wrong(name, "an object") : null;

        /// <summary>The list under a name; empty where there is none.</summary>
        public JsonArray List(string name) => json[name] is { } field ? field as JsonArray ?? throw Wrong(name, "a list") : [];

        /// <summary>The objects of the list under a name; empty where there is none.</summary>
        public IEnumerable<JsonObject> Objects(string name) => json.List(name).Select(one => one as JsonObject ?? throw Wrong(name, "a list of objects"));
    }

    /// <summary>Reads a JSON object without doubled names.</summary>
    /// <param name="bytes">The file's content.</param>
    /// <param name="name">The file's name, for the message.</param>
    public static JsonObject Parse(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            return JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject ?? throw new ModelException($"{name} is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw new ModelException($"{name} is not JSON.", e);
        }
    }

    private static T Read<T>(JsonNode field, string name, string kind) => field is JsonValue value && value.TryGetValue(out T? read) ? read : throw Wrong(name, kind);

    private static ModelException Wrong(string name, string kind) => new($"'{name}' in one of the model's JSON files is not {kind}.");
}
