using System.CommandLine;
using Cloister.Log;
using Cloister.Transparency;

namespace Cloister.Cli.Log;

/// <summary><c>cloister log</c>: runs a log; makes its key; hands entries to one.</summary>
internal static class LogCommand
{
    public static Command Make()
    {
        var (configuration, json) = (ServerRun.ConfigurationOption(), ServerRun.JsonOption());
        var log = new TaughtCommand("log", "Run a transparency log: it shows nothing that enough witnesses have not cosigned.", """
            cloister log key example.com/log --out log.key
            cloister log --configuration log.json
            cloister log add release.entry --log https://log.example/ --policy log.policy --out release.proof
            """)
        { configuration, json, KeyCommand.Make("Make a log's key. Its name is the log's origin.", NoteKeyType.Ed25519), AddCommand.Make() };
        log.SetAction(parsed => ServerRun.RunAsync(Build(ServerRun.FileOf(parsed, configuration)), parsed.GetValue(json)));
        return log;
    }

    private static WebApplication Build(string file) =>
        LogOptions.TryRead(file, out var options, out var faults) ? LogProgram.Build(options) : throw new CommandFault(ExitCode.Usage, string.Join(' ', faults));
}
