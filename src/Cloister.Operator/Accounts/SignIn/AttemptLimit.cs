using System.Diagnostics.CodeAnalysis;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Counts attempts by name within a window of time, for this process, in bounded memory.</summary>
/// <remarks>When there are too many names, those whose window began first are forgotten: whoever has that many addresses gets more attempts.</remarks>
internal sealed class AttemptLimit(int most, TimeSpan window, TimeProvider time)
{
    // Ours to choose: some 10 MB.
    private const int MaxNames = 65_536;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Began, int Count)> _names = [];
    private readonly Queue<(string Name, long Began)> _order = [];

    /// <summary>Whether the name has used up its attempts, and for how long still.</summary>
    public bool IsReached(string name, [NotNullWhen(true)] out TimeSpan? wait)
    {
        lock (_lock)
        {
            wait = _names.TryGetValue(name, out var counted) && counted.Count >= most && time.GetElapsedTime(counted.Began) is var elapsed && elapsed < window ? window - elapsed : null;
        }
        return wait is not null;
    }

    /// <summary>Takes an attempt; false where there is none left.</summary>
    public bool TryCount(string name, [NotNullWhen(false)] out TimeSpan? wait)
    {
        if (IsReached(name, out wait))
        {
            return false;
        }
        Count(name);
        return true;
    }

    public void Count(string name)
    {
        lock (_lock)
        {
            Forget();
            if (_names.TryGetValue(name, out var counted) && time.GetElapsedTime(counted.Began) < window)
            {
                _names[name] = counted with { Count = Math.Min(counted.Count, most) + 1 };
            }
            else
            {
                long now = time.GetTimestamp();
                _names[name] = (now, 1);
                _order.Enqueue((name, now));
            }
        }
    }

    private void Forget()
    {
        while (_order.TryPeek(out var oldest) && (_order.Count >= MaxNames || time.GetElapsedTime(oldest.Began) >= window))
        {
            _order.Dequeue();
            if (_names.TryGetValue(oldest.Name, out var counted) && counted.Began == oldest.Began)
            {
                _names.Remove(oldest.Name);
            }
        }
    }
}
