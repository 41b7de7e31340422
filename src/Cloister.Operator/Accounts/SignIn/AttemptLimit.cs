using System.Diagnostics.CodeAnalysis;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Counts attempts by name within a window of time, for this process, in bounded memory. An attempt takes its place before it is judged, so that of any number at once no more are judged than count.</summary>
/// <remarks>When there are too many names, those whose window began first are forgotten: whoever has that many addresses gets more attempts.</remarks>
internal sealed class AttemptLimit(int most, TimeSpan window, TimeProvider time)
{
    // Ours to choose: some 20 MB.
    private const int MaxNames = 65_536;

    // Where places are only held by attempts that are being judged, which is soon done.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Tally>> _names = [];
    private readonly LinkedList<Tally> _order = [];

    /// <summary>Takes a place for an attempt; false where there is none, and for how long still.</summary>
    public bool TryBegin(string name, [NotNullWhen(false)] out TimeSpan? wait)
    {
        lock (_lock)
        {
            var tally = TallyOf(name);
            wait = tally.Counted >= most ? window - time.GetElapsedTime(tally.Began) : tally.Counted + tally.Open >= most ? Soon : null;
            tally.Open += wait is null ? 1 : 0;
        }
        return wait is null;
    }

    /// <summary>The attempt was judged, or could not be.</summary>
    /// <param name="counts">False: its place is free again.</param>
    public void End(string name, bool counts)
    {
        lock (_lock)
        {
            var tally = TallyOf(name);
            tally.Open = Math.Max(0, tally.Open - 1); // the window in which it began may be over
            tally.Counted += counts ? 1 : 0;
            if (tally is { Open: 0, Counted: 0 })
            {
                Forget(_names[name]);
            }
        }
    }

    /// <summary>Takes an attempt that counts whatever comes of it; false where there is none left.</summary>
    public bool TryCount(string name, [NotNullWhen(false)] out TimeSpan? wait)
    {
        if (!TryBegin(name, out wait))
        {
            return false;
        }
        End(name, counts: true);
        return true;
    }

    // Windows are in the order in which they began.
    private Tally TallyOf(string name)
    {
        while (_order.First is { } oldest && (time.GetElapsedTime(oldest.Value.Began) >= window || (_names.Count >= MaxNames && !_names.ContainsKey(name))))
        {
            Forget(oldest);
        }
        if (!_names.TryGetValue(name, out var tally))
        {
            _names[name] = tally = _order.AddLast(new Tally(name, time.GetTimestamp()));
        }
        return tally.Value;
    }

    private void Forget(LinkedListNode<Tally> tally)
    {
        _order.Remove(tally);
        _names.Remove(tally.Value.Name);
    }

    /// <summary>A name's window.</summary>
    private sealed class Tally(string name, long began)
    {
        public string Name => name;

        public long Began => began;

        public int Counted { get; set; }

        /// <summary>Being judged.</summary>
        public int Open { get; set; }
    }
}
