using System.CommandLine;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary><c>release fleet</c>: which machines are the operator's own.</summary>
internal static class FleetCommand
{
    public static Command Make()
    {
        var nodes = new Option<string[]>("--node") { Description = "A machine: its platform and, in lower-case hex, the identity that its evidence names.", HelpName = "PLATFORM:ID", Required = true };
        var statement = new StatementOptions();
        var command = new Command("fleet", "Write the entry of the operator's machines: all of them.") { nodes };
        statement.AddTo(command);
        command.SetAction(parsed => statement.Write(parsed, empty => empty with { Fleet = new Fleet([.. parsed.GetRequiredValue(nodes).Select(NodeOf)]) }));
        return command;
    }

    private static FleetNode NodeOf(string argument) =>
        argument.Split(':') is [var platform, var id] ? new FleetNode(platform, id) : throw new CommandFault(ExitCode.Usage, $"'{argument}' is not a machine, such as snp:0123…");
}
