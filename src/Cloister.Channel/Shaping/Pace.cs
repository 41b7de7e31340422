using System.Numerics;

namespace Cloister.Channel.Shaping;

/// <summary>How one direction is paced while an answer is in progress.</summary>
/// <param name="Tick">One record leaves every so often.</param>
/// <param name="Usual">Its size, while the data that waits fits into two of it.</param>
/// <param name="Raised">Its size, while more waits. What does not fit even here leaves at once.</param>
/// <param name="RequestFirst">What is written before the first tick leaves at once: a request shows anyway, and its sender waits for it.</param>
internal sealed record PaceRule(TimeSpan Tick, int Usual, int Raised, bool RequestFirst)
{
    // Fifty records a second carry what the fastest models write, cost 51 kB/s, and delay a token by 10 ms on average,
    // which nobody sees.
    public static PaceRule Answering { get; } = new(TimeSpan.FromMilliseconds(20), RecordSizes.Medium, RecordSizes.Large, RequestFirst: false);

    // Only window updates and cancellations travel this way while an answer comes, and a tenth of a second is soon enough
    // for both. A request is larger and leaves at once.
    public static PaceRule Asking { get; } = new(TimeSpan.FromMilliseconds(100), RecordSizes.Small, RecordSizes.Small, RequestFirst: true);
}

/// <summary>Decides, for one direction, when records leave and how long they are. Docs/spec/channel.md, section 7.2.</summary>
/// <remarks>It knows how much data waits, never what it is. Time is an argument. Its owner's lock guards it.</remarks>
internal sealed class Pace(PaceRule rule)
{
    // Ours to choose: beyond 16 MiB doubling costs more than it hides.
    private const int MostDoubled = 1024;

    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromSeconds(1);

    private int _answers;
    private TimeSpan _start;
    private TimeSpan _end;

    private bool _ticking;      // false until the first tick of a period whose request goes first
    private bool _slot;         // this tick's record has not left yet
    private int _bulk;          // records of the largest size since the last tick without any
    private bool _bulkSinceTick;
    private int _cover;         // records of the largest size still to send

    /// <summary>Records leave at ticks, whether or not there is data.</summary>
    public bool IsRunning { get; private set; }

    public void Begin(TimeSpan now)
    {
        if (!IsRunning)
        {
            (IsRunning, _start, _ticking) = (true, now, !rule.RequestFirst);
        }
        _answers++;
    }

    /// <summary>The last answer's end does not show: ticks go on until the period has lasted a power of two of seconds.</summary>
    public void End(TimeSpan now)
    {
        if (--_answers == 0)
        {
            _end = _start + Period(now - _start);
        }
    }

    public void Tick(TimeSpan now)
    {
        if (!_bulkSinceTick)
        {
            // A burst is over: bring the number of its records up to one that says little.
            _cover += RoundUp(_bulk) - _bulk;
            _bulk = 0;
            IsRunning = _answers > 0 || now < _end;
        }
        _bulkSinceTick = false;
        _ticking = _slot = IsRunning;
    }

    /// <summary>The size of the record to send now, with as much of the waiting data as it carries; 0 for none.</summary>
    /// <param name="waiting">In bytes.</param>
    public int Next(int waiting)
    {
        if (IsRunning && (waiting > RecordSizes.Capacity(rule.Raised) || (waiting > 0 && !_ticking)))
        {
            return Burst(waiting);
        }
        if (_cover > 0)
        {
            _cover--;
            return RecordSizes.Bulk;
        }
        if (!IsRunning)
        {
            return waiting > 0 ? RecordSizes.For(waiting) : 0;
        }

        bool leaves = _slot;
        _slot = false;
        return !leaves ? 0 : waiting <= 2 * RecordSizes.Capacity(rule.Usual) ? rule.Usual : rule.Raised;
    }

    // Once one record of a burst has the largest size all the others have it, so that how the data was cut does not show.
    private int Burst(int waiting)
    {
        int size = _bulk > 0 ? RecordSizes.Bulk : RecordSizes.For(waiting);
        if (size == RecordSizes.Bulk)
        {
            (_bulk, _bulkSinceTick) = (_bulk + 1, true);
        }
        return size;
    }

    private static int RoundUp(int records) =>
        records <= MostDoubled ? (int)BitOperations.RoundUpToPowerOf2((uint)records) : (records + MostDoubled - 1) / MostDoubled * MostDoubled;

    private static TimeSpan Period(TimeSpan elapsed)
    {
        var period = ShortestPeriod;
        while (period < elapsed)
        {
            period *= 2;
        }
        return period;
    }
}
