using System.Text.Json.Nodes;
using Cloister.Ledger;

namespace Cloister.Vault.History;

/// <summary>A conversation in the list (docs/spec/vault.md, section 6).</summary>
/// <param name="Id">Which.</param>
/// <param name="Title">Empty where it has none.</param>
/// <param name="Folder">In which it is; null for none.</param>
/// <param name="Order">Where the user put it; null where the user did not.</param>
/// <param name="Pinned">It stands before those that are not.</param>
/// <param name="Archived">The user put it away: it is in the list, for the user's program to show elsewhere.</param>
/// <param name="Deleted">It was deleted. It is shown all the same while a message of it lives.</param>
/// <param name="Leaf">The end of the branch last shown.</param>
/// <param name="Messages">How many live.</param>
/// <param name="Newest">The clock of the last of them; null where there is none.</param>
public sealed record ConversationHeader(Identity Id, string Title, Identity? Folder, FractionalIndex? Order, bool Pinned, bool Archived, bool Deleted, Identity? Leaf, int Messages, Clock? Newest)
{
    public const string TitleField = "title";
    public const string FolderField = "folder";
    public const string OrderField = "order";
    public const string PinnedField = "pinned";
    public const string LeafField = "leaf";
    public const string ArchivedField = "archived";
    public const string DeletedField = "deleted";

    /// <summary>A message that another device wrote meanwhile brings a deleted conversation back.</summary>
    public bool IsShown => Messages > 0 || !Deleted;

    /// <summary>The list's order: pinned first, by the user's order; then by the newest message, newest first; then by identity.</summary>
    public static IComparer<ConversationHeader> ListOrder { get; } = Comparer<ConversationHeader>.Create(Compare);

    /// <param name="conversation">Which.</param>
    /// <param name="registers">Of kind <c>conversation</c>; null where there are none: a message came without them.</param>
    /// <param name="messages">How many live.</param>
    /// <param name="newest">The clock of the last of them.</param>
    public static ConversationHeader Of(Identity conversation, Registers? registers, int messages, Clock? newest) => new(
        conversation,
        registers?.Text(TitleField) ?? "",
        registers?.Identity(FolderField),
        FractionalIndex.TryParse(registers?.Text(OrderField), out var order) ? order : null,
        registers?.IsTrue(PinnedField) is true,
        registers?.IsTrue(ArchivedField) is true,
        registers?.IsTrue(DeletedField) ?? true,
        registers?.Identity(LeafField),
        messages,
        newest);

    /// <summary>The registers of a conversation that is being deleted: nothing of it stays but that. Its messages become tombstones beside.</summary>
    public static Registers Delete(Registers conversation, DateTimeOffset now, Identity device)
    {
        var deleted = conversation.Fields.Keys.Where(field => field != DeletedField).Aggregate(conversation, (registers, field) => registers.With(field, null, now, device));
        return deleted.With(DeletedField, JsonValue.Create(true), now, device);
    }

    private static int Compare(ConversationHeader? a, ConversationHeader? b)
    {
        if (a is null || b is null)
        {
            return (a is null ? 0 : 1) - (b is null ? 0 : 1);
        }
        int byPin = b.Pinned.CompareTo(a.Pinned);
        int byOrder = byPin == 0 && a.Pinned ? FractionalIndex.Compare(a.Order, b.Order) : byPin;
        int byTime = byOrder == 0 ? Nullable.Compare(b.Newest, a.Newest) : byOrder;
        return byTime == 0 ? a.Id.CompareTo(b.Id) : byTime;
    }
}
