using Cloister.Log.Tests;
using Microsoft.Extensions.Logging;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Cloister.Operator.Tests.Accounts;

/// <summary>A database for the tests of one class, and operators on it.</summary>
public abstract class AccountsDatabase : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1);
    private RunningOperator? _shared;

    /// <summary>Why there is none; null where there is.</summary>
    public virtual string? Missing => null;

    /// <summary>A database that is empty at the first call with a name, and the same at the next.</summary>
    public abstract Task<string> NameAsync(string name = "shared");

    public static OperatorOptions Options(string database) => RunningOperator.Options(("one", "127.0.0.1:1")) with
    {
        Accounts = new AccountsOptions { Database = database, Domain = "localhost", NewAccountsPerAddress = 1_000_000 },
    };

    /// <summary>One operator for all tests of the class, each with accounts of its own.</summary>
    internal async Task<RunningOperator> OperatorAsync()
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        await _starting.WaitAsync();
        try
        {
            return _shared ??= await RunningOperator.StartAsync(Options(await NameAsync()));
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>One for a test of its own.</summary>
    internal async Task<RunningOperator> StartAsync(string name, TimeProvider? time = null, Func<AccountsOptions, AccountsOptions>? change = null, ILoggerProvider? log = null)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        var options = Options(await NameAsync(name));
        return await RunningOperator.StartAsync(options with { Accounts = change?.Invoke(options.Accounts!) ?? options.Accounts }, time, log);
    }

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        if (_shared is not null)
        {
            await _shared.DisposeAsync();
        }
        _starting.Dispose();
        GC.SuppressFinalize(this);
    }
}

public sealed class InSqlite : AccountsDatabase
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-accounts-").FullName;

    public override Task<string> NameAsync(string name = "shared") => Task.FromResult(Path.Combine(_folder, name + ".sqlite"));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

public sealed class InPostgres(PostgresServer server) : AccountsDatabase
{
    private static int _count;
    private readonly Dictionary<string, string> _names = [];

    public override string? Missing => server.Missing;

    public override async Task<string> NameAsync(string name = "shared")
    {
        if (!_names.TryGetValue(name, out string? own))
        {
            own = $"accounts_{Interlocked.Increment(ref _count)}";
            await using var connection = new NpgsqlConnection($"{server.Connection};Pooling=false");
            await connection.OpenAsync();
#pragma warning disable CA2100 // a name made here
            await using var create = new NpgsqlCommand($"CREATE DATABASE {own}", connection);
#pragma warning restore CA2100
            await create.ExecuteNonQueryAsync();
            _names[name] = own;
        }
        return server.Connection.Replace("Database=postgres", $"Database={own}", StringComparison.Ordinal) + ";Maximum Pool Size=8";
    }
}
