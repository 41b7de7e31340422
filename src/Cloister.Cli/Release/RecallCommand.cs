using System.CommandLine;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Release;

/// <summary><c>release recall</c>: a release that must not be used any more. It has no end.</summary>
internal static class RecallCommand
{
    public static Command Make()
    {
        var release = new Argument<string>("release") { Description = "The release's signed entry, or a publication." };
        var reason = new Option<string>("--reason") { Description = "For people: everybody can read it.", HelpName = "TEXT", Required = true };
        var statement = new StatementOptions();
        var command = new Command("recall", "Write the entry that recalls a release. It counts as soon as it is signed and shown; publish it so that it is.") { release, reason };
        statement.AddTo(command, bounded: false);
        command.SetAction(parsed =>
        {
            var entry = EntryFile.ReadSigned(parsed.GetRequiredValue(release));
            return entry.Statement.Release is null
                ? throw new CommandFault(ExitCode.Usage, $"'{parsed.GetRequiredValue(release)}' is not a release.")
                : statement.WriteWithoutEnd(parsed, empty => empty with { Recall = new Recall(Hex.Encode(entry.Digest.Span), parsed.GetRequiredValue(reason)) }, entry.Statement.Namespace);
        });
        return command;
    }
}
