using System.Data.Common;
using System.Globalization;
using Cloister.Ledger;
using Microsoft.Data.Sqlite;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>A connection to the file and its prepared statements. Nothing here waits for anything but the disk, so every task has ended when it is returned.</summary>
internal sealed class SqliteStatements : Statements, IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _prepared = [];

    public SqliteStatements(string file)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false, DefaultTimeout = 10 }.ToString());
        _connection.Open();
    }

    public override string ForUpdate => "";

    public int Execute(string statement, params object?[] values) => Prepare(statement, values).ExecuteNonQuery();

    public override Task<int> ExecuteAsync(string statement, params object?[] values) => Task.FromResult(Execute(statement, values));

    public override Task<List<T>> QueryAsync<T>(string statement, Func<DbDataReader, T> read, params object?[] values)
    {
        using var rows = Prepare(statement, values).ExecuteReader();
        var list = new List<T>();
        while (rows.Read())
        {
            list.Add(read(rows));
        }
        return Task.FromResult(list);
    }

    public override async Task<LockedAccount?> LockAsync(AccountNumber account, Standing? standing, IReadOnlyList<SealedChange> changes)
    {
        if (standing is not null && await QueryAsync(Standing.Question, row => 0, standing.Token, standing.Now) is [])
        {
            return null;
        }
        var locked = await FirstAsync($"SELECT {LockedAccount.Columns} FROM accounts WHERE account = $1 AND ended = 0", LockedAccount.Read, account.ToArray());
        foreach (var change in locked is null ? [] : changes)
        {
            foreach (var item in await QueryAsync("SELECT version, size FROM items WHERE account = $1 AND item = $2", row => (row.GetInt64(0), row.GetInt64(1)), account.ToArray(), change.Item.ToArray()))
            {
                locked!.Items[change.Item] = item;
            }
        }
        return locked;
    }

    public override Task WriteAsync(AccountNumber account, ChangeBatch batch, long used)
    {
        byte[] number = account.ToArray(), head = batch.Head.Bytes.ToArray();
        long sequence = (long)batch.Head.Head.Sequence;
        foreach (var change in batch.Changes)
        {
            Execute("""
                INSERT INTO items (account, item, version, sequence, size, sealed) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (account, item) DO UPDATE SET version = excluded.version, sequence = excluded.sequence, size = excluded.size, sealed = excluded.sealed
                """, number, change.Item.ToArray(), (long)change.Version, sequence, (long)change.Sealed.Length, change.Sealed.ToArray());
        }
        Execute("INSERT INTO heads (account, sequence, head) VALUES ($1, $2, $3)", number, sequence, head);
        Execute("UPDATE accounts SET sequence = $2, head = $3, used = $4 WHERE account = $1", number, sequence, head, used);
        return Task.CompletedTask;
    }

    // There is no other process.
    public override Task TellEndedAsync(AccountNumber account) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
        {
            command.Dispose();
        }
        _connection.Dispose();
    }

    private SqliteCommand Prepare(string statement, object?[] values)
    {
        if (!_prepared.TryGetValue(statement, out var command))
        {
            command = _connection.CreateCommand();
#pragma warning disable CA2100 // every statement is a constant of this program
            command.CommandText = statement;
#pragma warning restore CA2100
            for (int i = 1; i <= values.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = string.Create(CultureInfo.InvariantCulture, $"${i}") });
            }
            _prepared[statement] = command;
        }
        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
        return command;
    }
}
