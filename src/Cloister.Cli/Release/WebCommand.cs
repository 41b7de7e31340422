using System.Collections.Immutable;
using System.CommandLine;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary><c>release web</c>: every file of a web app.</summary>
internal static class WebCommand
{
    public const string PolicyName = "policy.json";

    public static Command Make()
    {
        var folder = new Argument<string>("folder") { Description = "The published web app: the operator's option web_root." };
        var policy = new Option<string?>("--policy") { Description = "The policy that the app is given: the operator's option policy.", HelpName = "FILE" };
        var version = new Option<string>("--version") { Description = "For people, such as 1.4.0.", HelpName = "TEXT", Required = true };
        var statement = new StatementOptions();
        var command = new Command("web", "Write the entry of a web app's files. 'cloister verify web' compares a deployment with it.") { folder, policy, version };
        statement.AddTo(command);
        command.SetAction(parsed => statement.Write(parsed, empty => empty with
        {
            WebClient = new WebClient(parsed.GetRequiredValue(version), FilesOf(parsed.GetRequiredValue(folder), parsed.GetValue(policy))),
        }));
        return command;
    }

    /// <summary>What the operator's program serves of this folder; files that were compressed beforehand stand for what they hold.</summary>
    public static ImmutableArray<Artifact> FilesOf(string folder, string? policy)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no folder '{folder}'.");
        }
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is not (".br" or ".gz"))
            .Select(file => (Name: Path.GetRelativePath(folder, file).Replace('\\', '/'), File: file))
            .Where(file => policy is null || file.Name != PolicyName);
        return [.. (policy is null ? files : files.Append((Name: PolicyName, File: policy))).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => StatementOptions.ArtifactOf(file.File) with { Name = file.Name })];
    }
}
