using System.Collections.Immutable;
using System.CommandLine;
using Cloister.Attestation;
using Cloister.Cli.Verify;
using Cloister.Transparency;
using Spectre.Console;

namespace Cloister.Cli.Release;

/// <summary><c>release verify</c>: what a client will say of a publication, before any enclave shows it.</summary>
internal static class VerifyPublicationCommand
{
    public static Command Make()
    {
        var file = new Argument<string>("file") { Description = "A publication, or a published entry of a web app, a policy or a fleet." };
        var policy = LogPlace.PolicyOption();
        var command = new Command("verify", "Check a publication as clients will, offline. The exit code is 0 only if they will accept it.") { file, policy };
        command.SetAction(parsed =>
        {
            var demands = LogPlace.DemandsOf(parsed.GetRequiredValue(policy));
            string name = parsed.GetRequiredValue(file);
            return PublicationFile.TryRead(name) is { } publication ? Judge(publication.Appraise(demands, null, DateTimeOffset.UtcNow)) : Judge(PublicationFile.ReadEntry(name), demands);
        });
        return command;
    }

    private static int Judge(ImmutableArray<Check> checks)
    {
        CheckTable.Write(Speech.Out, checks);
        CheckTable.WriteFailures(Speech.Out, checks);
        int failed = checks.Count(check => check.Verdict is Verdict.Failed);
        Speech.Out.MarkupLine(failed == 0 ? "[green]Accepted.[/]" : $"[red]Refused:[/] {failed} of {checks.Length} checks failed.");
        return failed == 0 ? ExitCode.Done : ExitCode.Refused;
    }

    private static int Judge(ProvedEntry proved, PublicationDemands demands)
    {
        var type = LogEntry.TryParse(proved.Entry.Span, out var entry) ? entry.Statement.Type : EntryType.None;
        if (!demands.TryAccept(proved, type, DateTimeOffset.UtcNow, out var accepted, out string? fault))
        {
            Speech.Out.MarkupLineInterpolated($"[red]Refused:[/] {fault}.");
            return ExitCode.Refused;
        }
        Speech.Out.MarkupLineInterpolated($"[green]Accepted:[/] {type}, entry {accepted.Index} of {accepted.Checkpoint.Origin}, seen by {string.Join(", ", accepted.Witnesses.Select(one => one.Witness))}.");
        return ExitCode.Done;
    }
}
