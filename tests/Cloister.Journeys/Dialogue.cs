using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Cloister.Journeys;

/// <summary>A <c>cloister</c> that asks and is answered, as by a person at a terminal that shows nothing of what is typed.</summary>
internal sealed class Dialogue : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Voice _output, _error; // nobody knows which of the two spoke first
    private readonly Task _reading;

    private Dialogue(Process process)
    {
        (_process, _output, _error) = (process, new Voice(process.StandardOutput), new Voice(process.StandardError));
        _reading = Task.WhenAll(_output.Reading, _error.Reading);
    }

    public static Dialogue Start(params string[] arguments) => new(CloisterProgram.Start(arguments));

    /// <summary>Everything that it said, on one output and on the other.</summary>
    public string Said => _output.Said + _error.Said;

    /// <summary>Waits until it says this on either output, after what was heard there before.</summary>
    public async Task<Match> HearAsync(string pattern)
    {
        var sought = new Regex(pattern, RegexOptions.Multiline);
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            bool over = _reading.IsCompleted;
            if ((_output.Hear(sought) ?? _error.Hear(sought)) is { } match)
            {
                return match;
            }
            if (over)
            {
                break;
            }
            await Task.Delay(20);
        }
        throw new TimeoutException($"'{pattern}' was not said: {Said}");
    }

    /// <summary>Waits until something is on its standard output, whatever the other one says before or after.</summary>
    public Task AnswerAsync() => _output.Begun.WaitAsync(Patience);

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

    private sealed class Voice
    {
        private readonly StringBuilder _said = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _heard;

        public Voice(StreamReader reader) => Reading = ReadAsync(reader);

        public Task Reading { get; }

        public Task Begun => _begun.Task;

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

        public Match? Hear(Regex sought)
        {
            var match = sought.Match(Said, _heard);
            _heard = match.Success ? match.Index + match.Length : _heard;
            return match.Success ? match : null;
        }

        private async Task ReadAsync(StreamReader reader)
        {
            char[] buffer = new char[1024];
            while (await reader.ReadAsync(buffer) is > 0 and int read)
            {
                lock (_said)
                {
                    _said.Append(buffer, 0, read);
                }
                _begun.TrySetResult();
            }
        }
    }
}
