using Cloister.Ledger;
using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts.Changes;

/// <summary>What changed after a sequence, in whole batches. Docs/spec/accounts.md, section 3.</summary>
internal static class Pages
{
    private const long Usual = ChangeBatch.MaxSize;

    // Ours to choose: many batches of the largest kind, so that at least one is whole.
    private const int MaxRows = 20_000;

    /// <summary>Null where there is no head yet. All of it is of one state.</summary>
    public static async Task<ChangePage?> ReadAsync(Statements statements, AccountNumber account, ulong after)
    {
        byte[] number = account.ToArray();
        if (await statements.FirstAsync($"SELECT {LockedAccount.Columns} FROM accounts WHERE account = $1 AND ended = 0", LockedAccount.Read, number) is not { Head: { } newest })
        {
            return null;
        }
        var head = Parse(newest);
        ulong end = head.Head.Sequence;
        if (after >= end)
        {
            return new(head, end, [], []);
        }
        long start = (long)after;
        if (after > 0)
        {
            end = Math.Min(end, after + ChangePage.MaxHeads);
        }
        long through = await ThroughAsync(statements, number, start, (long)end);
        var heads = after == 0 ? [] : await statements.QueryAsync("SELECT head FROM heads WHERE account = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence", row => Parse(Statements.Bytes(row, 0)), number, start, through);
        var changes = await statements.QueryAsync(
            "SELECT item, version, sealed FROM items WHERE account = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence",
            row => new SealedChange(Identity.Read(Statements.Bytes(row, 0)), (ulong)row.GetInt64(1), Statements.Bytes(row, 2)), number, start, through);
        return new(head, (ulong)through, [.. heads], [.. changes]);
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

    private static SignedHead Parse(byte[] head) => SignedHead.TryParse(head, out var signed, out _) ? signed : throw new InvalidOperationException("A stored head is none.");
}
