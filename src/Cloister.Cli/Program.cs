using System.CommandLine;
using Cloister.Cli;
using Cloister.Cli.Account;
using Cloister.Cli.Chat;
using Cloister.Cli.Collateral;
using Cloister.Cli.History;
using Cloister.Cli.Log;
using Cloister.Cli.Measure;
using Cloister.Cli.Models;
using Cloister.Cli.Proxy;
using Cloister.Cli.Release;
using Cloister.Cli.Up;
using Cloister.Cli.Verify;

var cloister = new RootCommand("An AI assistant with the privacy of an end-to-end encrypted conversation.")
{
    UpCommand.Make(),
    ChatCommand.Make(),
    ProxyCommand.Make(),
    LoginCommand.Make(),
    LogoutCommand.Make(),
    AccountCommand.Make(),
    UnlockersCommand.MakeDevices(),
    UnlockersCommand.Make(),
    LoginCommand.MakeRecover(),
    HistoryCommand.Make(),
    VerifyCommand.Make(),
    MeasureCommand.Make(),
    ModelsCommand.Make(),
    ReleaseCommand.Make(),
    PolicyCommand.Make(),
    LogCommand.Make(),
    WitnessCommand.Make(),
    MonitorCommand.Make(),
    CollateralCommand.Make(),
};

TeachingHelp.TeachFrom(cloister, """
    cloister up                             every party on this machine, with a small demonstration model
    cloister chat                           a conversation in the terminal
    cloister chat "What is an enclave?"     one question, one answer
    cat letter.txt | cloister chat "Make this kinder"
    cloister login --new                    an account: your conversations on all your devices, sealed
    cloister history                        what was said
    cloister proxy                          a local OpenAI-compatible port for any tool
    cloister verify http://localhost:7000   every check of the proof, as a person reads it
    cloister verify web http://localhost:7000
    cloister release --help                 publish a build where everybody can see it, and recall it
    cloister monitor https://log.example/ --policy log.policy --state monitor
    cloister collateral /srv/enclaves/one   on a host, what the makers of its hardware say of an enclave

    Exit codes: 0 done, 1 refused or an alarm, 2 wrong usage or file, 3 nobody answers, 4 the port is
    taken, 5 cut off in the middle of an answer, 6 a log must not go on, 130 interrupted.
    """);

var parsed = cloister.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not TeachingHelp)
{
    foreach (var error in parsed.Errors)
    {
        Speech.Error.WriteSentence(error.Message);
    }
    Console.Error.WriteLine(args.Length == 0 ? "Start with: cloister --help" : $"See: cloister {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help");
    return ExitCode.Usage;
}

// Each command says itself what Ctrl-C means, and every foreseen fault is a sentence.
var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
try
{
    return await parsed.InvokeAsync(invocation);
}
catch (Exception fault) when (Faults.Explain(fault) is { } explained)
{
    Speech.Error.WriteSentence(explained.Message);
    return explained.ExitCode;
}
