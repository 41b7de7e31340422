using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.Exchange;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Client.History;

/// <summary>What a user does to a history on this device. Each is one batch: sealed and in the outbox, durable, before it is shown; the operator is not asked.</summary>
internal sealed class HistoryEdits(HistoryBook book)
{
    // Of an import in one batch, and in bytes what ends it.
    private const int Many = 500;
    private const int Much = 8 << 20;

    private readonly record struct Edit(Identity Place, Identity Item, ItemContent? Content, TouchKind Kind);

    // What of an import the history did not take.
    private readonly record struct LeftAlone(int NotUnderstood, int TooLarge)
    {
        public static LeftAlone operator +(LeftAlone one, LeftAlone other) => new(one.NotUnderstood + other.NotUnderstood, one.TooLarge + other.TooLarge);
    }

    public Task<Message> AddAsync(MessageDraft draft, CancellationToken cancellationToken)
    {
        var id = Identity.Generate();
        return book.WriteAsync(async batch =>
        {
            Clock? before = draft.Parent is { } parent && await ContentAsync(draft.Conversation, parent, cancellationToken).ConfigureAwait(false) is Message answered ? answered.Clock : null;
            var message = draft.ToMessage(id, Clock.After(book.Time.GetUtcNow(), before, book.Device));
            await PutAsync(batch, message, cancellationToken).ConfigureAwait(false);
            return message;
        }, cancellationToken);
    }

    // What is known already is not written again: it may have been written by a call that could not say so, and deleted since. Nor is an answer to what was deleted while it was on the way.
    public Task KeepAsync(Message message, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
        !IsKnown(message.Id, await book.SubtreesAsync([message.Id], cancellationToken).ConfigureAwait(false))
        && !(message.Role is MessageRole.Assistant && await IsDeletedAsync(message.Conversation, cancellationToken).ConfigureAwait(false))
        && await PutAsync(batch, message, cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task SetAsync(string kind, string subject, string field, JsonNode? value, CancellationToken cancellationToken) =>
        book.WriteAsync(async batch => await PutAsync(batch, [await ChangeAsync(kind, subject, registers => Change(registers, field, value), cancellationToken).ConfigureAwait(false)], cancellationToken).ConfigureAwait(false), cancellationToken);

    public Task DeleteMessageAsync(Identity conversation, Identity message, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
        await ContentAsync(conversation, message, cancellationToken).ConfigureAwait(false) is Message
        && await PutAsync(batch, [new(conversation, message, null, TouchKind.Gone)], cancellationToken).ConfigureAwait(false), cancellationToken);

    // Also what was never sent gets a tombstone: a batch that the operator refused may be on its way all the same, and would bring it back.
    public Task DeleteConversationAsync(Identity conversation, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
    {
        var held = await book.ViewAllAsync(conversation, cancellationToken).ConfigureAwait(false);
        if (held.Count == 0)
        {
            return false;
        }
        var header = await ChangeAsync(RegisterKind.Conversation, $"{conversation}", registers => ConversationHeader.Delete(registers, book.Time.GetUtcNow(), book.Device), cancellationToken).ConfigureAwait(false);
        return await PutAsync(batch, [header, .. held.Where(item => item.Item != header.Item).Select(item => new Edit(conversation, item.Item, null, TouchKind.Gone))], cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>Everything before a fault in the file is imported; so it may be imported again.</summary>
    public async Task<ImportOutcome> ImportAsync(Stream source, CancellationToken cancellationToken)
    {
        var import = new HistoryImport(source, book.Keys);
        var waiting = new Dictionary<Identity, ImportedItem>();
        int much = 0;
        var (left, attachments) = (default(LeftAlone), 0);
        await foreach (var found in import.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            attachments += found is ImportedAttachment { Offset: 0 } ? 1 : 0;
            if (found is ImportedItem item)
            {
                waiting[item.Item] = waiting.TryGetValue(item.Item, out var twice) ? item with { Content = item.Into(twice.Content) } : item;
                much += item.Content.ToBytes().Length;
                if (waiting.Count == Many || much > Much)
                {
                    left += await TakeAsync(waiting, cancellationToken).ConfigureAwait(false);
                    waiting.Clear();
                    much = 0;
                }
            }
        }
        left += await TakeAsync(waiting, cancellationToken).ConfigureAwait(false);
        return Tell(import.Outcome, left, attachments);
    }

    private Task<LeftAlone> TakeAsync(Dictionary<Identity, ImportedItem> imported, CancellationToken cancellationToken) => book.WriteAsync(async batch =>
    {
        var edits = new List<Edit>();
        var left = default(LeftAlone);
        var subtrees = await book.SubtreesAsync(imported.Keys, cancellationToken).ConfigureAwait(false);
        foreach (var (item, found) in imported)
        {
            var place = found.Content is Message message ? message.Conversation : OpenedContent.PlaceOf(found.Content.Kind, ((Registers)found.Content).Subject);
            bool known = IsKnown(item, subtrees);
            if (known && (found.Content is Message || await book.ViewAsync(place, item, cancellationToken).ConfigureAwait(false) is null))
            {
                continue;
            }
            var here = known ? await ContentAsync(place, item, cancellationToken).ConfigureAwait(false) : null;
            var content = here is null ? found.Content : found.Into(here);
            bool fits = content is Message || content.ToBytes().Length <= Registers.MaxAlone;
            left += new LeftAlone(known && here is null ? 1 : 0, fits ? 0 : 1);
            if (fits && (!known || (here is not null && !IsSame(here, content))))
            {
                edits.Add(new(place, item, content, known ? TouchKind.Changed : TouchKind.Appeared));
            }
        }
        await PutAsync(batch, edits, cancellationToken).ConfigureAwait(false);
        return left;
    }, cancellationToken);

    private static ImportOutcome Tell(ImportOutcome outcome, LeftAlone left, int attachments)
    {
        ImportNote[] notes =
        [
            .. Note(attachments, "attachments were not imported: a message names its attachments, and an import takes no bytes of them."),
            .. Note(left.NotUnderstood, "items are here as a newer program or a newer key wrote them, and stayed as they are."),
            .. Note(left.TooLarge, "items are larger, on their own or with what is here, than is kept in one piece, and were left out."),
        ];
        return outcome with { Attachments = 0, Notes = [.. notes, .. outcome.Notes], NoteCount = outcome.NoteCount + notes.Length };

        static IEnumerable<ImportNote> Note(int count, string sentence) => count > 0 ? [new(0, $"{count} {sentence}")] : [];
    }

    // Tombstones too.
    private bool IsKnown(Identity item, Dictionary<int, Subtree> subtrees) =>
        book.State.Unsent.ContainsKey(item) || book.State.InFlight.ContainsKey(item) || subtrees[ItemTree.PrefixOf(item)].Find(item) is not null;

    private Registers Change(Registers registers, string field, JsonNode? value) => registers.With(field, value, book.Time.GetUtcNow(), book.Device);

    private async ValueTask<Edit> ChangeAsync(string kind, string subject, Func<Registers, Registers> change, CancellationToken cancellationToken)
    {
        var (place, item) = (OpenedContent.PlaceOf(kind, subject), book.Keys.Name(kind, subject));
        var held = await book.ViewAsync(place, item, cancellationToken).ConfigureAwait(false);
        var content = held is null ? new Registers(kind, subject) : (await book.OpenAsync([held], cancellationToken).ConfigureAwait(false))[0].Content;
        var changed = change(content as Registers ?? throw new InvalidOperationException("This was written under a newer key, or by a newer program, and is not understood here."));
        return changed.ToBytes().Length <= Registers.MaxAlone ? new(place, item, changed, TouchKind.Changed) : throw new ArgumentException("That is too large to be kept in one piece.");
    }

    private async ValueTask<ItemContent?> ContentAsync(Identity place, Identity item, CancellationToken cancellationToken) =>
        await book.ViewAsync(place, item, cancellationToken).ConfigureAwait(false) is { } held ? (await book.OpenAsync([held], cancellationToken).ConfigureAwait(false))[0].Content : null;

    private async ValueTask<bool> IsDeletedAsync(Identity conversation, CancellationToken cancellationToken) =>
        !book.List.Header(conversation).IsShown && await ContentAsync(conversation, book.Keys.Name(RegisterKind.Conversation, $"{conversation}"), cancellationToken).ConfigureAwait(false) is Registers;

    private async ValueTask<bool> PutAsync(WriteBatch batch, Message message, CancellationToken cancellationToken)
    {
        var conversation = message.Conversation;
        var edits = new List<Edit> { new(conversation, message.Id, message, TouchKind.Appeared) };
        var header = book.Keys.Name(RegisterKind.Conversation, $"{conversation}");
        if (await book.ViewAsync(conversation, header, cancellationToken).ConfigureAwait(false) is null)
        {
            edits.Add(new(conversation, header, Change(new(RegisterKind.Conversation, $"{conversation}"), ConversationHeader.DeletedField, JsonValue.Create(false)), TouchKind.Changed));
        }
        return await PutAsync(batch, edits, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> PutAsync(WriteBatch batch, IReadOnlyList<Edit> edits, CancellationToken cancellationToken)
    {
        var subtrees = await book.SubtreesAsync(edits.Select(edit => edit.Item), cancellationToken).ConfigureAwait(false);
        PlainItem[] plain = [.. edits.Where(edit => edit.Content is not null).Select(edit => new PlainItem(edit.Item, VersionOf(edit.Item), edit.Content!.ToBytes()))];
        var changes = (await book.Keys.SealAsync(plain, cancellationToken).ConfigureAwait(false)).ToDictionary(change => change.Item);
        foreach (var edit in edits)
        {
            batch.PutUnsent(new(edit.Place, edit.Item, VersionOf(edit.Item), changes.TryGetValue(edit.Item, out var change) ? change.Sealed : default));
            batch.Touches.Add(new(edit.Place, edit.Item, edit.Kind, edit.Content));
        }
        return edits.Count > 0;

        // What is in flight counts as taken; if it turns out not to be, what comes after it is sealed again (Sending.DissolveAsync).
        ulong VersionOf(Identity item) => 1 + (book.State.InFlight.TryGetValue(item, out var sent) ? sent.Version : subtrees[ItemTree.PrefixOf(item)].Find(item)?.Version ?? 0);
    }

    private static bool IsSame(ItemContent one, ItemContent other) => one.ToBytes().AsSpan().SequenceEqual(other.ToBytes());
}
