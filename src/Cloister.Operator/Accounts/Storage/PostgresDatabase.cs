using System.Data;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Changes;
using Npgsql;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>Accounts in PostgreSQL, in a schema of their own. Any number of processes: the account's row is locked by whoever changes the account (docs/decisions/0013).</summary>
internal sealed class PostgresDatabase : Database
{
    private const string SchemaName = "cloister_operator";

    // Ours to choose. Transactions that met are done again.
    private const int Attempts = 5;
    private const int UsualConnections = 16;

    // Ours to choose. Of one account only one has its row; the other has begun when that one is done.
    private const int AtOncePerAccount = 2;

    private readonly Turns _turns = new(AtOncePerAccount);
    private readonly NpgsqlDataSource _source;
    private readonly PostgresNews _news;

    public PostgresDatabase(string connection, Feeds feeds, TimeProvider time, ILogger logger)
    {
        var settings = SettingsOf(connection);
        var builder = new NpgsqlDataSourceBuilder(settings.ToString());
        builder.UsePhysicalConnectionInitializer(
            physical =>
            {
                using var command = new NpgsqlCommand(Settings, physical);
                command.ExecuteNonQuery();
            },
            async physical =>
            {
                await using var command = new NpgsqlCommand(Settings, physical);
                await command.ExecuteNonQueryAsync();
            });
        _source = builder.Build();
        _news = new PostgresNews(_source, settings, feeds, time, logger);
    }

    // What was confirmed outlives a power cut, whatever the server's own default is. And every statement finds its rows by an index and in its order: a plan that was made while a table
    // was small or not yet looked at would read and sort an account's whole history for its first page. So there is nothing to plan again for other values.
    private const string Settings = "SET synchronous_commit = on; SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan";

    internal static NpgsqlConnectionStringBuilder SettingsOf(string connection)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection) { SearchPath = SchemaName, ApplicationName = "cloister-operator", MaxAutoPrepare = 100, AutoPrepareMinUsages = 2, NoResetOnClose = true };
        if (!settings.ShouldSerialize("Maximum Pool Size")) // in whichever of its ways it was written; ContainsKey says whether it could be
        {
            settings.MaxPoolSize = UsualConnections;
        }
        return settings;
    }

    public static bool IsConnectionString(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text) is { Host.Length: > 0 };
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    public override async Task OpenAsync(CancellationToken cancellation)
    {
        try
        {
            Key = await WriteAsync(async statements =>
            {
                // One process at a time; the others find it done.
                await statements.QueryAsync($"SELECT pg_advisory_xact_lock(hashtextextended('{SchemaName}', 0))", row => 0);
                await statements.ExecuteAsync($"CREATE SCHEMA IF NOT EXISTS {SchemaName}");
                return await Schema.MigrateAsync(statements, "bytea", "bigint");
            }, cancellation);
        }
        catch (NpgsqlException fault)
        {
            throw new AccountsDatabaseException($"The database of accounts cannot be worked with: {fault.Message}", fault);
        }
        _news.Start();
    }

    public override async Task<T> ReadAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellation);
        return await work(new PostgresStatements(connection, cancellation));
    }

    public override async Task<T> SnapshotAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation)
    {
        await using var connection = await _source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var result = await work(new PostgresStatements(connection, cancellation));
        await transaction.CommitAsync(cancellation);
        return result;
    }

    public override async Task<T> WriteAsync<T>(Func<Statements, Task<T>> work, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await _source.OpenConnectionAsync(cancellation);
                await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
                var statements = new PostgresStatements(connection, cancellation);
                var result = await work(statements);
                await statements.CommitAsync(transaction);
                return result;
            }
            catch (PostgresException met) when (met.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.UniqueViolation && attempt < Attempts)
            {
                // Nothing of it happened. Two that made the same row at once: the second now finds it.
            }
        }
    }

    public override Task<T> WriteAsync<T>(AccountNumber account, Func<Statements, Task<T>> work, CancellationToken cancellation) => _turns.TakeAsync(account, () => WriteAsync(work, cancellation), cancellation);

    public override void Announce(AccountNumber account, ulong sequence) => _news.Announce(account, sequence);

    public override async ValueTask DisposeAsync()
    {
        await _news.DisposeAsync();
        await _source.DisposeAsync();
    }
}
