using System.CommandLine;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary><c>release policy</c>: which policy clients are given.</summary>
internal static class PolicyEntryCommand
{
    public static Command Make()
    {
        var file = new Argument<string>("file") { Description = "The policy's exact bytes, as clients get them: 'cloister policy' makes one." };
        var statement = new StatementOptions();
        var command = new Command("policy", "Write the entry of a policy that clients are given.") { file };
        statement.AddTo(command);
        command.SetAction(parsed => statement.Write(parsed, empty =>
        {
            var artifact = StatementOptions.ArtifactOf(parsed.GetRequiredValue(file));
            return empty with { Policy = new PublishedPolicy(artifact.Name, artifact.Sha256) };
        }));
        return command;
    }
}
