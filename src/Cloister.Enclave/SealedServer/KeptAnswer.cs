using System.Collections.Immutable;
using System.IO.Pipelines;
using Cloister.Channel.Exchanges;

namespace Cloister.Enclave.SealedServer;

/// <summary>One answer as it is made, its last part kept for a client that is cut off (docs/spec/exchanges.md, section 4).</summary>
/// <remarks>
/// At any time one exchange delivers it, or none. While one does, what its client may still lack is kept. While none does, the answer goes on
/// until <see cref="MaxAhead"/> is kept; then its maker waits.
/// </remarks>
internal sealed class KeptAnswer(UInt128 name, byte[] keyHash, Action stop, TimeProvider time)
{
    // Ours to choose. A client lacks at most what its window lets us be ahead, and what was under way on the connection.
    private const int Behind = 2 * Exchanges.Window;
    private const int MaxAhead = 1024 * 1024;
    private const int ChunkLength = 4096;

    private readonly Lock _gate = new();

    // All of these under the gate.
    private readonly List<byte[]> _chunks = [];
    private long _start;                    // where the first chunk begins in the content
    private long _end;
    private long _needed;                   // nobody asks for what is further back from here than Behind
    private Exchange? _deliverer;
    private bool _live;                     // the deliverer is the request's own exchange: what is made goes there at once
    private ResponseHead? _head;
    private ImmutableArray<Field> _trailers = [];
    private bool _complete;
    private bool _over;
    private long? _orphanedAt;
    private TaskCompletionSource? _changed;

    public UInt128 Name { get; } = name;

    public byte[] KeyHash { get; } = keyHash;

    /// <summary>Nobody has come back for it in time.</summary>
    public bool IsStale
    {
        get
        {
            lock (_gate)
            {
                return _orphanedAt is { } since && time.GetElapsedTime(since) >= Exchanges.ResumeWindow;
            }
        }
    }

    /// <summary>The request's own exchange delivers it, until it is cut or another takes over.</summary>
    public void BeginLive(Exchange exchange) => (_deliverer, _live) = (exchange, true);

    public void Start(ResponseHead head)
    {
        lock (_gate)
        {
            _head = head;
            Wake();
        }
    }

    public void Append(ReadOnlySpan<byte> content)
    {
        lock (_gate)
        {
            while (!_over && !content.IsEmpty)
            {
                int at = (int)((_end - _start) % ChunkLength);
                if (at == 0)
                {
                    _chunks.Add(new byte[ChunkLength]);
                }
                int length = Math.Min(content.Length, ChunkLength - at);
                content[..length].CopyTo(_chunks[^1].AsSpan(at));
                content = content[length..];
                _end += length;
            }
            if (_live)
            {
                Needed(_end);
            }
            Wake();
        }
    }

    /// <summary>All is made.</summary>
    public void Complete(ImmutableArray<Field> trailers)
    {
        lock (_gate)
        {
            (_complete, _trailers) = (true, trailers);
            Wake();
        }
    }

    /// <summary>That exchange delivers it no more. If no other does, the two minutes begin.</summary>
    /// <returns>False where another has taken over before: what became of this one is of no interest.</returns>
    public bool Orphan(Exchange exchange)
    {
        lock (_gate)
        {
            if (_deliverer != exchange)
            {
                return false;
            }
            (_deliverer, _live, _orphanedAt, _needed) = (null, false, time.GetTimestamp(), Math.Max(_needed - Behind, _start));
            Wake();
            return true;
        }
    }

    /// <summary>Another exchange delivers it from <paramref name="offset"/> on. The one before, if it is not known to be cut yet, is let go.</summary>
    /// <returns>False where that part was never made or is not kept any more.</returns>
    public bool TryTakeOver(Exchange exchange, long offset)
    {
        Exchange? former;
        lock (_gate)
        {
            if (_over || offset < _start || offset > _end)
            {
                return false;
            }
            former = _deliverer;
            (_deliverer, _live, _orphanedAt) = (exchange, false, null);
            Needed(offset);
            Wake();
        }
        former?.Abandon();
        return true;
    }

    /// <summary>The head, as soon as it is known; null if there will be none.</summary>
    public async Task<ResponseHead?> HeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_head is not null || _over)
                {
                    return _over ? null : _head;
                }
                changed = Changed();
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Puts what there is from <paramref name="offset"/> on into the writer, as soon as there is something. What lies far before it is not asked for any more.</summary>
    /// <returns>How much; 0 at the end; null if there will be no end.</returns>
    public async Task<int?> CopyAsync(long offset, PipeWriter destination, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_over || offset < _start)
                {
                    return null;
                }
                Needed(offset);
                if (offset < _end || _complete)
                {
                    return Copy(offset, destination);
                }
                changed = Changed();
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    public ImmutableArray<Field> Trailers
    {
        get
        {
            lock (_gate)
            {
                return _trailers;
            }
        }
    }

    /// <summary>Waits while more is kept than may be: for a client that comes back, or reads on.</summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_over || _live || _end - _needed < MaxAhead)
                {
                    return;
                }
                changed = Changed();
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>It is over: nothing of it remains, and its maker is stopped.</summary>
    public void Wipe()
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }
            _over = true;
            _chunks.ForEach(chunk => chunk.AsSpan().Clear());
            _chunks.Clear();
            Wake();
        }
        stop();
    }

    private int Copy(long offset, PipeWriter destination)
    {
        int total = (int)Math.Min(_end - offset, ChunkLength * 4);
        for (int left = total; left > 0;)
        {
            int at = (int)((offset - _start) % ChunkLength);
            int length = Math.Min(left, ChunkLength - at);
            _chunks[(int)((offset - _start) / ChunkLength)].AsSpan(at, length).CopyTo(destination.GetSpan(length));
            destination.Advance(length);
            offset += length;
            left -= length;
        }
        return total;
    }

    private void Needed(long from)
    {
        _needed = Math.Max(_needed, from);
        while (_start + ChunkLength <= _needed - Behind)
        {
            _chunks[0].AsSpan().Clear();
            _chunks.RemoveAt(0);
            _start += ChunkLength;
        }
        Wake();
    }

    private Task Changed() => (_changed ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void Wake()
    {
        _changed?.SetResult();
        _changed = null;
    }
}
