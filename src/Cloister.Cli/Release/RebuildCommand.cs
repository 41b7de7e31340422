using System.CommandLine;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Release;

/// <summary><c>release rebuild</c>: an independent builder got the same files.</summary>
internal static class RebuildCommand
{
    public static Command Make()
    {
        var release = new Argument<string>("release") { Description = "The release's signed entry, or a publication." };
        var artifacts = new Argument<string[]>("file") { Description = "What you built from its revision, each FILE or NAME=FILE.", Arity = ArgumentArity.OneOrMore };
        var statement = new StatementOptions();
        var command = new Command("rebuild", "Write the entry that says that you built the same files from the sources. Where they differ, none is written.") { release, artifacts };
        statement.AddTo(command);
        command.SetAction(parsed =>
        {
            var entry = EntryFile.ReadSigned(parsed.GetRequiredValue(release));
            var manifest = entry.Statement.Release ?? throw new CommandFault(ExitCode.Usage, $"'{parsed.GetRequiredValue(release)}' is not a release.");
            var built = parsed.GetRequiredValue(artifacts).Select(StatementOptions.ArtifactOf).ToDictionary(artifact => artifact.Name);
            foreach (var wanted in manifest.Artifacts)
            {
                if (!built.Remove(wanted.Name, out var own) || own != wanted)
                {
                    throw new CommandFault(ExitCode.Refused, $"{wanted.Name} is {(own is null ? "not there" : "another file than the release's")}: nothing was written.");
                }
            }
            return built.Count == 0
                ? statement.Write(parsed, empty => empty with { Rebuild = new Rebuild(Hex.Encode(entry.Digest.Span), manifest.Artifacts) })
                : throw new CommandFault(ExitCode.Refused, $"{built.Keys.First()} is no file of the release: nothing was written.");
        });
        return command;
    }
}
