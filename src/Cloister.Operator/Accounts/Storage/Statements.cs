using System.Data.Common;
using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>Statements on one connection, most of them the same text for both databases: <c>$1</c> and so on are values, which are <see cref="long"/>, <see cref="string"/>, bytes or null.</summary>
internal abstract class Statements
{
    /// <summary>Behind a <c>SELECT</c>: keeps its rows for this transaction. Nothing where there is one writer.</summary>
    public abstract string ForUpdate { get; }

    public abstract Task<int> ExecuteAsync(string statement, params object?[] values);

    public abstract Task<List<T>> QueryAsync<T>(string statement, Func<DbDataReader, T> read, params object?[] values);

    public async Task<T?> FirstAsync<T>(string statement, Func<DbDataReader, T> read, params object?[] values) where T : class => (await QueryAsync(statement, read, values)) is [var first, ..] ? first : null;

    /// <summary>Takes the account for this transaction. Null where there is no such account.</summary>
    public Task<LockedAccount?> LockAsync(AccountNumber account) => LockAsync(account, null, []);

    /// <summary>Takes the account for this transaction, and reads what a batch is compared with. Null where there is no such account, or the session is over.</summary>
    /// <param name="standing">Who is signed in, looked for when the account is taken: a session that ends is ended by whoever has the account. Null where nobody need be, who then brings no changes.</param>
    public abstract Task<LockedAccount?> LockAsync(AccountNumber account, Standing? standing, IReadOnlyList<SealedChange> changes);

    /// <summary>Writes a batch that was compared. Nothing follows it in its transaction.</summary>
    public abstract Task WriteAsync(AccountNumber account, ChangeBatch batch, long used);

    /// <summary>Tells the other processes, when this transaction is committed, that sessions of the account ended.</summary>
    public abstract Task TellEndedAsync(AccountNumber account);

    public static byte[] Bytes(DbDataReader row, int column) => row.GetFieldValue<byte[]>(column);

    public static byte[]? BytesOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);
}

/// <summary>A session that must still be there.</summary>
/// <param name="Token">Its hash.</param>
/// <param name="Now">In seconds: when it must not have run out.</param>
internal sealed record Standing(byte[] Token, long Now)
{
    /// <summary>A row where it is there; token and now are the values.</summary>
    public const string Question = "SELECT 1 FROM sessions WHERE token = $1 AND expires > $2";
}

/// <summary>An account within a transaction that nobody else writes to it in.</summary>
/// <param name="HeadKey">Of the epoch.</param>
/// <param name="Sequence">Of the newest head; 0 where there is none.</param>
/// <param name="Head">The newest, signed; null where there is none.</param>
/// <param name="Items">Of the changes' items those that are there: version, and the bytes that its newest version has.</param>
internal sealed record LockedAccount(long Epoch, byte[] HeadKey, long Sequence, byte[]? Head, long Used, Dictionary<Identity, (long Version, long Size)> Items)
{
    /// <summary>Of the account's row.</summary>
    public const string Columns = "epoch, head_key, sequence, head, used";

    /// <summary>The newest head, read; null where there is none.</summary>
    public SignedHead? Newest => Head is null ? null : ParseHead(Head);

    public static SignedHead ParseHead(byte[] stored) => SignedHead.TryParse(stored, out var head, out _) ? head : throw new InvalidOperationException("A stored head is none.");

    public static LockedAccount Read(DbDataReader row) => new(row.GetInt64(0), Statements.Bytes(row, 1), row.GetInt64(2), Statements.BytesOrNull(row, 3), row.GetInt64(4), []);
}
