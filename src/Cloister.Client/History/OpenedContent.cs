using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Client.History;

/// <summary>What an opened item says and where it belongs.</summary>
/// <param name="Place">The conversation; zeros for what belongs to none.</param>
/// <param name="Content">Null for a tombstone, and for what this program does not understand: that is kept and not shown.</param>
/// <param name="IsTombstone">Which of the two.</param>
internal readonly record struct OpenedContent(Identity Place, ItemContent? Content, bool IsTombstone)
{
    public static OpenedContent Read(VaultKeys keys, SealedChange change, OpenedItem opened)
    {
        if (change.IsTombstone)
        {
            return new(default, null, true);
        }
        return ItemContent.TryParse(opened.Item, opened.Content, out var content, out _) ? content switch
        {
            Message message => new(message.Conversation, message, false),
            // Named by what they are about: under another name they are not what every other device calls by it.
            Registers registers when registers.Name(keys) == opened.Item => new(PlaceOf(registers.Kind, registers.Subject), registers, false),
            _ => default,
        } : new(PlaceOf(keys, opened), null, false);
    }

    // What is not understood belongs somewhere all the same: it goes with its conversation, and is shown there by a later program.
    private static Identity PlaceOf(VaultKeys keys, OpenedItem opened) =>
        ItemContent.ConversationOf(opened.Content, out bool asRegisters) is { } conversation && (!asRegisters || keys.Name(RegisterKind.Conversation, $"{conversation}") == opened.Item)
            ? conversation
            : default;

    /// <summary>Where registers belong: those of a conversation to it, so that one reading has all of it.</summary>
    public static Identity PlaceOf(string kind, string subject) => kind == RegisterKind.Conversation && Identity.TryParse(subject, out var conversation) ? conversation : default;
}
