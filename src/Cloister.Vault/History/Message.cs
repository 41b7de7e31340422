using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Ledger;

namespace Cloister.Vault.History;

/// <summary>Who speaks.</summary>
public enum MessageRole : byte
{
    None = 0,
    User = 1,
    Assistant = 2,
    System = 3,
}

/// <summary>How an answer ended.</summary>
public enum MessageState : byte
{
    Complete = 0,
    /// <summary>The user stopped it.</summary>
    Stopped = 1,
    /// <summary>It broke off.</summary>
    Failed = 2,
}

/// <summary>One thing that was said: never changed. An edit, another answer and a branch are messages beside it, with the same parent.</summary>
public sealed partial class Message : ItemContent
{
    internal const string KindName = "message";

    public override string Kind => KindName;

    /// <summary>The item.</summary>
    public required Identity Id { get; init; }

    public required Identity Conversation { get; init; }

    /// <summary>What it answers or follows; null for a first one.</summary>
    public Identity? Parent { get; init; }

    public required MessageRole Role { get; init; }

    /// <summary>Later than its parent's.</summary>
    public required Clock Clock { get; init; }

    public required string Text { get; init; }

    /// <summary>Which model answered, where one did.</summary>
    public string? Model { get; init; }

    public MessageState State { get; init; }

    public ImmutableArray<AttachmentReference> Attachments { get; init; } = [];

    /// <summary>What the device verified before it sent the prompt: an object of the client's, kept as it is.</summary>
    public JsonElement? Receipt { get; init; }

    /// <summary>Of an imported message: an object with <c>service</c> and <c>id</c>, kept as it is.</summary>
    public JsonElement? Origin { get; init; }

    /// <summary>The order among siblings: by clock, then by identity.</summary>
    public static IComparer<Message> Order { get; } = Comparer<Message>.Create((a, b) => a.Clock == b.Clock ? a.Id.CompareTo(b.Id) : a.Clock.CompareTo(b.Clock));
}

/// <summary>An attachment that a message carries: where it is, and the key that opens it (docs/spec/vault.md, section 5).</summary>
/// <param name="Id">Names its parts at the operator.</param>
/// <param name="Key">32 bytes.</param>
/// <param name="Name">As the user's file was called.</param>
/// <param name="Type">Its media type, as the user's program took it to be.</param>
/// <param name="Length">In bytes.</param>
public sealed record AttachmentReference(Identity Id, ReadOnlyMemory<byte> Key, string Name, string Type, long Length)
{
    /// <summary>Of the key, in bytes.</summary>
    public const int KeySize = 32;
}

/// <summary>A message that is about to be written: it has no identity and no clock yet.</summary>
public sealed record MessageDraft(Identity Conversation, Identity? Parent, MessageRole Role, string Text)
{
    public string? Model { get; init; }

    public MessageState State { get; init; }

    public ImmutableArray<AttachmentReference> Attachments { get; init; } = [];

    public JsonElement? Receipt { get; init; }

    /// <param name="id">Random.</param>
    /// <param name="clock"><see cref="Clock.After"/> the parent's, where there is one.</param>
    public Message ToMessage(Identity id, Clock clock) => new()
    {
        Id = id,
        Conversation = Conversation,
        Parent = Parent,
        Role = Role,
        Clock = clock,
        Text = Text,
        Model = Model,
        State = State,
        Attachments = Attachments,
        Receipt = Receipt,
    };
}
