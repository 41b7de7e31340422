using System.Net.Sockets;
using Cloister.Client;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Inference;
using Cloister.Log;
using Microsoft.AspNetCore.Connections;

namespace Cloister.Cli;

/// <summary>Turns what a command can run into, into one sentence and an exit code.</summary>
internal static class Faults
{
    /// <returns>Null for what nobody foresaw: that is ours, and shows its stack trace.</returns>
    public static CommandFault? Explain(Exception fault) => fault switch
    {
        CommandFault explained         => explained,
        EnclaveRefusedException        => new CommandFault(ExitCode.Refused, fault.Message, fault),
        EnclaveLostException           => new CommandFault(ExitCode.CutOff, fault.Message, fault),
        AccountEndedException          => new CommandFault(ExitCode.Refused, $"{fault.Message} 'cloister logout --here' forgets it on this machine.", fault),
        OperatorUnreachableException   => new CommandFault(ExitCode.Unreachable, fault.Message, fault),
        AccountFaultException          => new CommandFault(ExitCode.Refused, fault.Message, fault),
        StoreFailedException           => new CommandFault(ExitCode.Stopped, fault.Message, fault),
        EnclaveUnreachableException    => new CommandFault(ExitCode.Unreachable, fault.Message, fault),
        ModelHubException              => new CommandFault(ExitCode.Unreachable, fault.Message, fault),
        ModelException                 => new CommandFault(ExitCode.Usage, fault.Message, fault),
        LogStoppedException            => new CommandFault(ExitCode.Stopped, fault.Message, fault),
        InvalidDataException           => new CommandFault(ExitCode.Stopped, fault.Message, fault),
        OperationCanceledException     => new CommandFault(ExitCode.Interrupted, "Stopped."),
        IOException { InnerException: AddressInUseException } => new CommandFault(ExitCode.PortTaken, "The port is taken by another program: choose another with --port."),
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => new CommandFault(ExitCode.PortTaken, "The port is taken by another program: choose another with --port."),
        UnauthorizedAccessException    => new CommandFault(ExitCode.Usage, fault.Message, fault),
        _ => null,
    };
}
