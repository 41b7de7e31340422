using System.CommandLine;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Cli.Log;

/// <summary><c>cloister witness</c>: cosigns logs that only grow.</summary>
internal static class WitnessCommand
{
    public static Command Make()
    {
        var (configuration, json) = (ServerRun.ConfigurationOption(), ServerRun.JsonOption());
        var witness = new TaughtCommand("witness", "Run a witness: it cosigns checkpoints of logs that only grow.", """
            cloister witness key witness.example/1 --out witness.key
            cloister witness --configuration witness.json
            """)
        { configuration, json, KeyCommand.Make("Make a witness's key.", NoteKeyType.Ed25519Cosignature) };
        witness.SetAction(parsed => ServerRun.RunAsync(Build(ServerRun.FileOf(parsed, configuration)), parsed.GetValue(json)));
        return witness;
    }

    private static WebApplication Build(string file) =>
        WitnessOptions.TryRead(file, out var options, out var faults) ? WitnessProgram.Build(options) : throw new CommandFault(ExitCode.Usage, string.Join(' ', faults));
}
