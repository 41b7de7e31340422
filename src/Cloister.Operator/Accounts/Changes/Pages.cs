using Cloister.Ledger;
using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts.Changes;

/// <summary>What changed after a sequence, in whole batches. Docs/spec/accounts.md, section 3.</summary>
internal static class Pages
{
    private const long Usual = ChangeBatch.MaxSize;

    // Ours to choose: many batches of the largest kind, so that at least one is whole.
    private const int MaxRows = 20_000;

    /// <param name="newest">The account's head, of the same state as the statements.</param>
    public static async Task<ChangePage> ReadAsync(Statements statements, AccountNumber account, SignedHead newest, ulong after)
    {
        byte[] number = account.ToArray();
        ulong end = newest.Head.Sequence;
        if (after >= end)
        {
            return new(newest, end, [], []);
        }
        long start = (long)after;
        if (after > 0)
        {
            end = Math.Min(end, after + ChangePage.MaxHeads);
        }
        long through = await ThroughAsync(statements, number, start, (long)end);
        var heads = after == 0 ? [] : await statements.QueryAsync("SELECT head FROM heads WHERE account = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence", row => LockedAccount.ParseHead(Statements.Bytes(row, 0)), number, start, through);
        var changes = await statements.QueryAsync(
            "SELECT item, version, sealed FROM items WHERE account = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence",
            row => new SealedChange(Identity.Read(Statements.Bytes(row, 0)), (ulong)row.GetInt64(1), Statements.Bytes(row, 2)), number, start, through);
        return new(newest, (ulong)through, [.. heads], [.. changes]);
    }

    // Up to which batch a page reaches: the first with which it is full, or the last.
    private static async Task<long> ThroughAsync(Statements statements, byte[] account, long after, long end)
    {
        var rows = await statements.QueryAsync(
            $"SELECT sequence, size FROM items WHERE account = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT {MaxRows}",
            row => (Sequence: row.GetInt64(0), Size: row.GetInt64(1)), account, after, end);
        // Of the last batch that was read not all rows need be there. Then it is the next page's.
        long partial = rows.Count < MaxRows ? 0 : rows[^1].Sequence;
        long size = 0;
        foreach (var row in rows)
        {
            size += row.Size + SealedChange.HeaderSize;
            if (size >= Usual)
            {
                return row.Sequence == partial ? partial - 1 : row.Sequence;
            }
        }
        return partial > 0 ? partial - 1 : end;
    }
}
