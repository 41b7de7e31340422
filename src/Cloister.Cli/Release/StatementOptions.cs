using System.CommandLine;
using System.Security.Cryptography;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Release;

/// <summary>What all commands that make an entry have in common.</summary>
internal sealed class StatementOptions
{
    private static readonly TimeSpan WithoutEnd = TimeSpan.FromDays(36500);

    private readonly Option<string> _namespace = new("--namespace") { Description = "Whose statement it is: it counts in no other namespace.", HelpName = "NAME", Required = true };
    private readonly Option<string> _valid = new("--valid") { Description = "How long it is valid from now on: after that everybody refuses it.", HelpName = "TIME", DefaultValueFactory = _ => "7d" };
    private readonly Option<string[]> _keys = new("--key") { Description = "Sign it with the private key in this file, too. Left out: 'cloister release sign' does it.", HelpName = "FILE" };
    private readonly Option<string> _file = new("--out") { Description = "The file of the entry.", HelpName = "FILE", Required = true };

    /// <param name="bounded">False for a recall: it has no end, and its namespace is the release's.</param>
    public void AddTo(Command command, bool bounded = true)
    {
        if (bounded)
        {
            command.Add(_namespace);
            command.Add(_valid);
        }
        command.Add(_keys);
        command.Add(_file);
    }

    /// <summary>Writes a statement with the body that <paramref name="body"/> gives it.</summary>
    public int Write(ParseResult parsed, Func<LogStatement, LogStatement> body) => Write(parsed, body, parsed.GetRequiredValue(_namespace), Period.Read(parsed.GetRequiredValue(_valid)));

    public int WriteWithoutEnd(ParseResult parsed, Func<LogStatement, LogStatement> body, string @namespace) => Write(parsed, body, @namespace, WithoutEnd);

    public static LogStatement Empty(string @namespace, DateTimeOffset now, TimeSpan valid) => new()
    {
        Namespace = @namespace,
        NotBefore = LogStatement.FormatTime(now),
        NotAfter = LogStatement.FormatTime(now + valid),
    };

    /// <summary>Files by their own names, or by those that go before an equals sign.</summary>
    public static Artifact ArtifactOf(string argument)
    {
        string[] parts = File.Exists(argument) ? [Path.GetFileName(argument), argument] : argument.Split('=', 2);
        if (parts is not [var name, var file] || !File.Exists(file))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no file '{argument}'.");
        }
        using var content = File.OpenRead(file);
        return new Artifact(name, Hex.Encode(SHA256.HashData(content)));
    }

    private int Write(ParseResult parsed, Func<LogStatement, LogStatement> body, string @namespace, TimeSpan valid)
    {
        string file = parsed.GetRequiredValue(_file);
        var statement = body(Empty(@namespace, DateTimeOffset.UtcNow, valid));
        EntryFile.Write(file, statement, parsed.GetValue(_keys) ?? []);
        Console.Out.WriteLine(Hex.Encode(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(LogEntry.TextOf(statement)))));
        return ExitCode.Done;
    }
}
