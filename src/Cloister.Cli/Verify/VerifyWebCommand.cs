using System.CommandLine;
using Cloister.Client;
using Spectre.Console;

namespace Cloister.Cli.Verify;

/// <summary><c>cloister verify web URL</c>: is what a deployment serves as its web app what was published?</summary>
internal static class VerifyWebCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static Command Make()
    {
        var address = new Argument<string?>("url") { Description = "The operator's address. Left out: where 'cloister up' runs on this machine.", Arity = ArgumentArity.ZeroOrOne };
        var policy = new Option<string?>("--policy") { Description = "The publisher's policy, as JSON. Left out: for a loopback address the policy that 'cloister up' wrote.", HelpName = "FILE" };
        var data = DestinationOptions.DataOption();
        var web = new Command("web", "Download a deployment's web app as a browser would, and compare every file with the entry that was published. The exit code is 0 only if all are the same.") { address, policy, data };
        web.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var destination = Destination.Choose(parsed.GetValue(address), parsed.GetValue(policy), DestinationOptions.FolderOf(parsed.GetValue(data)));
            if (destination.Policy.Publication is null)
            {
                throw new CommandFault(ExitCode.Usage, "The policy names no log: nothing says what should be served.");
            }
            var (result, differences) = await Speech.WaitAsync($"Downloading {destination.Operator.Authority} …", () => CompareAsync(destination, interruption.Token));
            return Describe(destination, result, differences);
        });
        return web;
    }

    private static int Describe(Destination destination, WebClientResult result, List<string> differences)
    {
        if (result.Accepted is not { } accepted)
        {
            Speech.Out.MarkupLineInterpolated($"[red]Refused:[/] what {destination.Operator.Authority} shows as its web app's entry is not a published one: {result.Fault}.");
            return ExitCode.Refused;
        }
        foreach (string difference in differences)
        {
            Speech.Out.MarkupLineInterpolated($"[red]✗[/] {difference}");
        }
        var web = accepted.Entry.Statement.WebClient!;
        Speech.Out.MarkupLineInterpolated($"Web client {web.Version}: entry {accepted.Index} of {accepted.Checkpoint.Origin}, {web.Files.Length} files, valid until {accepted.Entry.Statement.NotAfter}, seen by {string.Join(", ", accepted.Witnesses.Select(one => one.Witness))}.");
        Speech.Out.MarkupLine(differences.Count == 0 ? "[green]The same:[/] this command was served exactly the published files." : $"[red]Another:[/] {differences.Count} differences.");
        return differences.Count == 0 ? ExitCode.Done : ExitCode.Refused;
    }

    private static async Task<(WebClientResult Result, List<string> Differences)> CompareAsync(Destination destination, CancellationToken cancellation)
    {
        try
        {
            using var http = new HttpClient { Timeout = Patience };
            using var download = new WebDownload(destination.Operator, Patience);
            var result = await PublishedWebClient.FetchAsync(http, destination.Options, cancellation);
            return (result, result.Accepted is { } accepted ? await download.CompareAsync(accepted.Entry.Statement.WebClient!.Files, cancellation) : []);
        }
        catch (HttpRequestException fault) when (fault.StatusCode is System.Net.HttpStatusCode.NotFound)
        {
            throw new CommandFault(ExitCode.Refused, $"{destination.Operator.Authority} shows no published web app.", fault);
        }
        catch (HttpRequestException fault)
        {
            throw new CommandFault(ExitCode.Unreachable, $"Nobody answers at {destination.Operator}: {fault.Message}", fault);
        }
    }
}
