using System.Runtime.InteropServices;

namespace Cloister.Cli;

/// <summary>Ctrl-C and SIGTERM as a token that is cancelled. Whoever asks twice, or at a prompt, where nothing looks at the token, is not kept waiting: the system ends the program there and then.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _signals;

    public Interruption() => _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, Cancel))];

    public CancellationToken Token => _source.Token;

    public async Task WaitAsync()
    {
        var interrupted = new TaskCompletionSource();
        await using var registration = Token.Register(interrupted.SetResult);
        await interrupted.Task;
    }

    public void Dispose()
    {
        Array.ForEach(_signals, signal => signal.Dispose());
        _source.Dispose();
    }

    internal void Cancel(PosixSignalContext context)
    {
        if (!Prompts.Waits && !_source.IsCancellationRequested)
        {
            context.Cancel = true;
        }
        _source.Cancel();
    }
}
