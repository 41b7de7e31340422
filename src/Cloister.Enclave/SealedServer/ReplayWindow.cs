namespace Cloister.Enclave.SealedServer;

/// <summary>The names of recent requests, each of which is answered once (docs/spec/exchanges.md, section 3).</summary>
internal sealed class ReplayWindow(TimeProvider time)
{
    private const int MaxNames = 100_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly HashSet<string> _names = [];
    private readonly Queue<(string Name, long At)> _order = new();

    /// <summary>False where the name was used within the window. Past the bound the oldest name is forgotten.</summary>
    public bool TryAdd(string name)
    {
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && (_order.Count >= MaxNames || time.GetElapsedTime(oldest.At) > Window))
            {
                _names.Remove(_order.Dequeue().Name);
            }
            bool added = _names.Add(name);
            if (added)
            {
                _order.Enqueue((name, time.GetTimestamp()));
            }
            return added;
        }
    }
}
