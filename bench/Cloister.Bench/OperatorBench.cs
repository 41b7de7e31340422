using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Cloister.Bench;

/// <summary>What an operator writes in a second, beside a plain loop of INSERTs into the same kind of database; what a crowd that listens costs; what a large account costs.</summary>
internal static class OperatorBench
{
    private const int ItemSize = 500;
    private const int Devices = 64;
    private const int Rounds = 7;
    private const int Prepared = 300; // batches of each device, more than it sends in a round here; what is beyond is made while it is measured
    private const int Feeds = 10_000;
    private const int Listened = 200; // accounts: one has at most 64 feeds (docs/spec/accounts.md, section 7)
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(3);

    public static async Task<List<Row>> RunAsync()
    {
        await using var parties = new OperatorParties();
        var rows = new List<Row>();
        rows.AddRange(await WritesAsync("SQLite", parties.Sqlite, "≥ 3,000", () => OpenSqlite(Path.Combine(parties.Folder, "plain.sqlite"))));
        if (await parties.TryStartPostgresAsync())
        {
            rows.AddRange(await WritesAsync("PostgreSQL", parties.Postgres, "≥ 2,000", () => OpenPostgres(parties.Postgres)));
        }
        rows.Add(await FeedsAsync(Path.Combine(parties.Folder, "feeds.sqlite")));
        return rows;
    }

    /// <summary>One account that grows, and what a batch and a page cost on the way.</summary>
    public static async Task GrowAsync(string kind, long count)
    {
        await using var parties = new OperatorParties();
        if (kind == "postgres" && !await parties.TryStartPostgresAsync())
        {
            Console.Error.WriteLine("PostgreSQL is not installed on this machine.");
            return;
        }
        await using var program = await Party.StartAsync("accounts", kind == "postgres" ? parties.Postgres : parties.Sqlite);
        using var http = Client(program);
        var device = new BenchDevice(http);
        await device.CreateAsync();
        Console.WriteLine("| items in the account | items/s, 500 in a batch | a batch of one, ms | what came last, ms | the first page, ms |\n|---:|---:|---:|---:|---:|");
        long done = 0;
        for (long next = 10_000; done < count; next = Math.Min(next * 10, count))
        {
            long began = Stopwatch.GetTimestamp(), before = done;
            for (; done < next; done += 500)
            {
                await device.PushAsync(500, ItemSize);
            }
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            double one = await MedianAsync(() => device.PushAsync(1, ItemSize)), last = await MedianAsync(() => device.PageAsync(device.Sequence - 1)), first = await MedianAsync(() => device.PageAsync(0));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {done:#,0} | {(done - before) / seconds:#,0} | {one:0.00} | {last:0.00} | {first:0.0} |"));
        }
    }

    private static async Task<List<Row>> WritesAsync(string name, string database, string target, Func<DbConnection> openPlain)
    {
        await using var program = await Party.StartAsync("accounts", database);
        using var http = Client(program);
        BenchDevice[] devices = [.. Enumerable.Range(0, Devices).Select(_ => new BenchDevice(http))];
        foreach (var device in devices)
        {
            await device.CreateAsync();
        }
        await using var plain = openPlain();
        for (int i = 0; i < 4; i++)
        {
            // The operator's code is compiled anew while it becomes known what of it is used most.
            await ItemsPerSecondAsync(devices, 1);
        }
        await InsertsPerSecondAsync(plain, 1);

        var (one, ten, bare, again, grouped) = (new double[Rounds], new double[Rounds], new double[Rounds], new double[Rounds], new double[Rounds]);
        for (int round = 0; round < Rounds; round++)
        {
            bare[round] = await InsertsPerSecondAsync(plain, 1);
            one[round] = await ItemsPerSecondAsync(devices, 1);
            again[round] = await InsertsPerSecondAsync(plain, 1);
            ten[round] = await ItemsPerSecondAsync(devices, 10);
            grouped[round] = await InsertsPerSecondAsync(plain, 10);
        }
        double all = SideBySide.Median([.. bare, .. again]), tens = SideBySide.Median(grouped);
        return
        [
            new($"items/s, {name}, batches of one from {Devices} accounts, beside INSERTs one by one", "/s", SideBySide.Median(one), all, SideBySide.Median(one) / all, SideBySide.Median(bare) / SideBySide.Median(again), target),
            new($"items/s, {name}, batches of ten, beside INSERTs ten in a transaction", "/s", SideBySide.Median(ten), tens, SideBySide.Median(ten) / tens, null, ""),
        ];
    }

    private static async Task<double> ItemsPerSecondAsync(BenchDevice[] devices, int batch)
    {
        foreach (var device in devices)
        {
            device.Prepare(Prepared, batch, ItemSize);
        }
        int done = 0;
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(devices.Select(async device =>
        {
            while (Stopwatch.GetElapsedTime(began) < Length)
            {
                await device.PushAsync(batch, ItemSize);
                Interlocked.Add(ref done, batch);
            }
        }));
        return done / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    // One connection, durable at each commit.
    private static async Task<double> InsertsPerSecondAsync(DbConnection plain, int together)
    {
        await using var insert = plain.CreateCommand();
        insert.CommandText = plain is SqliteConnection ? "INSERT INTO plain (item, sealed) VALUES ($1, $2)" : "INSERT INTO plain (item, sealed) VALUES (@1, @2)";
        foreach (string name in (string[])["1", "2"])
        {
            var parameter = insert.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (plain is SqliteConnection ? "$" + name : name, Array.Empty<byte>());
            insert.Parameters.Add(parameter);
        }
        int done = 0;
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(1))
        {
            await using var transaction = await plain.BeginTransactionAsync();
            insert.Transaction = transaction;
            for (int i = 0; i < together; i++, done++)
            {
                (insert.Parameters[0].Value, insert.Parameters[1].Value) = (RandomNumberGenerator.GetBytes(16), RandomNumberGenerator.GetBytes(ItemSize));
                await insert.ExecuteNonQueryAsync();
            }
            await transaction.CommitAsync();
        }
        return done / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<Row> FeedsAsync(string database)
    {
        await using var program = await Party.StartAsync("accounts", database);
        using var http = Client(program);
        BenchDevice[] devices = [.. Enumerable.Range(0, Listened).Select(_ => new BenchDevice(http))];
        foreach (var device in devices)
        {
            await device.CreateAsync();
        }
        await program.SettleAsync();
        long before = program.ResidentBytes;
        var address = new Uri(program.Address);
        var listeners = new List<Socket>();
        byte[] heard = new byte[4096];
        for (int i = 0; i < Feeds; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            listeners.Add(socket);
            await socket.ConnectAsync(address.Host, address.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /cloister/v1/account/feed HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {devices[i % devices.Length].Token}\r\n\r\n"));
            for (string text = ""; !text.Contains("\"sequence\":0", StringComparison.Ordinal);)
            {
                int read = await socket.ReceiveAsync(heard);
                text += read > 0 ? Encoding.ASCII.GetString(heard, 0, read) : throw new InvalidOperationException($"Feed {i} ended: {text}");
            }
        }

        // One batch each: all of them hear of it.
        long began = Stopwatch.GetTimestamp();
        foreach (var device in devices)
        {
            await device.PushAsync(1, ItemSize);
        }
        foreach (var socket in listeners)
        {
            await socket.ReceiveAsync(heard);
        }
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await program.SettleAsync();
        long after = program.ResidentBytes;
        listeners.ForEach(socket => socket.Dispose());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Listened} batches were told to {Feeds:#,0} feeds within {seconds:0.0} s."));
        return new($"memory of an operator with {Feeds:#,0} connected feeds, beside none", "MB", after / 1e6, before / 1e6, after / (double)before, null, "≤ 1,000 MB");
    }

    private static HttpClient Client(Party program) => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(program.Address) };

    private static async Task<double> MedianAsync(Func<Task> work)
    {
        double[] times = new double[21];
        for (int i = 0; i < times.Length; i++)
        {
            long began = Stopwatch.GetTimestamp();
            await work();
            times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
        return SideBySide.Median(times);
    }

    private static SqliteConnection OpenSqlite(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE plain (item BLOB PRIMARY KEY, sealed BLOB NOT NULL)";
        command.ExecuteNonQuery();
        return connection;
    }

    private static NpgsqlConnection OpenPostgres(string settings)
    {
        var connection = new NpgsqlConnection(settings + ";Max Auto Prepare=10");
        connection.Open();
        using var command = new NpgsqlCommand("CREATE TABLE plain (item bytea PRIMARY KEY, sealed bytea NOT NULL)", connection);
        command.ExecuteNonQuery();
        return connection;
    }
}
