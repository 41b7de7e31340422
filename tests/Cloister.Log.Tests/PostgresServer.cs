using System.Diagnostics;
using Npgsql;

namespace Cloister.Log.Tests;

/// <summary>A cluster of its own. PostgreSQL refuses to run as root: there it runs as the user that its package made.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private string _folder = "";
    private Process? _server;

    /// <summary>Why there is none; null where it runs.</summary>
    public string? Missing { get; private set; }

    public string Connection => $"Host={_folder};Username=cloister;Database=postgres";

    public async ValueTask InitializeAsync()
    {
        string? programs = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order().LastOrDefault(folder => File.Exists($"{folder}/bin/initdb")) : null;
        if (programs is null)
        {
            Missing = "PostgreSQL is not installed on this machine.";
            return;
        }

        // Short: a socket's path has a hundred letters at most.
        _folder = Directory.CreateTempSubdirectory("pg-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", "postgres", _folder);
        }
        await RunAsync([.. AsUser, $"{programs}/bin/initdb", "--pgdata", $"{_folder}/data", "--username", "cloister", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C"]);
        _server = Start([.. AsUser, $"{programs}/bin/postgres", "-D", $"{_folder}/data", "-k", _folder, "-c", "listen_addresses=", "-c", "max_connections=100"]);
        // It says a line for each client that was killed, and waits where nobody reads it.
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        for (int i = 0; ; i++)
        {
            try
            {
                await using var connection = new NpgsqlConnection($"{Connection};Pooling=false");
                await connection.OpenAsync();
                return;
            }
            catch (Exception fault) when (fault is NpgsqlException && i < 200 && !_server.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            // The server's own process, by the number that it wrote down.
            string pid = File.ReadLines($"{_folder}/data/postmaster.pid").First();
            await RunAsync("kill", "-INT", pid);
            await _server.WaitForExitAsync();
            _server.Dispose();
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static string[] AsUser => Environment.IsPrivilegedProcess ? ["runuser", "-u", "postgres", "--"] : [];

    private static Process Start(string[] line) => Process.Start(new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;

    private static async Task RunAsync(params string[] line)
    {
        using var process = Start(line);
        string said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', line)}: {said}");
    }
}
