using Cloister.Ledger;
using Cloister.Operator.Accounts.Changes;
using Cloister.Operator.Accounts.Storage;
using Microsoft.Extensions.Logging;

namespace Cloister.Operator.Tests.Accounts;

public sealed class StorageInSqlite(InSqlite database) : StorageTests(database), IClassFixture<InSqlite>
{
    private readonly InSqlite _database = database;

    [Fact]
    public async Task A_second_process_is_refused_and_the_file_is_its_owners()
    {
        await using var program = await _database.StartAsync("one");
        var refused = await Assert.ThrowsAsync<AccountsDatabaseException>(() => _database.StartAsync("one"));
        Assert.Contains("Another process", refused.Message, StringComparison.Ordinal);
        foreach (string end in (string[])["", "-wal", "-shm", ".lock"])
        {
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(await _database.NameAsync("one") + end) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
    }

    [Fact]
    public async Task Who_waits_hears_when_a_transaction_cannot_even_begin()
    {
        await using var program = await _database.StartAsync("begin");
        var device = await TestDevice.CreateAsync(program);
        await using (var tool = RawDatabase.Open(await _database.NameAsync("begin")))
        {
            await tool.ScalarAsync("BEGIN IMMEDIATE");
            Assert.Equal("503 unavailable", (await device.PushAsync(device.Batch([TestDevice.Change()]))).Verdict); // after SQLite's patience of ten seconds
            await tool.ScalarAsync("ROLLBACK");
        }
        await device.PushAsync(TestDevice.Change());
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        string name = await _database.NameAsync("none");
        await File.WriteAllTextAsync(name, "This is a letter to my mother, and it is longer than SQLite's header of one hundred bytes, so that it is read.");
        await Assert.ThrowsAsync<AccountsDatabaseException>(() => _database.StartAsync("none"));
    }
}

public sealed class StorageInPostgres(InPostgres database) : StorageTests(database), IClassFixture<InPostgres>
{
    private readonly InPostgres _database = database;

    [Fact]
    public async Task Processes_that_start_together_make_the_schema_once()
    {
        await _database.NameAsync("together");
        var programs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _database.StartAsync("together")));
        var device = await TestDevice.CreateAsync(programs[0]);
        foreach (var program in programs)
        {
            Assert.Equal(200, (await new Api(program.Http).AskAsync("GET", "/account", device.Token)).Status);
            await program.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_waits_for_a_busy_account_keeps_nobody_else_waiting()
    {
        await using var program = await _database.StartAsync("busy");
        var busy = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        string name = await _database.NameAsync("busy");
        await using var held = RawDatabase.Open(name);
        byte[] number = new byte[AccountNumber.Size];
        busy.Account.Write(number);
        await held.ScalarAsync("BEGIN");
        await held.ScalarAsync("SELECT 1 FROM accounts WHERE account = $1 FOR UPDATE", number);
        var waiting = Enumerable.Range(0, 20).Select(part => busy.Api.OctetsAsync("PUT", $"/account/attachments/{TestDevice.NewItem()}/{part}", [1], busy.Token)).ToList();
        await using var watch = RawDatabase.Open(name);
        while (await watch.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is 0L or 1L)
        {
            await Task.Delay(10);
        }
        await other.PushAsync(TestDevice.Change());
        Assert.Equal(2L, await watch.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"));
        await held.ScalarAsync("COMMIT");
        Assert.All(await Task.WhenAll(waiting), reply => Assert.Equal(200, reply.Status));
    }

    [Fact]
    public async Task Whatever_fails_while_heads_are_told_the_next_is_told()
    {
        // A source that is disposed of throws what no database does.
        const string Nowhere = "Host=/nonexistent;Username=x;Database=y";
        var source = Npgsql.NpgsqlDataSource.Create(Nowhere);
        await source.DisposeAsync();
        var log = new CountingLogger(nameof(ObjectDisposedException));
        using var feeds = new Feeds(TimeProvider.System);
        await using var news = new PostgresNews(source, new(Nowhere), feeds, TimeProvider.System, log);
        news.Start();
        for (int told = 1; told <= 2; told++)
        {
            news.Announce(AccountNumber.Generate(), 1);
            while (log.Count < told)
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    private sealed class CountingLogger(string word) : ILogger
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception).Contains(word, StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _count);
            }
        }
    }

    [Theory]
    [InlineData("", 16)]
    [InlineData("Maximum Pool Size=100", 100)]
    [InlineData("MaxPoolSize=100", 100)]
    [InlineData("maximum pool size=8", 8)]
    public void As_many_connections_as_the_operator_says(string said, int connections) => Assert.Equal(connections, PostgresDatabase.SettingsOf($"Host=h;Database=d;{said}").MaxPoolSize);

    [Fact]
    public async Task A_server_that_is_not_there_is_one_sentence() =>
        await Assert.ThrowsAsync<AccountsDatabaseException>(() => RunningOperator.StartAsync(AccountsDatabase.Options("Host=/nonexistent;Username=x;Database=y")));
}

/// <summary>docs/spec/accounts.md, section 6.</summary>
public abstract class StorageTests(AccountsDatabase database)
{
    [Fact]
    public async Task What_was_kept_is_there_after_a_start_and_challenges_too()
    {
        TestDevice device;
        System.Text.Json.Nodes.JsonObject proof;
        await using (var program = await database.StartAsync("again"))
        {
            device = await TestDevice.CreateAsync(program);
            await device.PushAsync(TestDevice.Change());
            proof = TestDevice.Proof(device.Unlocker, await device.ChallengeAsync());
        }
        await using var again = await database.StartAsync("again");
        device.Api = new Api(again.Http);
        Assert.Single((await device.PageAsync(0)).Changes);
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/sign-in", proof)).Status);
    }

    [Fact]
    public async Task A_database_of_the_first_schema_is_brought_to_this_one()
    {
        TestDevice device;
        await using (var program = await database.StartAsync("first"))
        {
            device = await TestDevice.CreateAsync(program);
        }
        await using (var rows = RawDatabase.Open(await database.NameAsync("first")))
        {
            foreach (string statement in (string[])["DROP INDEX unlockers_by_place", "ALTER TABLE unlockers DROP COLUMN place", "CREATE INDEX unlockers_by_identity ON unlockers (unlocker)", "DROP INDEX accounts_ended", "UPDATE operator SET version = 1"])
            {
                await rows.ScalarAsync(statement);
            }
        }
        await using var again = await database.StartAsync("first");
        device.Api = new Api(again.Http);
        Assert.Equal(200, (await device.SignInAsync()).Status);
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, new TestUnlocker().Json())).Status);
    }

    [Fact]
    public async Task Who_sweeps_reads_only_the_accounts_that_ended()
    {
        var program = await database.OperatorAsync();
        string plan = await program.Accounts.Database.ReadAsync(async statements => string.Join('\n', statements is SqliteStatements
            ? await statements.QueryAsync($"EXPLAIN QUERY PLAN {Sweep.Ended}", row => row.GetString(3))
            : await statements.QueryAsync($"EXPLAIN {Sweep.Ended}", row => row.GetString(0))), CancellationToken.None);
        Assert.Contains("accounts_ended", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_program_refuses_a_newer_schema()
    {
        await using (await database.StartAsync("newer"))
        {
            // Makes it.
        }
        await using (var rows = RawDatabase.Open(await database.NameAsync("newer")))
        {
            Assert.Equal((long)Schema.Version, await rows.ScalarAsync("SELECT version FROM operator"));
            await rows.ScalarAsync($"UPDATE operator SET version = {Schema.Version + 1}");
        }
        var refused = await Assert.ThrowsAsync<AccountsDatabaseException>(() => database.StartAsync("newer"));
        Assert.Contains("newer program", refused.Message, StringComparison.Ordinal);
        await using (var rows = RawDatabase.Open(await database.NameAsync("newer")))
        {
            Assert.Equal((long)Schema.Version + 1, await rows.ScalarAsync("SELECT version FROM operator"));
        }
    }

    [Fact]
    public async Task Who_hangs_up_when_all_is_written_leaves_it_written()
    {
        await using var program = await database.StartAsync("hangs-up", new ManualTime());
        using var hungUp = new CancellationTokenSource();
        int written = await program.Accounts.Database.WriteAsync(async statements =>
        {
            int rows = await statements.ExecuteAsync("INSERT INTO spent (challenge, expires) VALUES ($1, $2)", new byte[32], long.MaxValue);
            await hungUp.CancelAsync();
            return rows;
        }, hungUp.Token);
        Assert.Equal(1, written);
        await using var rows = RawDatabase.Open(await database.NameAsync("hangs-up"));
        Assert.Equal(1L, await rows.ScalarAsync("SELECT count(*) FROM spent"));
    }

    [Fact]
    public async Task What_is_over_is_swept()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("sweep", time);
        var device = await TestDevice.CreateAsync(program);
        Assert.Equal(200, (await device.SignInAsync()).Status);
        Assert.Equal(200, (await device.Api.OctetsAsync("PUT", "/pairing/00000000/1", [1])).Status);
        await using var rows = RawDatabase.Open(await database.NameAsync("sweep"));
        const string Count = "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM spent) + (SELECT count(*) FROM pairings)";
        Assert.Equal(4L, await rows.ScalarAsync(Count));
        for (int i = 0; i < 500 && await rows.ScalarAsync(Count) is not 0L; i++)
        {
            time.Advance(TimeSpan.FromMinutes(16));
            await Task.Delay(10);
        }
        Assert.Equal(0L, await rows.ScalarAsync(Count));
    }
}
