using System.Runtime.InteropServices;

namespace Cloister.Cli.Tests;

public class InterruptionTests
{
    [Fact]
    public void The_first_signal_cancels_and_the_second_is_left_to_the_system()
    {
        using var interruption = new Interruption();
        var first = new PosixSignalContext(PosixSignal.SIGINT);
        interruption.Cancel(first);
        Assert.True(first.Cancel);
        Assert.True(interruption.Token.IsCancellationRequested);

        var second = new PosixSignalContext(PosixSignal.SIGINT);
        interruption.Cancel(second);
        Assert.False(second.Cancel);
    }
}
