using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Vault.History;

/// <summary>The message as JSON (docs/spec/vault.md, section 6).</summary>
public sealed partial class Message
{
    private const int MaxAttachments = 256;

    private static readonly string[] Members = ["id", "kind", "conversation", "parent", "role", "clock", "text", "model", "state", "attachments", "receipt", "origin"];

    internal override void Write(Utf8JsonWriter writer)
    {
        writer.WriteString("kind", KindName);
        writer.WriteString("conversation", Conversation.ToString());
        writer.WriteString("parent", Parent?.ToString());
        writer.WriteString("role", RoleName(Role));
        writer.WriteString("clock", Clock.ToString());
        writer.WriteString("text", Text);
        if (Model is not null)
        {
            writer.WriteString("model", Model);
        }
        if (State is not MessageState.Complete)
        {
            writer.WriteString("state", State is MessageState.Stopped ? "stopped" : "failed");
        }
        if (!Attachments.IsDefaultOrEmpty)
        {
            writer.WriteStartArray("attachments");
            foreach (var attachment in Attachments)
            {
                Write(writer, attachment);
            }
            writer.WriteEndArray();
        }
        WriteMember(writer, "receipt", Receipt);
        WriteMember(writer, "origin", Origin);
        WriteUnknown(writer);
    }

    internal static Message? Read(Identity item, JsonElement root, out ContentFault fault)
    {
        string? model = null;
        Identity parent = default;
        var state = MessageState.Complete;
        ImmutableArray<AttachmentReference> attachments = [];
        bool hasParent = Optional(root, "parent", out var parentMember);
        Clock clock = default;
        Identity conversation = default;
        string? text = null;
        var role = RoleOf(TextOf(root, "role"));
        fault =
            !Identity.TryParse(TextOf(root, "conversation"), out conversation)                                        ? ContentFault.Conversation
            : hasParent && !Identity.TryParse(parentMember.Text(), out parent)                                      ? ContentFault.Parent
            : role is MessageRole.None                                                                              ? ContentFault.Role
            : !Clock.TryParse(TextOf(root, "clock"), out clock)                                                       ? ContentFault.Clock
            : (text = TextOf(root, "text")) is null                                                                   ? ContentFault.Text
            : Optional(root, "model", out var modelMember) && (model = modelMember.Text()) is null                  ? ContentFault.Model
            : Optional(root, "state", out var stateMember) && !TryState(stateMember.Text(), out state)              ? ContentFault.State
            : Optional(root, "attachments", out var list) && !TryAttachments(list, out attachments)                 ? ContentFault.Attachments
            : Optional(root, "receipt", out var receipt) && receipt.ValueKind is not JsonValueKind.Object           ? ContentFault.Receipt
            : Optional(root, "origin", out var origin) && origin.ValueKind is not JsonValueKind.Object              ? ContentFault.Origin
            : ContentFault.None;
        return fault is not ContentFault.None ? null : new()
        {
            Id = item,
            Conversation = conversation,
            Parent = hasParent ? parent : null,
            Role = role,
            Clock = clock,
            Text = text!,
            Model = model,
            State = state,
            Attachments = attachments,
            Receipt = Optional(root, "receipt", out var kept) ? kept : null,
            Origin = Optional(root, "origin", out kept) ? kept : null,
            Unknown = UnknownOf(root, Members),
        };
    }

    private static void Write(Utf8JsonWriter writer, AttachmentReference attachment)
    {
        writer.WriteStartObject();
        writer.WriteString("id", attachment.Id.ToString());
        writer.WriteString("key", Base64.EncodeUrl(attachment.Key.Span));
        writer.WriteString("name", attachment.Name);
        writer.WriteString("type", attachment.Type);
        writer.WriteNumber("length", attachment.Length);
        writer.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter writer, string name, JsonElement? value)
    {
        if (value is { } present)
        {
            writer.WritePropertyName(name);
            present.WriteTo(writer);
        }
    }

    private static bool TryAttachments(JsonElement list, out ImmutableArray<AttachmentReference> attachments)
    {
        attachments = [];
        if (list.ValueKind is not JsonValueKind.Array || list.GetArrayLength() > MaxAttachments)
        {
            return false;
        }
        var read = ImmutableArray.CreateBuilder<AttachmentReference>(list.GetArrayLength());
        foreach (var one in list.EnumerateArray())
        {
            if (one.ValueKind is not JsonValueKind.Object
                || !Identity.TryParse(TextOf(one, "id"), out var id)
                || !Base64.TryDecodeUrl(TextOf(one, "key"), out byte[]? key) || key.Length != AttachmentReference.KeySize
                || TextOf(one, "name") is not { } name || TextOf(one, "type") is not { } type
                || !one.TryGetProperty("length", out var number) || number.ValueKind is not JsonValueKind.Number || !number.TryGetInt64(out long length) || length < 0)
            {
                return false;
            }
            read.Add(new(id, key, name, type, length));
        }
        attachments = read.MoveToImmutable();
        return true;
    }

    private static bool TryState(string? text, out MessageState state)
    {
        state = text is "stopped" ? MessageState.Stopped : MessageState.Failed;
        return text is "stopped" or "failed";
    }

    private static string RoleName(MessageRole role) => role switch
    {
        MessageRole.User      => "user",
        MessageRole.Assistant => "assistant",
        MessageRole.System    => "system",
        _                     => throw new InvalidOperationException("A message has a role."),
    };

    private static MessageRole RoleOf(string? name) => name switch
    {
        "user"      => MessageRole.User,
        "assistant" => MessageRole.Assistant,
        "system"    => MessageRole.System,
        _           => MessageRole.None,
    };

    private static string? TextOf(JsonElement root, string name) => root.TryGetProperty(name, out var member) ? member.Text() : null;

    // A member that is null is as good as none.
    private static bool Optional(JsonElement root, string name, out JsonElement member) =>
        root.TryGetProperty(name, out member) && member.ValueKind is not JsonValueKind.Null;
}
