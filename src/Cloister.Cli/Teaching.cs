using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Cloister.Cli;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class TaughtCommand(string name, string description, string examples) : Command(name, description)
{
    public string Examples => examples;
}

/// <summary>The usual help, and behind it the examples of the command that was asked about.</summary>
internal sealed class TeachingHelp(HelpAction usual, string beginning) : SynchronousCommandLineAction
{
    public static void TeachFrom(RootCommand root, string beginning)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new TeachingHelp((HelpAction)help.Action!, beginning);
    }

    public override int Invoke(ParseResult parseResult)
    {
        int code = usual.Invoke(parseResult);
        string examples = parseResult.CommandResult.Command is TaughtCommand taught ? taught.Examples : parseResult.CommandResult.Command is RootCommand ? beginning : "";
        if (examples.Length > 0)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"Examples:\n{Indent(examples)}\n");
        }
        return code;
    }

    // Help is asked for as --help, never by mistake: a mistake is answered with what is wrong.
    public override bool ClearsParseErrors => usual.ClearsParseErrors;

    private static string Indent(string text) => string.Join('\n', text.Split('\n').Select(line => $"  {line}".TrimEnd()));
}
