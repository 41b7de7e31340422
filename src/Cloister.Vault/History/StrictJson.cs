using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Cloister.Vault.History;

/// <summary>JSON of one meaning: UTF-8, no member twice, no half characters, bounded depth; written without white space, with nothing escaped that need not be.</summary>
internal static class StrictJson
{
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    // What is written is sealed or goes into a file of JSON, never into a page: no need to escape what HTML would misread.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth + 1 };

    /// <summary>The value does not depend on <paramref name="utf8"/> afterwards.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> utf8, out JsonElement root)
    {
        root = default;
        if (!Utf8.IsValid(utf8.Span))
        {
            return false;
        }
        try
        {
            using var document = JsonDocument.Parse(utf8, Strict);
            bool whole = !utf8.Span.Contains((byte)'\\') || HoldsWholeCharacters(document.RootElement);
            root = whole ? document.RootElement.Clone() : default;
            return whole;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            write(writer);
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Bytes(JsonElement value) => Write(value.WriteTo);

    public static string? Text(this JsonElement value) => value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    // "\ud800" alone is JSON and no text: reading it throws, so it is read here, where that is caught.
    private static bool HoldsWholeCharacters(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return element.GetString() is not null;
            case JsonValueKind.Array:
                return element.EnumerateArray().All(HoldsWholeCharacters);
            case JsonValueKind.Object:
                return element.EnumerateObject().All(member => member.Name is not null && HoldsWholeCharacters(member.Value));
            default:
                return true;
        }
    }
}
