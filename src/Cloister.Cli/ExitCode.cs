namespace Cloister.Cli;

/// <summary>What the command ends with. The numbers are for scripts: they are in the help and do not change.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>An enclave was refused, or there was none; a log refused an entry; a monitor raised an alarm.</summary>
    public const int Refused = 1;

    /// <summary>The command line, a file that it names, or what that file holds.</summary>
    public const int Usage = 2;

    /// <summary>Nobody answers: the operator, the enclave, an upstream server or a hub.</summary>
    public const int Unreachable = 3;

    /// <summary>The port is taken.</summary>
    public const int PortTaken = 4;

    /// <summary>The connection was lost in the middle of an answer.</summary>
    public const int CutOff = 5;

    /// <summary>A log, a witness or a monitor must not go on: what it keeps does not belong together, or another process has it.</summary>
    public const int Stopped = 6;

    /// <summary>Somebody pressed Ctrl-C.</summary>
    public const int Interrupted = 130;
}

/// <summary>Something that the person at the terminal can put right, said in one sentence.</summary>
internal sealed class CommandFault(int exitCode, string sentence, Exception? inner = null) : Exception(sentence, inner)
{
    public int ExitCode => exitCode;
}
