using System.Data.Common;
using Cloister.Ledger;
using Npgsql;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>A connection of the pool, within a transaction or not.</summary>
internal sealed class PostgresStatements(NpgsqlConnection connection, CancellationToken cancellation) : Statements
{
    /// <summary>On which processes tell each other that sessions ended: an account's number.</summary>
    public const string EndedChannel = "cloister_ended";

    private NpgsqlBatchCommand? _last;

    public override string ForUpdate => " FOR UPDATE";

    /// <summary>Commits, with what is written last in the same way there and back. Not cancelled: nobody would know whether it happened, and who listens would not be told.</summary>
    public async Task CommitAsync(NpgsqlTransaction transaction)
    {
        if (_last is null)
        {
            await transaction.CommitAsync(CancellationToken.None);
            return;
        }
        await using var writes = new NpgsqlBatch(connection) { BatchCommands = { _last, new NpgsqlBatchCommand("COMMIT") } };
        await writes.ExecuteNonQueryAsync(CancellationToken.None);
    }

    public override async Task<int> ExecuteAsync(string statement, params object?[] values)
    {
        await using var command = Make(statement, values);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    public override async Task<List<T>> QueryAsync<T>(string statement, Func<DbDataReader, T> read, params object?[] values)
    {
        await using var command = Make(statement, values);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var list = new List<T>();
        while (await rows.ReadAsync(cancellation))
        {
            list.Add(read(rows));
        }
        return list;
    }

    // One way there and back. The second statement sees what was committed when the first had the row: at this isolation each looks anew.
    public override async Task<LockedAccount?> LockAsync(AccountNumber account, Standing? standing, IReadOnlyList<SealedChange> changes)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { MakePart($"SELECT {LockedAccount.Columns} FROM accounts WHERE account = $1 AND ended = 0 FOR UPDATE", account.ToArray()) } };
        if (standing is not null)
        {
            batch.BatchCommands.Add(MakePart(
                $"SELECT item, version, size FROM ({Standing.Question}) AS standing LEFT JOIN items ON account = $3 AND item = ANY($4)",
                standing.Token, standing.Now, account.ToArray(), changes.Select(change => change.Item.ToArray()).ToArray()));
        }
        await using var rows = await batch.ExecuteReaderAsync(cancellation);
        var locked = await rows.ReadAsync(cancellation) ? LockedAccount.Read(rows) : null;
        if (locked is null || standing is null)
        {
            return locked;
        }
        await rows.NextResultAsync(cancellation);
        bool stands = false;
        for (; await rows.ReadAsync(cancellation); stands = true)
        {
            if (!await rows.IsDBNullAsync(0, cancellation))
            {
                locked.Items[Identity.Read(Bytes(rows, 0))] = (rows.GetInt64(1), rows.GetInt64(2));
            }
        }
        return stands ? locked : null;
    }

    public override Task WriteAsync(AccountNumber account, ChangeBatch batch, long used)
    {
        byte[] number = account.ToArray(), head = batch.Head.Bytes.ToArray();
        long sequence = (long)batch.Head.Head.Sequence;
        _last = MakePart("""
            WITH
            changed AS (
                INSERT INTO items (account, item, version, sequence, size, sealed)
                SELECT $1, item, version, $2, octet_length(sealed), sealed FROM unnest($5::bytea[], $6::bigint[], $7::bytea[]) AS change (item, version, sealed)
                ON CONFLICT (account, item) DO UPDATE SET version = excluded.version, sequence = excluded.sequence, size = excluded.size, sealed = excluded.sealed),
            kept AS (INSERT INTO heads (account, sequence, head) VALUES ($1, $2, $3))
            UPDATE accounts SET sequence = $2, head = $3, used = $4 WHERE account = $1
            """,
            number, sequence, head, used,
            batch.Changes.Select(change => change.Item.ToArray()).ToArray(), batch.Changes.Select(change => (long)change.Version).ToArray(), batch.Changes.Select(change => change.Sealed.ToArray()).ToArray());
        return Task.CompletedTask;
    }

    public override Task TellEndedAsync(AccountNumber account) => ExecuteAsync($"SELECT pg_notify('{EndedChannel}', $1)", account.ToString());

    private NpgsqlCommand Make(string statement, object?[] values)
    {
        ThrowIfWritten();
#pragma warning disable CA2100 // every statement is a constant of this program
        var command = new NpgsqlCommand(statement, connection);
#pragma warning restore CA2100
        foreach (object? value in values)
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }
        return command;
    }

    private NpgsqlBatchCommand MakePart(string statement, params object[] values)
    {
        ThrowIfWritten();
#pragma warning disable CA2100 // every statement is a constant of this program
        var command = new NpgsqlBatchCommand(statement);
#pragma warning restore CA2100
        foreach (object value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return command;
    }

    private void ThrowIfWritten()
    {
        if (_last is not null)
        {
            throw new InvalidOperationException("A batch is written last.");
        }
    }
}
