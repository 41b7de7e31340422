using System.CommandLine;
using System.Globalization;
using Cloister.Inference;
using Spectre.Console;

namespace Cloister.Cli.Models;

/// <summary><c>cloister models</c>: what the embedded engine can run.</summary>
internal static class ModelsCommand
{
    private const string UsualHub = "https://huggingface.co/";

    public static Command Make() => new("models", "List and download models for the embedded engine.") { MakeList(), MakePull() };

    private static Command MakeList()
    {
        var data = DestinationOptions.DataOption();
        var list = new Command("list", "Models on this machine, by the names that 'cloister up --model' takes.") { data };
        list.SetAction(parsed =>
        {
            var folder = DestinationOptions.FolderOf(parsed.GetValue(data));
            Describe("demonstration", Path.Combine(AppContext.BaseDirectory, "models", "demonstration"));
            if (Directory.Exists(folder.ModelsPath))
            {
                foreach (string config in Directory.EnumerateFiles(folder.ModelsPath, "config.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                {
                    string path = Path.GetDirectoryName(config)!;
                    Describe(Path.GetRelativePath(folder.ModelsPath, path), path);
                }
            }
            return ExitCode.Done;
        });
        return list;
    }

    private static void Describe(string name, string path)
    {
        if (Directory.Exists(path))
        {
            long bytes = new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-48} {bytes / 1e6,9:0.0} MB"));
        }
    }

    private static TaughtCommand MakePull()
    {
        var name = new Argument<string>("name") { Description = "OWNER/NAME of a decoder in ONNX." };
        var hub = new Option<string>("--hub") { Description = "The hub's address.", DefaultValueFactory = _ => UsualHub, HelpName = "URL" };
        var file = new Option<string?>("--file") { Description = "Which graph of several, e.g. model_q4.onnx. Left out: one that suits a processor.", HelpName = "NAME" };
        var data = DestinationOptions.DataOption();

        var pull = new TaughtCommand("pull", "Download a model, check every file's digest, and go on where an earlier download stopped.", """
            cloister models pull HuggingFaceTB/SmolLM2-135M-Instruct
            cloister up --model HuggingFaceTB/SmolLM2-135M-Instruct
            """)
        { name, hub, file, data };
        pull.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            string wanted = parsed.GetRequiredValue(name);
            string folder = Path.Combine(DestinationOptions.FolderOf(parsed.GetValue(data)).ModelsPath, wanted);
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            await PullAsync(new ModelHub(http, Destination.ReadAddress(parsed.GetRequiredValue(hub))), wanted, folder, parsed.GetValue(file), interruption.Token);
            Console.Out.WriteLine($"{wanted} is here: cloister up --model {wanted}");
            return ExitCode.Done;
        });
        return pull;
    }

    private static Task PullAsync(ModelHub hub, string name, string folder, string? graph, CancellationToken cancellation) =>
        Speech.Error.Profile.Out.IsTerminal
            ? Speech.Error.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn()).StartAsync(async progress =>
            {
                var bar = progress.AddTask(name, autoStart: true, maxValue: 1);
                await hub.PullAsync(name, folder, graph, new Immediately(at => (bar.MaxValue, bar.Value, bar.Description) = (at.TotalBytes, at.Bytes, at.File)), cancellationToken: cancellation);
            })
            : hub.PullAsync(name, folder, graph, new Immediately(new EachFile().Report), cancellationToken: cancellation);

    private sealed class Immediately(Action<PullProgress> report) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => report(value);
    }

    // Where nobody watches, one line per file is enough.
    private sealed class EachFile
    {
        private string _last = "";

        public void Report(PullProgress at)
        {
            if (at.File != _last)
            {
                Console.Error.WriteLine(_last = at.File);
            }
        }
    }
}
