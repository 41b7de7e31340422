using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Journeys;

/// <summary>What a program said until it ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error);

/// <summary>The real <c>cloister</c> command in a process of its own.</summary>
internal sealed class CloisterProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;

    private CloisterProgram(Process process, JsonNode ready) => (_process, Ready) = (process, ready);

    /// <summary>The line that it printed when it was ready.</summary>
    public JsonNode Ready { get; }

    // Built in the configuration that this test is built in.
    public static string Path { get; } = System.IO.Path.Combine(
        Repository.Root, "src", "Cloister.Cli", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "cloister");

    /// <summary>Runs it to its end.</summary>
    public static async Task<Outcome> RunAsync(string[] arguments, string? input = null)
    {
        using var process = Start(arguments);
        using var patience = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"'cloister {string.Join(' ', arguments)}' did not end.");
        }
    }

    /// <summary>Starts one that stays, and waits until it says that it is ready.</summary>
    public static async Task<CloisterProgram> StartAsync(params string[] arguments)
    {
        var process = Start([.. arguments, "--json"]);
        using var patience = new CancellationTokenSource(Patience);
        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
        string? line = await process.StandardOutput.ReadLineAsync(patience.Token);
        return new CloisterProgram(process, JsonNode.Parse(line ?? throw new InvalidOperationException($"'cloister {arguments[0]}' ended before it was ready."))!);
    }

    /// <summary>Presses Ctrl-C and gives the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        using var kill = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    internal static Process Start(string[] arguments) => Process.Start(new ProcessStartInfo(Path, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardOutputEncoding = Encoding.UTF8,
        WorkingDirectory = System.IO.Path.GetTempPath(),
    })!;
}
