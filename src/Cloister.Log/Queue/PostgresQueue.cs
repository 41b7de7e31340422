using System.Collections.Immutable;
using System.Text;
using Cloister.Transparency;
using Npgsql;

namespace Cloister.Log.Queue;

/// <summary>The queue in PostgreSQL, on one connection that holds the writer's advisory lock: whoever loses the connection has lost the place, and can write nothing more.</summary>
internal sealed class PostgresQueue : IPendingQueue
{
    private readonly NpgsqlConnection _connection;
    private string _origin = "";

    public PostgresQueue(string connection) => _connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connection) { Pooling = false, ApplicationName = "cloister-log" }.ToString());

    public async Task<PendingState> OpenAsync(string origin, CancellationToken cancellation)
    {
        _origin = origin;
        await _connection.OpenAsync(cancellation);
        await ExecuteAsync("SET synchronous_commit = on", cancellation);
        await using (var taken = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended('cloister-log ' || $1, 0))", _connection) { Parameters = { new() { Value = origin } } })
        {
            if (await taken.ExecuteScalarAsync(cancellation) is not true)
            {
                throw new LogStoppedException(LogFault.Locked, $"Another process writes the log '{origin}' in this database.");
            }
        }
        await ExecuteAsync("CREATE TABLE IF NOT EXISTS cloister_log_pending (origin text, first bigint, count int NOT NULL, entries bytea NOT NULL, PRIMARY KEY (origin, first))", cancellation);
        await ExecuteAsync("CREATE TABLE IF NOT EXISTS cloister_log_record (origin text PRIMARY KEY, size bigint NOT NULL, note text NOT NULL)", cancellation);
        return new(await ReadRecordAsync(cancellation), await ReadBatchesAsync(cancellation));
    }

    public Task AppendAsync(PendingBatch batch, CancellationToken cancellation) => ExecuteAsync(
        "INSERT INTO cloister_log_pending (origin, first, count, entries) VALUES ($1, $2, $3, $4)", cancellation, _origin, batch.First, batch.Entries.Length, BatchRow.Encode(batch));

    public async Task RecordAsync(SignedNote checkpoint, long size, long previous, CancellationToken cancellation)
    {
        await using var transaction = await BeginAsync(cancellation);
        int written = previous < 0
            ? await ExecuteAsync("INSERT INTO cloister_log_record (origin, size, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", cancellation, _origin, size, checkpoint.ToString())
            : await ExecuteAsync("UPDATE cloister_log_record SET size = $2, note = $3 WHERE origin = $1 AND size = $4", cancellation, _origin, size, checkpoint.ToString(), previous);
        if (written != 1)
        {
            throw new LogStoppedException(LogFault.RecordMoved, $"The queue does not hold the record of size {previous} any more.");
        }
        await ExecuteAsync("DELETE FROM cloister_log_pending WHERE origin = $1 AND first < $2", cancellation, _origin, size);
        await transaction.CommitAsync(cancellation);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task<SignedNote?> ReadRecordAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT note FROM cloister_log_record WHERE origin = $1", _connection) { Parameters = { new() { Value = _origin } } };
        return await command.ExecuteScalarAsync(cancellation) is not string text ? null
            : SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note, out _) ? note
            : throw new LogStoppedException(LogFault.OtherLog, "The queue's record is no note.");
    }

    private async Task<ImmutableArray<PendingBatch>> ReadBatchesAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT first, count, entries FROM cloister_log_pending WHERE origin = $1 ORDER BY first", _connection) { Parameters = { new() { Value = _origin } } };
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var batches = ImmutableArray.CreateBuilder<PendingBatch>();
        while (await rows.ReadAsync(cancellation))
        {
            batches.Add(BatchRow.Decode(rows.GetInt64(0), rows.GetInt32(1), rows.GetFieldValue<byte[]>(2)));
        }
        return batches.ToImmutable();
    }

    private async Task<NpgsqlTransaction> BeginAsync(CancellationToken cancellation)
    {
        ThrowIfLost();
        return await _connection.BeginTransactionAsync(cancellation);
    }

    private async Task<int> ExecuteAsync(string statement, CancellationToken cancellation, params object[] parameters)
    {
        ThrowIfLost();
#pragma warning disable CA2100 // every statement is a constant of this file
        await using var command = new NpgsqlCommand(statement, _connection);
#pragma warning restore CA2100
        foreach (object value in parameters)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    // The lock went with the connection: this queue is not opened again behind anybody's back.
    private void ThrowIfLost()
    {
        if (_connection.State is not System.Data.ConnectionState.Open)
        {
            throw new IOException("The connection to the database is lost.");
        }
    }
}
