using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>Takes out what is over.</summary>
internal static class Sweep
{
    // In steps, so that nobody else waits long for the one writer.
    private const long Step = 1_000;

    private static readonly string[] Steps =
    [
        "DELETE FROM items WHERE account = $1 AND item IN (SELECT item FROM items WHERE account = $1 LIMIT $2)",
        "DELETE FROM heads WHERE account = $1 AND sequence IN (SELECT sequence FROM heads WHERE account = $1 LIMIT $2)",
        "DELETE FROM parts WHERE account = $1 AND (attachment, part) IN (SELECT attachment, part FROM parts WHERE account = $1 LIMIT 16)",
    ];

    internal const string Ended = "SELECT account FROM accounts WHERE ended = 1";

    private const string Mark = """
        DELETE FROM accounts WHERE account = $1 AND ended = 1
        AND NOT EXISTS (SELECT 1 FROM items WHERE account = $1) AND NOT EXISTS (SELECT 1 FROM heads WHERE account = $1) AND NOT EXISTS (SELECT 1 FROM parts WHERE account = $1)
        """;

    /// <summary>Sessions, challenges and pairings whose time is up.</summary>
    public static Task OverdueAsync(Database database, DateTimeOffset now, CancellationToken cancellation) => database.WriteAsync(async statements =>
    {
        long second = now.ToUnixTimeSeconds();
        await statements.ExecuteAsync("DELETE FROM sessions WHERE expires <= $1", second);
        await statements.ExecuteAsync("DELETE FROM spent WHERE expires <= $1", second);
        return await statements.ExecuteAsync("DELETE FROM pairings WHERE expires <= $1", second);
    }, cancellation);

    /// <summary>Accounts that were deleted while this or another process was killed.</summary>
    public static async Task EndedAccountsAsync(Database database, CancellationToken cancellation)
    {
        foreach (byte[] account in await database.ReadAsync(statements => statements.QueryAsync(Ended, row => Statements.Bytes(row, 0)), cancellation))
        {
            await EndedAccountAsync(database, AccountNumber.Read(account), cancellation);
        }
    }

    /// <summary>All rows of an account that is marked as ended, and then the mark. Any number of processes may do it at once.</summary>
    public static async Task EndedAccountAsync(Database database, AccountNumber account, CancellationToken cancellation)
    {
        while (await database.WriteAsync(account, statements => StepAsync(statements, account.ToArray()), cancellation))
        {
            // Once more.
        }
    }

    // True while there may be more. With the account's row: the mark is there until nothing else is, and once it is gone the number may be somebody's again.
    private static async Task<bool> StepAsync(Statements statements, byte[] account)
    {
        if (await statements.QueryAsync($"SELECT 1 FROM accounts WHERE account = $1 AND ended = 1{statements.ForUpdate}", row => 0, account) is [])
        {
            return false;
        }
        foreach (string step in Steps)
        {
            if (await (step.Contains("$2", StringComparison.Ordinal) ? statements.ExecuteAsync(step, account, Step) : statements.ExecuteAsync(step, account)) > 0)
            {
                return true;
            }
        }
        return await statements.ExecuteAsync(Mark, account) == 0;
    }
}
