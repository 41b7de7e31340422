using System.Text.Json;

namespace Cloister.Vault.History;

/// <summary>Registers as JSON (docs/spec/vault.md, section 6).</summary>
public sealed partial class Registers
{
    private static readonly string[] Members = ["id", "kind", "subject", "fields"];
    private static readonly string[] FieldMembers = ["value", "clock"];

    internal override void Write(Utf8JsonWriter writer)
    {
        writer.WriteString("kind", Kind);
        writer.WriteString("subject", Subject);
        writer.WriteStartObject("fields");
        foreach (var (name, field) in Fields)
        {
            writer.WritePropertyName(name);
            field.Write(writer);
        }
        writer.WriteEndObject();
        WriteUnknown(writer);
    }

    internal static Registers? Read(string kind, JsonElement root, out ContentFault fault)
    {
        fault = ContentFault.Subject;
        if (!root.TryGetProperty("subject", out var subject) || subject.Text() is not { } about)
        {
            return null;
        }
        fault = ContentFault.Fields;
        if (!root.TryGetProperty("fields", out var list) || list.ValueKind is not JsonValueKind.Object)
        {
            return null;
        }
        var fields = NoFields.ToBuilder();
        foreach (var member in list.EnumerateObject())
        {
            if (member.Value.ValueKind is not JsonValueKind.Object
                || !member.Value.TryGetProperty("value", out var value)
                || !member.Value.TryGetProperty("clock", out var clockMember) || !Clock.TryParse(clockMember.Text(), out var clock))
            {
                return null;
            }
            fields[member.Name] = new(value, clock) { Unknown = UnknownOf(member.Value, FieldMembers) };
        }
        fault = ContentFault.None;
        return new(kind, about) { Fields = fields.ToImmutable(), Unknown = UnknownOf(root, Members) };
    }
}
