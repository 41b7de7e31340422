using System.Collections.Concurrent;
using System.Threading.Channels;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Changes;
using Microsoft.Data.Sqlite;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>Accounts in one file of SQLite, for this process alone. One writer: what waits when a commit begins is committed together, with one flush.</summary>
internal sealed class SqliteDatabase(string file, Feeds feeds) : Database
{
    // Ours to choose: large enough that the flush is a small part, small enough that nobody waits long.
    private const int MostTogether = 256;
    private const int Readers = 4;

    private readonly Channel<Write> _writes = Channel.CreateBounded<Write>(new BoundedChannelOptions(1024) { SingleReader = true });
    private readonly ConcurrentBag<SqliteStatements> _readers = [];
    private readonly SemaphoreSlim _reading = new(Readers);
    private FileStream? _lock;
    private SqliteStatements? _writer;
    private Task _writing = Task.CompletedTask;

    public override async Task OpenAsync(CancellationToken cancellation)
    {
        try
        {
            _lock = Take(Path.GetFullPath(file));
            _writer = new SqliteStatements(file);
            _writer.Execute("PRAGMA journal_mode = WAL");
            _writer.Execute("PRAGMA synchronous = FULL");
            _writer.Execute("PRAGMA secure_delete = FAST");
            _writer.Execute("PRAGMA wal_autocheckpoint = 4000");
            _writer.Execute("PRAGMA journal_size_limit = 67108864");
            _writer.Execute("PRAGMA cache_size = -65536");
            _writer.Execute("BEGIN IMMEDIATE");
            Key = await Schema.MigrateAsync(_writer, "BLOB", "INTEGER");
            _writer.Execute("COMMIT");
        }
        catch (Exception fault) when (fault is SqliteException or UnauthorizedAccessException or IOException and not AccountsDatabaseException)
        {
            throw new AccountsDatabaseException($"The database of accounts '{file}' cannot be opened: {fault.Message}", fault);
        }
        _writing = Task.Run(WriteAllAsync, CancellationToken.None);
    }

    public override Task<T> ReadAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation) => SnapshotAsync(work, cancellation);

    public override async Task<T> SnapshotAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            // The disk is waited for, so not on the thread that a socket brought its bytes on.
            return await Task.Run(async () =>
            {
                var reader = _readers.TryTake(out var idle) ? idle : new SqliteStatements(file);
                bool whole = false;
                try
                {
                    reader.Execute("BEGIN");
                    var result = await work(reader);
                    reader.Execute("COMMIT");
                    whole = true;
                    return result;
                }
                finally
                {
                    if (whole)
                    {
                        _readers.Add(reader);
                    }
                    else
                    {
                        reader.Dispose();
                    }
                }
            }, CancellationToken.None);
        }
        finally
        {
            _reading.Release();
        }
    }

    public override async Task<T> WriteAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation)
    {
        var write = new Write<T>(work);
        try
        {
            await _writes.Writer.WriteAsync(write, cancellation);
        }
        catch (ChannelClosedException)
        {
            throw new AccountsDatabaseException("The database of accounts is closed.");
        }
        return await write.Outcome;
    }

    public override void Announce(AccountNumber account, ulong sequence) => feeds.Tell(account, sequence);

    public override async ValueTask DisposeAsync()
    {
        _writes.Writer.TryComplete();
        await _writing;
        foreach (var reader in _readers)
        {
            reader.Dispose();
        }
        _writer?.Dispose();
        if (_lock is not null)
        {
            await _lock.DisposeAsync();
        }
        _reading.Dispose();
    }

    // A second process would not hear of the first one's heads. Ends with the process, however that ends.
    private static FileStream Take(string path)
    {
        if (Path.GetDirectoryName(path) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        FileStream taken;
        try
        {
            taken = new FileStream(path + ".lock", options);
        }
        catch (IOException fault)
        {
            throw new AccountsDatabaseException($"Another process works with the accounts in '{path}'.", fault);
        }
        // SQLite would make the file with the rights that everything gets; its log takes over the file's.
        options.Share = FileShare.ReadWrite;
        new FileStream(path, options).Dispose();
        return taken;
    }

    private async Task WriteAllAsync()
    {
        await foreach (var first in _writes.Reader.ReadAllAsync())
        {
            // Whoever waits is in here before anything can fail, and hears of it.
            var together = new List<Write> { first };
            try
            {
                _writer!.Execute("BEGIN IMMEDIATE");
                await RunAsync(first);
                while (together.Count < MostTogether && _writes.Reader.TryRead(out var write))
                {
                    together.Add(write);
                    await RunAsync(write);
                }
                _writer.Execute("COMMIT");
                together.ForEach(write => write.End(null));
            }
            catch (Exception fault)
            {
                // The disk is full or failing: none of them is durable. The next ones may be.
                Abandon();
                together.ForEach(write => write.End(fault));
            }
        }
    }

    // One that fails takes back its own changes and nobody else's.
    private async Task RunAsync(Write write)
    {
        _writer!.Execute("SAVEPOINT one");
        if (!await write.RunAsync(_writer))
        {
            _writer.Execute("ROLLBACK TO one");
        }
        _writer.Execute("RELEASE one");
    }

    private void Abandon()
    {
        try
        {
            _writer!.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite rolled back by itself.
        }
    }

    private abstract class Write
    {
        /// <summary>False where the work threw.</summary>
        public abstract Task<bool> RunAsync(Statements statements);

        /// <param name="fault">Why nothing of it is durable; null where it is.</param>
        public abstract void End(Exception? fault);
    }

    private sealed class Write<T>(Func<Statements, Task<T>> work) : Write
    {
        private readonly TaskCompletionSource<T> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _fault;

        public Task<T> Outcome => _outcome.Task;

        public override async Task<bool> RunAsync(Statements statements)
        {
            try
            {
                _result = await work(statements);
            }
            catch (Exception fault)
            {
                _fault = fault;
            }
            return _fault is null;
        }

        public override void End(Exception? fault)
        {
            if ((fault ?? _fault) is { } failed)
            {
                _outcome.SetException(failed);
            }
            else
            {
                _outcome.SetResult(_result!);
            }
        }
    }
}
