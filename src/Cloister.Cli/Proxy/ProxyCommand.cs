using System.CommandLine;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Client;
using Cloister.Cli.Verify;
using Spectre.Console;

namespace Cloister.Cli.Proxy;

/// <summary><c>cloister proxy</c>: private inference for any tool that speaks the OpenAI API.</summary>
internal static class ProxyCommand
{
    private const int UsualPort = 7080;

    public static Command Make()
    {
        var destination = new DestinationOptions();
        var port = new Option<int>("--port") { Description = "The port on 127.0.0.1. 0 takes a free one.", DefaultValueFactory = _ => UsualPort };
        var listen = new Option<string?>("--listen") { Description = "A loopback address and a port, instead of --port. Other addresses are refused: who reaches the port reads the answers.", HelpName = "ADDRESS:PORT" };
        var key = new Option<string?>("--api-key-file") { Description = "Answer only requests that bear the key in this file.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print one line of JSON when ready, and nothing else." };

        var proxy = new TaughtCommand("proxy", "Open an OpenAI-compatible port on this machine for any tool. Without an enclave that passes every check it answers 502, and nothing is sent.", """
            cloister proxy
            OPENAI_BASE_URL=http://127.0.0.1:7080/v1 OPENAI_API_KEY=any your-tool
            """)
        { port, listen, key, json };
        destination.AddTo(proxy);
        proxy.SetAction(parsed => RunAsync(
            destination.Choose(parsed),
            parsed.GetValue(listen) is { } address ? ReadLoopback(address) : new IPEndPoint(IPAddress.Loopback, parsed.GetValue(port)),
            parsed.GetValue(key) is { } file ? ReadKey(file) : null,
            parsed.GetValue(json)));
        return proxy;
    }

    private static async Task<int> RunAsync(Destination destination, IPEndPoint endpoint, string? key, bool json)
    {
        using var interruption = new Interruption();
        using var handler = new SealedHttpHandler(destination.Options);
        await using var proxy = LocalProxy.Build(handler, endpoint, key);
        await proxy.StartAsync(interruption.Token);

        // The port is open first: what a tool sends meanwhile waits for the same appraisal.
        string address = $"{proxy.Urls.First()}/v1";
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new ProxyReady(address), ProxyJson.Default.ProxyReady));
        }
        else
        {
            Speech.Out.MarkupLineInterpolated($"[bold]{address}[/] answers like the OpenAI API, through {destination.Operator.Authority}.");
        }
        await IntroduceAsync(handler, interruption.Token);

        await interruption.WaitAsync();
        return ExitCode.Done;
    }

    private static async Task IntroduceAsync(SealedHttpHandler handler, CancellationToken cancellation)
    {
        try
        {
            var enclave = await handler.ConnectAsync(cancellation);
            CheckTable.WriteVerdict(Speech.Error, enclave.Result);
        }
        catch (EnclaveRefusedException refused)
        {
            Speech.Error.WriteSentence(refused.Message);
            CheckTable.WriteFailures(Speech.Error, refused.Results);
        }
        catch (EnclaveUnreachableException unreachable)
        {
            Speech.Error.WriteSentence($"{unreachable.Message} The port stays open, and tries again with each request.");
        }
        catch (OperationCanceledException)
        {
            // Stopped before it began.
        }
    }

    private static IPEndPoint ReadLoopback(string text) =>
        IPEndPoint.TryParse(text, out var endpoint) && text.Contains(':', StringComparison.Ordinal) && IPAddress.IsLoopback(endpoint.Address)
            ? endpoint
            : throw new CommandFault(ExitCode.Usage, $"'{text}' is not a loopback address and a port, such as 127.0.0.1:{UsualPort}.");

    private static string ReadKey(string file)
    {
        string key = File.Exists(file) ? File.ReadAllText(file).Trim() : throw new CommandFault(ExitCode.Usage, $"There is no key file '{file}'.");
        return key.Length > 0 ? key : throw new CommandFault(ExitCode.Usage, $"The key file '{file}' is empty.");
    }
}

internal sealed record ProxyReady(string Address);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProxyReady))]
internal sealed partial class ProxyJson : JsonSerializerContext;
