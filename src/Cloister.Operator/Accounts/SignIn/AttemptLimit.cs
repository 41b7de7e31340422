using System.Diagnostics.CodeAnalysis;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Counts attempts by address within a window of time, for this process, in bounded memory. An attempt takes its place before it is judged, so that of any number at once no more are judged than count.</summary>
/// <remarks>When there are too many addresses, those whose window began first are forgotten: whoever has that many gets more attempts.</remarks>
internal sealed class AttemptLimit(int most, TimeSpan window, TimeProvider time)
{
    // Ours to choose: some 20 MB.
    private const int MaxNames = 65_536;

    // Docs/spec/accounts.md, section 1: how much more a site has than an address of its own.
    private const long PerSite = 16;

    // Where places are only held by attempts that are being judged, which is soon done.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Tally>> _names = [];
    private readonly LinkedList<Tally> _order = [];

    /// <summary>Takes a place for an attempt; false where there is none, and for how long still.</summary>
    /// <param name="at">What the attempts are at that are counted together; with nothing said, at anything.</param>
    public bool TryBegin(ClientAddress from, [NotNullWhen(false)] out TimeSpan? wait, string at = "")
    {
        lock (_lock)
        {
            ForgetOverdue();
            var places = Places(from, at);
            wait = places.Max(place => Wait(place.Name, place.Most));
            foreach (var (name, _) in wait is null ? places : [])
            {
                TallyOf(name).Open++;
            }
        }
        return wait is null;
    }

    /// <summary>The attempt was judged, or could not be.</summary>
    /// <param name="counts">False: its place is free again.</param>
    public void End(ClientAddress from, bool counts, string at = "")
    {
        lock (_lock)
        {
            ForgetOverdue();
            foreach (var (name, _) in Places(from, at))
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
    }

    /// <summary>Takes an attempt that counts whatever comes of it; false where there is none left.</summary>
    public bool TryCount(ClientAddress from, [NotNullWhen(false)] out TimeSpan? wait)
    {
        if (!TryBegin(from, out wait))
        {
            return false;
        }
        End(from, counts: true);
        return true;
    }

    private (string Name, long Most)[] Places(ClientAddress from, string at) => from.Site is { } site ? [($"{from.Own} {at}", most), ($"{site} {at}", most * PerSite)] : [($"{from.Own} {at}", most)];

    // How long the name has no place; null where it has one. Who is refused makes nobody be forgotten.
    private TimeSpan? Wait(string name, long most) =>
        !_names.TryGetValue(name, out var node) || node.Value is not { } tally ? null
        : tally.Counted >= most ? window - time.GetElapsedTime(tally.Began)
        : tally.Counted + tally.Open >= most ? Soon
        : null;

    private Tally TallyOf(string name)
    {
        if (_names.TryGetValue(name, out var known))
        {
            return known.Value;
        }
        if (_names.Count >= MaxNames)
        {
            Forget(_order.First!);
        }
        return (_names[name] = _order.AddLast(new Tally(name, time.GetTimestamp()))).Value;
    }

    // Windows are in the order in which they began.
    private void ForgetOverdue()
    {
        while (_order.First is { } oldest && time.GetElapsedTime(oldest.Value.Began) >= window)
        {
            Forget(oldest);
        }
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

        public long Counted { get; set; }

        /// <summary>Being judged.</summary>
        public long Open { get; set; }
    }
}
