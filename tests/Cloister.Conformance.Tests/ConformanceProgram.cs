using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Conformance.Tests;

/// <summary>The real program, as another language's test suite would call it.</summary>
internal static class ConformanceProgram
{
    // Built in the configuration that this test is built in.
    private static string Path { get; } = System.IO.Path.Combine(
        Repository.Root, "src", "Cloister.Conformance", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "Cloister.Conformance");

    public static Task<(int ExitCode, JsonNode? Answer)> RunAsync(string stage, string input) => RunAsync([stage], input);

    public static async Task<(int ExitCode, JsonNode? Answer)> RunAsync(string[] arguments, string input)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var process = Process.Start(new ProcessStartInfo(Path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), patience.Token);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want to hear the rest.
        }
        string answer = await process.StandardOutput.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, answer.Length == 0 ? null : JsonNode.Parse(answer));
    }
}
