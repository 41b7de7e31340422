namespace Cloister.Channel.Tests;

/// <summary>Time that stands still until a test moves it. Timers fire on the test's thread, in order.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Alarm> _alarms = [];
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _now;

    public TimeSpan Now => _now;

    public void Advance(TimeSpan time)
    {
        var end = _now + time;
        while (NextBefore(end) is { } alarm)
        {
            _now = alarm.Due;
            alarm.Fire();
        }
        _now = end;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, callback, state);
        alarm.Change(dueTime, period);
        lock (_alarms)
        {
            _alarms.Add(alarm);
        }
        return alarm;
    }

    private Alarm? NextBefore(TimeSpan end)
    {
        lock (_alarms)
        {
            return _alarms.Where(alarm => alarm.Due <= end).MinBy(alarm => alarm.Due);
        }
    }

    private sealed class Alarm(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : time._now + dueTime;
            _period = period;
            return true;
        }

        public void Fire()
        {
            Due = _period <= TimeSpan.Zero ? TimeSpan.MaxValue : Due + _period;
            callback(state);
        }

        public void Dispose()
        {
            lock (time._alarms)
            {
                time._alarms.Remove(this);
            }
            Due = TimeSpan.MaxValue;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
