using System.Collections.Immutable;
using System.Text;
using Cloister.Log.Storage;
using Cloister.Transparency;
using Microsoft.Data.Sqlite;

namespace Cloister.Log.Queue;

/// <summary>The queue in a file of SQLite: a write-ahead log that is flushed with every commit, locked for this process alone.</summary>
internal sealed class SqliteQueue : IPendingQueue
{
    private const int Busy = 5; // SQLITE_BUSY

    private readonly SqliteConnection _connection;
    private readonly string _folder;
    private readonly Disk _disk;

    public SqliteQueue(string folder, Disk disk)
    {
        (_folder, _disk) = (folder, disk);
        Directory.CreateDirectory(folder);
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, "queue.sqlite"), Pooling = false, DefaultTimeout = 1 }.ToString());
    }

    public async Task<PendingState> OpenAsync(string origin, CancellationToken cancellation)
    {
        try
        {
            await _connection.OpenAsync(cancellation);
            Execute("PRAGMA locking_mode = EXCLUSIVE");
            Execute("PRAGMA journal_mode = WAL");
            Execute("PRAGMA synchronous = FULL");
            Execute("CREATE TABLE IF NOT EXISTS pending (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, entries BLOB NOT NULL)");
            Execute("CREATE TABLE IF NOT EXISTS record (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, note TEXT NOT NULL)");
        }
        catch (SqliteException taken) when (taken.SqliteErrorCode == Busy)
        {
            throw new LogStoppedException(LogFault.Locked, $"Another process works with the queue in '{_folder}'.", taken);
        }
        _disk.FlushFolder(_folder);
        return new(ReadRecord(), ReadBatches());
    }

    public Task AppendAsync(PendingBatch batch, CancellationToken cancellation)
    {
        Execute("INSERT INTO pending (first, count, entries) VALUES ($first, $count, $entries)", ("$first", batch.First), ("$count", batch.Entries.Length), ("$entries", BatchRow.Encode(batch)));
        return Task.CompletedTask;
    }

    public Task RecordAsync(SignedNote checkpoint, long size, long previous, CancellationToken cancellation)
    {
        using var transaction = _connection.BeginTransaction();
        int written = previous < 0
            ? Execute("INSERT OR IGNORE INTO record (one, size, note) VALUES (1, $size, $note)", ("$size", size), ("$note", checkpoint.ToString()))
            : Execute("UPDATE record SET size = $size, note = $note WHERE size = $previous", ("$size", size), ("$note", checkpoint.ToString()), ("$previous", previous));
        if (written != 1)
        {
            throw new LogStoppedException(LogFault.RecordMoved, $"The queue does not hold the record of size {previous} any more.");
        }
        Execute("DELETE FROM pending WHERE first < $size", ("$size", size));
        transaction.Commit();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private SignedNote? ReadRecord()
    {
        using var command = Command("SELECT note FROM record");
        return command.ExecuteScalar() is not string text ? null
            : SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note, out _) ? note
            : throw new LogStoppedException(LogFault.OtherLog, "The queue's record is no note.");
    }

    private ImmutableArray<PendingBatch> ReadBatches()
    {
        using var command = Command("SELECT first, count, entries FROM pending ORDER BY first");
        using var rows = command.ExecuteReader();
        var batches = ImmutableArray.CreateBuilder<PendingBatch>();
        while (rows.Read())
        {
            batches.Add(BatchRow.Decode(rows.GetInt64(0), rows.GetInt32(1), rows.GetFieldValue<byte[]>(2)));
        }
        return batches.ToImmutable();
    }

    private int Execute(string statement, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var command = Command(statement, parameters);
        return command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string statement, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // every statement is a constant of this file
        command.CommandText = statement;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }
        return command;
    }
}
