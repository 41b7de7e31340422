using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Cloister.Journeys;

/// <summary>A <c>cloister</c> that asks and is answered, as by a person at a terminal that shows nothing of what is typed.</summary>
internal sealed class Dialogue : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly Task _reading;
    private readonly TaskCompletionSource _answering = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _heard;

    private Dialogue(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, _answering.SetResult), ReadAsync(process.StandardError, () => { }));
    }

    public static Dialogue Start(params string[] arguments) => new(CloisterProgram.Start(arguments));

    /// <summary>Everything that it said, on either output, as it came.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>Waits until it says this, after what was heard before.</summary>
    public async Task<Match> HearAsync(string pattern)
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            if (new Regex(pattern, RegexOptions.Multiline).Match(Said, _heard) is { Success: true } match)
            {
                _heard = match.Index + match.Length;
                return match;
            }
            if (_reading.IsCompleted)
            {
                break;
            }
            await Task.Delay(20);
        }
        throw new TimeoutException($"'{pattern}' was not said: {Said}");
    }

    /// <summary>Waits until something is on its standard output, whatever the other one says before or after.</summary>
    public Task AnswerAsync() => _answering.Task.WaitAsync(Patience);

    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>There is no more to say.</summary>
    public void EndInput() => _process.StandardInput.Close();

    /// <summary>Waits for its end and gives the exit code.</summary>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
        await _reading;
        return _process.ExitCode;
    }

    /// <summary>Presses Ctrl-C and gives the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        return await EndAsync();
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, Action begun)
    {
        char[] buffer = new char[1024];
        for (bool first = true; await reader.ReadAsync(buffer) is > 0 and int read; first = false)
        {
            lock (_said)
            {
                _said.Append(buffer, 0, read);
            }
            if (first)
            {
                begun();
            }
        }
    }
}
