using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>Reads the members of a JSON object by name: one that is missing or of another type is a fault, and at the end one that nobody asked for. What is read after a fault must not be used.</summary>
/// <remarks>For what a page reads before it can show anything: making a serializer ready for each type takes it longer than all the reading.</remarks>
internal ref struct JsonMembers(JsonElement json)
{
    private int _found;

    public bool Failed { get; private set; } = json.ValueKind is not JsonValueKind.Object;

    /// <summary>Null where the bytes are not exactly one JSON value, or repeat a member.</summary>
    public static JsonElement? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonElement.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Nothing of the kind where it is missing.</summary>
    public JsonElement Optional(string name)
    {
        if (Failed || !json.TryGetProperty(name, out var member))
        {
            return default;
        }
        _found++;
        return member;
    }

    public JsonElement Required(string name)
    {
        var member = Optional(name);
        Failed |= member.ValueKind is JsonValueKind.Undefined;
        return member;
    }

    public string Text(string name) => TextOf(Required(name)) ?? "";

    /// <summary>Null where it is missing, or says so itself.</summary>
    public string? OptionalText(string name) => Optional(name) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } member ? TextOf(member) : null;

    public int Number(string name)
    {
        var member = Required(name);
        int number = 0;
        Failed |= member.ValueKind is not JsonValueKind.Number || !member.TryGetInt32(out number);
        return number;
    }

    public ImmutableArray<string> Texts(string name)
    {
        var texts = ImmutableArray.CreateBuilder<string>();
        foreach (var one in Elements(name))
        {
            texts.Add(TextOf(one) ?? "");
        }
        return texts.ToImmutable();
    }

    public JsonElement.ArrayEnumerator Elements(string name)
    {
        var member = Required(name);
        Failed |= member.ValueKind is not JsonValueKind.Array;
        return Failed ? default : member.EnumerateArray();
    }

    /// <summary>Whether all of it was read, and without a fault.</summary>
    public readonly bool End() => !Failed && json.GetPropertyCount() == _found;

    private string? TextOf(JsonElement member)
    {
        try
        {
            string? text = member.ValueKind is JsonValueKind.String ? member.GetString() : null;
            Failed |= text is null;
            return text;
        }
        catch (InvalidOperationException)
        {
            // A string in JSON that is no text.
            Failed = true;
            return null;
        }
    }
}
