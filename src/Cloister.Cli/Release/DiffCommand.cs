using System.CommandLine;

namespace Cloister.Cli.Release;

/// <summary><c>release diff</c>: what changed from one release to another, in words, for whoever is about to sign or to trust it.</summary>
internal static class DiffCommand
{
    public static Command Make()
    {
        var before = new Argument<string>("old") { Description = "A release's entry, signed or not, or a publication." };
        var after = new Argument<string>("new") { Description = "Another one." };
        var command = new Command("diff", "Say in words what changed between two releases.") { before, after };
        command.SetAction(parsed =>
        {
            var (from, to) = (EntryFile.ReadStatement(parsed.GetRequiredValue(before)), EntryFile.ReadStatement(parsed.GetRequiredValue(after)));
            if (from.Release is null || to.Release is null)
            {
                throw new CommandFault(ExitCode.Usage, "Both must be releases.");
            }
            foreach (string sentence in ReleaseDifference.Of(from, to))
            {
                Console.Out.WriteLine(sentence);
            }
            return ExitCode.Done;
        });
        return command;
    }
}
