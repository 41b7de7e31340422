using System.Globalization;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Protobuf's JSON form: 64-bit numbers as text, bytes in base64, null for what is not there. What does not fit is a <see cref="FormatException"/>.</summary>
internal static class ProtoJson
{
    public static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Whether reading untrusted JSON failed, and not we: everything that <see cref="JsonDocument"/> and the methods here throw.</summary>
    public static bool IsFault(Exception e) => e is JsonException or FormatException or InvalidOperationException or OverflowException;

    /// <summary>An object with these members at most.</summary>
    public static void RequireOnly(JsonElement element, params ReadOnlySpan<string> names)
    {
        Require(element.ValueKind is JsonValueKind.Object);
        foreach (var member in element.EnumerateObject())
        {
            Require(names.Contains(member.Name));
        }
    }

    /// <summary>Null where there is no such member, or it is null.</summary>
    public static JsonElement? Optional(JsonElement element, string name)
    {
        Require(element.ValueKind is JsonValueKind.Object);
        return element.TryGetProperty(name, out var member) && member.ValueKind is not JsonValueKind.Null ? member : null;
    }

    public static JsonElement Member(JsonElement element, string name) => Optional(element, name) ?? throw new FormatException(name);

    public static string Text(JsonElement element, string name) => Text(Member(element, name));

    public static string Text(JsonElement text)
    {
        Require(text.ValueKind is JsonValueKind.String);
        return text.GetString()!;
    }

    public static byte[] Bytes(JsonElement element, string name) => Bytes(Member(element, name));

    public static byte[] Bytes(JsonElement text)
    {
        Require(Base64.TryDecode(Text(text), out var bytes));
        return bytes!;
    }

    /// <summary>A number that is not negative, as text or as a number; 0 where it is not there.</summary>
    public static long Number(JsonElement element, string name)
    {
        if (Optional(element, name) is not { } member)
        {
            return 0;
        }
        long number;
        Require(member.ValueKind is JsonValueKind.Number ? member.TryGetInt64(out number) && number >= 0
            : long.TryParse(Text(member), NumberStyles.None, CultureInfo.InvariantCulture, out number));
        return number;
    }

    /// <summary>Empty where it is not there.</summary>
    public static JsonElement[] List(JsonElement element, string name, int max)
    {
        if (Optional(element, name) is not { } list)
        {
            return [];
        }
        Require(list.ValueKind is JsonValueKind.Array && list.GetArrayLength() <= max);
        return [.. list.EnumerateArray()];
    }

    public static void Require(bool holds)
    {
        if (!holds)
        {
            throw new FormatException();
        }
    }
}
