using System.CommandLine;
using System.Text.Json;
using Spectre.Console;

namespace Cloister.Cli.Up;

/// <summary><c>cloister up</c>: every party on this machine, for development and for a look around.</summary>
internal static class UpCommand
{
    public static Command Make()
    {
        var port = new Option<int>("--port") { Description = "The operator's port on 127.0.0.1. 0 takes a free one.", DefaultValueFactory = _ => Destination.Usual.Port };
        var model = new Option<string?>("--model") { Description = "A folder with an ONNX decoder in the Hugging Face layout, or the name of a pulled model. Left out: the demonstration model.", HelpName = "FOLDER|NAME" };
        var upstream = new Option<string?>("--upstream") { Description = "An OpenAI-compatible server on this machine (vLLM, llama-server, Ollama) that answers instead.", HelpName = "URL" };
        var web = new Option<string?>("--web") { Description = "The folder of the published web app. './run' names it.", HelpName = "DIR" };
        var data = DestinationOptions.DataOption();
        var json = new Option<bool>("--json") { Description = "Print one line of JSON when ready, and nothing else." };

        var up = new TaughtCommand("up", "Start every party on loopback: an enclave with simulated evidence, the operator, the web app.", """
            cloister up
            cloister up --upstream http://127.0.0.1:8080
            cloister up --model HuggingFaceTB/SmolLM2-135M-Instruct
            """)
        { port, model, upstream, web, data, json };
        up.Validators.Add(result =>
        {
            if (result.GetValue(model) is not null && result.GetValue(upstream) is not null)
            {
                result.AddError("Either --model or --upstream, not both: an enclave has one engine.");
            }
        });
        up.SetAction(parsed => RunAsync(
            new UpSettings(parsed.GetValue(port), parsed.GetValue(model), parsed.GetValue(upstream), parsed.GetValue(web), DestinationOptions.FolderOf(parsed.GetValue(data))),
            parsed.GetValue(json)));
        return up;
    }

    private static async Task<int> RunAsync(UpSettings settings, bool json)
    {
        using var interruption = new Interruption();
        await using var deployment = await Speech.WaitAsync("Starting …", () => LocalDeployment.StartAsync(settings, interruption.Token));
        settings.Data.Address = deployment.Operator;
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(deployment.Ready, UpJson.Default.Ready));
        }
        else
        {
            Describe(deployment);
        }

        await interruption.WaitAsync();
        return ExitCode.Done;
    }

    private static void Describe(LocalDeployment deployment)
    {
        var ready = deployment.Ready;
        string command = File.Exists("cloister") ? "./cloister" : "cloister"; // in a clone it is a script, elsewhere a program on the path
        var rows = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        void Row(string name, string text) => rows.AddRow(new Text(name, new Style(decoration: Decoration.Bold)), new Text(text));

        Row("Web app", ready.Web ? ready.Operator : "not published here: ./run publishes it");
        Row("Terminal", $"{command} chat");
        Row("Any tool", $"{command} proxy, then point the tool at http://127.0.0.1:7080/v1");
        Row("Proof", $"{command} verify {ready.Operator}");
        Row("Log", $"{ready.Log}, with three witnesses: {command} verify web compares the web app with it");
        Row("Model", string.Join(", ", ready.Models));

        Speech.Out.MarkupLine("[bold]Cloister is up, all parties on this machine.[/]");
        Speech.Out.WriteLine();
        Speech.Out.Write(rows);
        Speech.Out.WriteLine();
        Speech.Out.MarkupLine("[yellow]Simulated evidence:[/] no confidential hardware is behind it. Whoever runs this machine can read everything.");
        if (deployment.IsRecalled)
        {
            Speech.Out.MarkupLineInterpolated($"[red]This build was recalled in its log:[/] every client refuses it. Another build is published anew; so is this one after {deployment.Log} was removed.");
        }
        Speech.Out.MarkupLine("[grey]Ctrl-C stops it.[/]");
        Console.Out.WriteLine(ready.Operator);
    }
}
