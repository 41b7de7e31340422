using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cloister.Vault.History;

namespace Cloister.Vault.Exchange;

/// <summary>Reads what other services export: nothing is sure to be there, of its type, or whole.</summary>
internal static partial class LenientJson
{
    public const int MaxDepth = 128;

    public static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>Null where there is none, or it is JSON's null.</summary>
    public static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var member) && member.ValueKind is not JsonValueKind.Null ? member : null;

    public static string? TextMember(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.String } text ? TextOf(text) : null;

    public static bool IsTrue(this JsonElement element, string name) => element.Member(name)?.ValueKind is JsonValueKind.True;

    public static IEnumerable<JsonElement> Elements(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    /// <summary>Half characters, which some exports hold, become the replacement character.</summary>
    public static string TextOf(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            using var mended = JsonDocument.Parse(HalfCharacter.Replace(text.GetRawText(), "\\uFFFD"));
            return mended.RootElement.GetString()!;
        }
    }

    /// <summary>Seconds since 1970, or a date as text; null where it is neither, or not within the years 1970 to 9999.</summary>
    public static DateTimeOffset? Time(this JsonElement element, string name) => element.Member(name) switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetDouble(out double seconds) && seconds is >= 0 and < Clock.MaxMilliseconds / 1000 =>
            DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000)),
        { ValueKind: JsonValueKind.String } text when DateTimeOffset.TryParse(TextOf(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time >= DateTimeOffset.UnixEpoch => time,
        _ => null,
    };

    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}", RegexOptions.CultureInvariant)]
    private static partial Regex HalfCharacter { get; }
}
