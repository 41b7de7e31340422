using Cloister.Channel.Exchanges;

namespace Cloister.Enclave.SealedServer;

/// <summary>The names of recent requests, each of which is answered once (docs/spec/exchanges.md, section 3).</summary>
internal sealed class RequestNames(TimeProvider time)
{
    // Ours to choose: 5 MB. Past it the oldest name is forgotten, which harms nobody but whoever would use it again.
    private const int MaxNames = 100_000;

    private readonly Lock _gate = new();
    private readonly HashSet<UInt128> _names = [];
    private readonly Queue<(UInt128 Name, long At)> _order = new();

    /// <summary>False where the name was used within the window.</summary>
    public bool TryUse(UInt128 name)
    {
        lock (_gate)
        {
            while (_order.TryPeek(out var oldest) && (_order.Count >= MaxNames || time.GetElapsedTime(oldest.At) >= Exchanges.NameWindow))
            {
                _names.Remove(_order.Dequeue().Name);
            }
            bool unused = _names.Add(name);
            if (unused)
            {
                _order.Enqueue((name, time.GetTimestamp()));
            }
            return unused;
        }
    }
}
