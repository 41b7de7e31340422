using System.Diagnostics;

namespace Cloister.Web.Talk;

/// <summary>Shows at once what comes seldom, and gathers what comes often, so that drawing leaves the page's one thread free for the rest.</summary>
internal sealed class Pace
{
    // Ours to choose: drawing takes at most about a third of the time, and never waits longer than a reader notices.
    private const int Share = 2;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(16);
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);

    private TimeSpan _rest;
    private long _drawnAt;
    private bool _due;

    public async Task RunAsync(Action draw)
    {
        if (_due)
        {
            return;
        }
        _due = true;
        if (_rest - Stopwatch.GetElapsedTime(_drawnAt) is { Ticks: > 0 } wait)
        {
            await Task.Delay(wait);
        }
        _due = false;

        long start = Stopwatch.GetTimestamp();
        draw();
        _drawnAt = Stopwatch.GetTimestamp();
        _rest = Stopwatch.GetElapsedTime(start, _drawnAt) * Share;
        _rest = _rest < Shortest ? Shortest : _rest > Longest ? Longest : _rest;
    }
}
