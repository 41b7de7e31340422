namespace Cloister.Vault.History;

/// <summary>Why an opened item is no content. It was sealed by a device of the user's, so this is never the operator's doing: a newer program's, or a wrong one's. Such an item is kept and not shown.</summary>
public enum ContentFault : byte
{
    /// <summary>Zero is the failing value: nothing was read.</summary>
    Unread = 0,
    None = 1,
    /// <summary>More than 1 MiB.</summary>
    TooLong = 2,
    /// <summary>Not UTF-8, not JSON, a member twice, nested more than 32 deep, or half a character in a string.</summary>
    NotJson = 3,
    /// <summary>Not an object with a <c>kind</c> that is text.</summary>
    Kind = 4,
    Conversation = 5,
    Parent = 6,
    Role = 7,
    Clock = 8,
    Text = 9,
    Model = 10,
    State = 11,
    Attachments = 12,
    Receipt = 13,
    Origin = 14,
    /// <summary>Registers without <c>subject</c>.</summary>
    Subject = 15,
    /// <summary>Registers without <c>fields</c>, or with one that has no value or no clock.</summary>
    Fields = 16,
}
