using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Cli.Log;

/// <summary>How the log and the witness run: until Ctrl-C, or until they must stop by themselves.</summary>
internal static class ServerRun
{
    public static Option<string?> ConfigurationOption() => new("--configuration") { Description = "Everything that steers it, as JSON: docs/operating.md.", HelpName = "FILE" };

    public static Option<bool> JsonOption() => new("--json") { Description = "Print one line of JSON when ready, and nothing else." };

    public static string FileOf(ParseResult parsed, Option<string?> configuration) =>
        parsed.GetValue(configuration) ?? throw new CommandFault(ExitCode.Usage, "What steers it? Name it with --configuration FILE.");

    public static async Task<int> RunAsync(WebApplication program, bool json)
    {
        using var interruption = new Interruption();
        await using (program)
        {
            await program.StartAsync(interruption.Token);
            string address = program.Urls.First();
            Console.Out.WriteLine(json ? JsonSerializer.Serialize(new ServerReady(address), ServerJson.Default.ServerReady) : $"It listens at {address}.");

            var stopped = new TaskCompletionSource();
            await using var itself = program.Lifetime.ApplicationStopping.Register(stopped.SetResult);
            await Task.WhenAny(interruption.WaitAsync(), stopped.Task);
            await program.StopAsync(CancellationToken.None); // says why, where it stopped by itself
        }
        return ExitCode.Done;
    }
}

internal sealed record ServerReady(string Address);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ServerReady))]
internal sealed partial class ServerJson : JsonSerializerContext;
