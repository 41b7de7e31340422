using System.Collections.Immutable;
using Cloister.Operator;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Cloister.Client.Tests.Accounts;

/// <summary>The real operator with accounts in a file of SQLite, on a port of its own.</summary>
internal sealed class RealOperator : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-accounts-");
    private readonly WebApplication _program;

    private RealOperator(string? database) => _program = OperatorProgram.Build(
        new OperatorOptions
        {
            Listen = "127.0.0.1:0",
            Enclaves = ImmutableDictionary<string, string>.Empty.Add("none", "127.0.0.1:9"),
            Accounts = new AccountsOptions { Database = database ?? Path.Combine(_folder.FullName, "accounts.db"), Domain = "localhost" },
        },
        logging => logging.ClearProviders());

    public Uri Address => new(_program.Urls.First() + "/");

    /// <summary>For what devices keep.</summary>
    public string Folder => _folder.FullName;

    /// <param name="database">Null: a file of SQLite of its own.</param>
    public static async Task<RealOperator> StartAsync(string? database = null)
    {
        var started = new RealOperator(database);
        await started._program.StartAsync();
        return started;
    }

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
