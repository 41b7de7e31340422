using System.Collections.Immutable;
using System.Diagnostics;
using Cloister.Operator;
using Npgsql;

namespace Cloister.Bench;

/// <summary>An operator with accounts as a party of its own, and a PostgreSQL of our own that keeps what it confirms.</summary>
internal sealed class OperatorParties : IAsyncDisposable
{
    private Process? _postgres;

    public string Folder { get; } = Directory.CreateTempSubdirectory("pg-").FullName; // short: a socket's path has a hundred letters at most

    public string Sqlite => Path.Combine(Folder, "accounts.sqlite");

    public string Postgres => $"Host={Folder};Username=cloister;Database=postgres;Maximum Pool Size=16";

    public static async Task RunAccountsAsync(string database)
    {
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        await using var program = OperatorProgram.Build(new OperatorOptions
        {
            Listen = "127.0.0.1:0",
            Enclaves = ImmutableDictionary<string, string>.Empty.Add("bench", "127.0.0.1:1"),
            Accounts = new AccountsOptions { Database = database, Domain = "localhost", NewAccountsPerAddress = 1_000_000, Quota = 1L << 40 },
        }, logging => logging.ClearProviders());
        await program.StartAsync();
        await Party.ObeyAsync(program.Urls.First());
        await program.StopAsync();
    }

    /// <summary>False where PostgreSQL is not installed. It refuses to run as root: there it runs as the user that its package made.</summary>
    public async Task<bool> TryStartPostgresAsync()
    {
        string? programs = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order().LastOrDefault(folder => File.Exists($"{folder}/bin/initdb")) : null;
        if (programs is null)
        {
            return false;
        }
        string[] user = Environment.IsPrivilegedProcess ? ["runuser", "-u", "postgres", "--"] : [];
        if (user.Length > 0)
        {
            await RunAsync("chown", "postgres", Folder);
        }
        await RunAsync([.. user, $"{programs}/bin/initdb", "--pgdata", $"{Folder}/data", "--username", "cloister", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]);
        _postgres = Start([.. user, $"{programs}/bin/postgres", "-D", $"{Folder}/data", "-k", Folder, "-c", "listen_addresses=", "-c", "max_connections=60"]);
        // It says a line for each client that was killed, and waits where nobody reads it.
        _postgres.BeginOutputReadLine();
        _postgres.BeginErrorReadLine();
        for (int i = 0; ; i++)
        {
            try
            {
                await using var connection = new NpgsqlConnection(Postgres + ";Pooling=false");
                await connection.OpenAsync();
                return true;
            }
            catch (NpgsqlException) when (i < 200)
            {
                await Task.Delay(50);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
        {
            await RunAsync("kill", "-INT", File.ReadLines($"{Folder}/data/postmaster.pid").First());
            await _postgres.WaitForExitAsync();
            _postgres.Dispose();
        }
        Directory.Delete(Folder, recursive: true);
    }

    private static Process Start(string[] line) => Process.Start(new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;

    private static async Task RunAsync(params string[] line)
    {
        using var process = Start(line);
        string said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', line)}: {said}");
        }
    }
}
