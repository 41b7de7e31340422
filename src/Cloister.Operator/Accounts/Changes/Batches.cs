using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;
using Cloister.Primitives;

namespace Cloister.Operator.Accounts.Changes;

/// <summary>Takes a batch or refuses it, within the account's order. Docs/spec/accounts.md, section 3.</summary>
internal sealed class Batches(AccountRoom room)
{
    /// <param name="verified">The head key under which the batch's head was verified before; null where it was not.</param>
    /// <returns>How the batch is answered, and whether it is new.</returns>
    public async Task<(Answer Answer, bool IsNew)> TakeAsync(Statements statements, SignedIn session, ChangeBatch batch, Ed25519PublicKey? verified)
    {
        var account = session.Account;
        if (await room.Sessions.LockAsync(statements, session, batch.Changes) is not { } locked)
        {
            return (Answer.NoSession, false);
        }
        var head = batch.Head.Head;
        ulong newest = (ulong)locked.Sequence;

        // The very same head: the device did not hear that it was taken.
        if (head.Sequence <= newest && await IsKnownAsync(statements, account, batch.Head, locked))
        {
            return (Taken(head.Sequence), false);
        }
        if (head.Epoch != locked.Epoch || !(verified is not null && verified.Bytes.SequenceEqual(locked.HeadKey) || batch.Head.IsSignedBy(new Ed25519PublicKey(locked.HeadKey))))
        {
            return (Answer.Signature, false);
        }
        if (head.Sequence != newest + 1 || !head.Previous.Span.SequenceEqual(locked.Newest?.Hash() ?? new byte[32]) || batch.Changes.Any(change => change.Version != VersionOf(locked, change) + 1))
        {
            return (Answer.Refuse(StatusCodes.Status409Conflict, "stale", "This does not follow the newest head: fetch first.", newest), false);
        }

        long used = locked.Used + Growth(locked, batch);
        long limit = batch.Changes.Any(change => !change.IsTombstone) ? room.Quota : room.Quota + (room.Quota / Usage.TombstoneShare);
        if (used > limit && used > locked.Used)
        {
            return (Answer.Full, false);
        }
        await statements.WriteAsync(account, batch, used);
        return (Taken(head.Sequence), true);
    }

    private static Answer Taken(ulong sequence) => Answer.Json(StatusCodes.Status200OK, new SequenceBody(sequence), AccountsJson.Default.SequenceBody);

    private static async Task<bool> IsKnownAsync(Statements statements, AccountNumber account, SignedHead head, LockedAccount locked)
    {
        byte[]? known = head.Head.Sequence == (ulong)locked.Sequence ? locked.Head
            : await statements.FirstAsync("SELECT head FROM heads WHERE account = $1 AND sequence = $2", row => Statements.Bytes(row, 0), account.ToArray(), (long)head.Head.Sequence);
        return known is not null && head.Bytes.Span.SequenceEqual(known);
    }

    private static ulong VersionOf(LockedAccount locked, SealedChange change) => locked.Items.TryGetValue(change.Item, out var item) ? (ulong)item.Version : 0;

    private static long Growth(LockedAccount locked, ChangeBatch batch) => Usage.PerHead + batch.Changes.Sum(change =>
        locked.Items.TryGetValue(change.Item, out var item) ? change.Sealed.Length - item.Size : change.Sealed.Length + Usage.PerItem);
}

/// <summary>What counts towards an account's quota, beside its sealed bytes. Ours to choose: near to what a row takes.</summary>
internal static class Usage
{
    /// <summary>For an item, a tombstone too.</summary>
    public const long PerItem = 64;

    /// <summary>For a head.</summary>
    public const long PerHead = 256;

    /// <summary>Tombstones are taken until an account holds this part of its quota above it: they make room, but their rows stay.</summary>
    public const long TombstoneShare = 8;
}
