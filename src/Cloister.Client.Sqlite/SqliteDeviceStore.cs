using Cloister.Client.History;
using Microsoft.Data.Sqlite;

namespace Cloister.Client.Sqlite;

/// <summary>
/// A device's store in one file of SQLite that only this user may read: a write-ahead log that is flushed with every commit. Several processes may have it open at once; each
/// batch is a transaction that excludes the others.
/// </summary>
public sealed class SqliteDeviceStore : DeviceStore
{
    // How long a process waits for another one's transaction, in seconds.
    private const int Patience = 20;

    private readonly SemaphoreSlim _turn = new(1, 1); // a connection is for one thread at a time
    private readonly SqliteConnection _connection;
    private readonly Dictionary<(StoreTable, string), SqliteCommand> _prepared = [];
    private bool _isClosed; // changed in turn

    private SqliteDeviceStore(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens the file, or makes it with mode 0600. Its folder must be there.</summary>
    /// <exception cref="StoreFailedException">It cannot be opened, or is no file of SQLite.</exception>
    public static SqliteDeviceStore Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = Patience }.ToString());
        var store = new SqliteDeviceStore(connection);
        try
        {
            KeepForThisUser(path);
            connection.Open();
            store.Execute("PRAGMA journal_mode = WAL");
            store.Execute("PRAGMA synchronous = FULL");
            store.Execute("PRAGMA cache_size = -16384"); // KiB
            foreach (var table in Enum.GetValues<StoreTable>())
            {
                store.Execute($"CREATE TABLE IF NOT EXISTS {NameOf(table)} (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
            }
            return store;
        }
        catch (Exception fault) when (fault is SqliteException or IOException or UnauthorizedAccessException)
        {
            connection.Dispose();
            throw Failed(fault);
        }
    }

    public override ValueTask<byte[]?> GetAsync(StoreTable table, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        InTurnAsync(() => Get(table, key.ToArray()), cancellationToken);

    public override ValueTask<byte[]?[]> GetAllAsync(StoreTable table, IReadOnlyList<ReadOnlyMemory<byte>> keys, CancellationToken cancellationToken) =>
        InTurnAsync<byte[]?[]>(() => [.. keys.Select(key => Get(table, key.ToArray()))], cancellationToken);

    public override ValueTask<IReadOnlyList<StoreRow>> ReadRangeAsync(StoreTable table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to, int limit, CancellationToken cancellationToken) =>
        InTurnAsync<IReadOnlyList<StoreRow>>(() => Read(table, from.ToArray(), to.ToArray(), limit), cancellationToken);

    public override async ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, CancellationToken cancellationToken) =>
        await InTurnAsync(() => Write(writes), cancellationToken).ConfigureAwait(false);

    public override async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            _isClosed = true;
            foreach (var command in _prepared.Values)
            {
                await command.DisposeAsync().ConfigureAwait(false);
            }
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            // Not disposed of: who waits for it, with a lock of their own, would wait for ever.
            _turn.Release();
        }
    }

    private byte[]? Get(StoreTable table, byte[] key)
    {
        var command = Prepare(table, "SELECT value FROM {0} WHERE key = $a");
        command.Parameters[0].Value = key;
        return (byte[]?)command.ExecuteScalar();
    }

    private List<StoreRow> Read(StoreTable table, byte[] from, byte[] to, int limit)
    {
        var command = Prepare(table, to.Length == 0 ? "SELECT key, value FROM {0} WHERE key >= $a AND $b IS NOT NULL ORDER BY key LIMIT $c" : "SELECT key, value FROM {0} WHERE key >= $a AND key < $b ORDER BY key LIMIT $c");
        (command.Parameters[0].Value, command.Parameters[1].Value, command.Parameters[2].Value) = (from, to, limit);
        using var rows = command.ExecuteReader();
        var read = new List<StoreRow>();
        while (rows.Read())
        {
            read.Add(new(rows.GetFieldValue<byte[]>(0), rows.GetFieldValue<byte[]>(1)));
        }
        return read;
    }

    // "Immediate": the transaction excludes others from its first line, so what is expected is still so when it commits.
    private bool Write(IReadOnlyList<StoreWrite> writes)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            foreach (var write in writes)
            {
                Apply(write);
            }
            Execute("COMMIT");
            return true;
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    // Where SQLite has done it by itself already (a full disk), there is nothing to roll back.
    private void RollBack()
    {
        try
        {
            Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
        }
    }

    private void Apply(StoreWrite write)
    {
        switch (write.Action)
        {
            case StoreAction.Put:
                Run(write.Table, "INSERT INTO {0} (key, value) VALUES ($a, $b) ON CONFLICT (key) DO UPDATE SET value = excluded.value", write.Key, write.Value!);
                break;
            case StoreAction.Delete:
                Run(write.Table, "DELETE FROM {0} WHERE key = $a", write.Key, null);
                break;
            case StoreAction.DeleteRange when write.Value!.Length == 0:
                Run(write.Table, "DELETE FROM {0} WHERE key >= $a", write.Key, null);
                break;
            case StoreAction.DeleteRange:
                Run(write.Table, "DELETE FROM {0} WHERE key >= $a AND key < $b", write.Key, write.Value!);
                break;
            case StoreAction.Expect:
                Expect(Get(write.Table, write.Key), write.Value);
                break;
            default:
                throw new ArgumentException("A write does something.", nameof(write));
        }
    }

    private static void Expect(byte[]? there, byte[]? expected)
    {
        if ((there is null) != (expected is null) || !there.AsSpan().SequenceEqual(expected))
        {
            throw new StoreConflictException();
        }
    }

    private void Run(StoreTable table, string statement, byte[] a, byte[]? b)
    {
        var command = Prepare(table, statement);
        command.Parameters[0].Value = a;
        command.Parameters[1].Value = (object?)b ?? DBNull.Value;
        command.ExecuteNonQuery();
    }

    // Statements are constants of this file, prepared once for each table.
    private SqliteCommand Prepare(StoreTable table, string statement)
    {
        if (!_prepared.TryGetValue((table, statement), out var command))
        {
            command = Command(string.Format(System.Globalization.CultureInfo.InvariantCulture, statement, NameOf(table)));
            foreach (string name in (string[])["$a", "$b", "$c"])
            {
                command.Parameters.AddWithValue(name, DBNull.Value);
            }
            _prepared[(table, statement)] = command;
        }
        return command;
    }

    private void Execute(string statement)
    {
        using var command = Command(statement);
        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string statement)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // made of constants of this file and the names of an enum
        command.CommandText = statement;
#pragma warning restore CA2100
        return command;
    }

    private async ValueTask<T> InTurnAsync<T>(Func<T> act, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _isClosed ? throw new StoreFailedException("This device's store is closed.") : act();
        }
        catch (SqliteException fault)
        {
            throw Failed(fault);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static StoreFailedException Failed(Exception fault) => fault is SqliteException { SqliteErrorCode: 13 }
        ? new("The disk is full: nothing of this was written.", fault)
        : new($"This device's store does not work: {fault.Message}", fault);

    // SQLite gives its two side files the mode of this one. A file that is there is not opened here: closing it would take away, from another store of this
    // process that has it open, all locks that POSIX knows of.
    private static void KeepForThisUser(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        if (!File.Exists(path))
        {
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = ForThisUserOnly }).Dispose();
        }
        File.SetUnixFileMode(path, ForThisUserOnly);
    }

    private const UnixFileMode ForThisUserOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static string NameOf(StoreTable table) => $"t{(int)table}";
}
