using System.Data.Common;
using Cloister.Ledger;
using Npgsql;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>A connection of the pool, within a transaction or not.</summary>
internal sealed class PostgresStatements(NpgsqlConnection connection, CancellationToken cancellation) : Statements
{
    /// <summary>On which processes tell each other that sessions ended: an account's number.</summary>
    public const string EndedChannel = "cloister_ended";

    public override string ForUpdate => " FOR UPDATE";

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

    // One way there and back. What follows the first statement sees what was committed when that had the row: at this isolation each statement looks anew.
    public override async Task<LockedAccount?> LockAsync(AccountNumber account, Standing? standing, IReadOnlyList<SealedChange> changes)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                MakePart($"SELECT {LockedAccount.Columns} FROM accounts WHERE account = $1 AND ended = 0 FOR UPDATE", account.ToArray()),
                MakePart("SELECT item, version, size FROM items WHERE account = $1 AND item = ANY($2)", account.ToArray(), changes.Select(change => change.Item.ToArray()).ToArray()),
            },
        };
        if (standing is not null)
        {
            batch.BatchCommands.Add(MakePart(Standing.Question, standing.Token, standing.Now));
        }
        await using var rows = await batch.ExecuteReaderAsync(cancellation);
        var locked = await rows.ReadAsync(cancellation) ? LockedAccount.Read(rows) : null;
        await rows.NextResultAsync(cancellation);
        while (locked is not null && await rows.ReadAsync(cancellation))
        {
            locked.Items[Identity.Read(Bytes(rows, 0))] = (rows.GetInt64(1), rows.GetInt64(2));
        }
        return standing is null || (await rows.NextResultAsync(cancellation) && await rows.ReadAsync(cancellation)) ? locked : null;
    }

    public override async Task WriteAsync(AccountNumber account, ChangeBatch batch, long used)
    {
        byte[] number = account.ToArray(), head = batch.Head.Bytes.ToArray();
        long sequence = (long)batch.Head.Head.Sequence;
        await using var writes = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                MakePart("""
                    INSERT INTO items (account, item, version, sequence, size, sealed)
                    SELECT $1, item, version, $2, octet_length(sealed), sealed FROM unnest($3::bytea[], $4::bigint[], $5::bytea[]) AS change (item, version, sealed)
                    ON CONFLICT (account, item) DO UPDATE SET version = excluded.version, sequence = excluded.sequence, size = excluded.size, sealed = excluded.sealed
                    """,
                    number, sequence,
                    batch.Changes.Select(change => change.Item.ToArray()).ToArray(), batch.Changes.Select(change => (long)change.Version).ToArray(), batch.Changes.Select(change => change.Sealed.ToArray()).ToArray()),
                MakePart("INSERT INTO heads (account, sequence, head) VALUES ($1, $2, $3)", number, sequence, head),
                MakePart("UPDATE accounts SET sequence = $2, head = $3, used = $4 WHERE account = $1", number, sequence, head, used),
            },
        };
        await writes.ExecuteNonQueryAsync(cancellation);
    }

    public override Task TellEndedAsync(AccountNumber account) => ExecuteAsync($"SELECT pg_notify('{EndedChannel}', $1)", account.ToString());

    private NpgsqlCommand Make(string statement, object?[] values)
    {
#pragma warning disable CA2100 // every statement is a constant of this program
        var command = new NpgsqlCommand(statement, connection);
#pragma warning restore CA2100
        foreach (object? value in values)
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }
        return command;
    }

    private static NpgsqlBatchCommand MakePart(string statement, params object[] values)
    {
#pragma warning disable CA2100 // every statement is a constant of this program
        var command = new NpgsqlBatchCommand(statement);
#pragma warning restore CA2100
        foreach (object value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return command;
    }
}
