using System.Data.Common;
using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>Where accounts are: SQLite in one file for one process, or PostgreSQL for several.</summary>
internal abstract class Database : IAsyncDisposable
{
    /// <summary>32 bytes that all processes with this database share and nobody else knows: they authenticate challenges.</summary>
    public byte[] Key { get; protected set; } = [];

    /// <summary>Whether it is the database's fault, or the way to it: whoever asked asks again.</summary>
    public static bool IsFault(Exception fault) => fault is DbException or IOException or TimeoutException;

    /// <summary>Brings the schema to this program's version.</summary>
    /// <exception cref="AccountsDatabaseException">It is not there, another process's, or of a newer program.</exception>
    public abstract Task OpenAsync(CancellationToken cancellation);

    /// <summary>Each statement by itself.</summary>
    public abstract Task<T> ReadAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation);

    /// <summary>All statements see the same state.</summary>
    public abstract Task<T> SnapshotAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation);

    /// <summary>All or nothing, and durable when it returns. The work may run again from its start, so it changes nothing but the database. Cancelled, nothing of it happened; once the work is done it is not cancelled any more.</summary>
    /// <remarks>Who changes anything of an account takes its row first (<see cref="Statements.ForUpdate"/>): the database orders the account's changes.</remarks>
    public abstract Task<T> WriteAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation);

    /// <summary>The same for what takes that account, or makes it: who would only wait for its row waits before that, with nothing in hand that other accounts need.</summary>
    public virtual Task<T> WriteAsync<T>(AccountNumber account, Func<Statements, Task<T>> work, CancellationToken cancellation) => WriteAsync(work, cancellation);

    /// <summary>Tells everybody who listens to the account, at every process, of its newest head. After its transaction: docs/decisions/0013.</summary>
    public abstract void Announce(AccountNumber account, ulong sequence);

    public abstract ValueTask DisposeAsync();
}
