using System.Buffers;
using Cloister.Channel.Shaping;

namespace Cloister.Channel.Records;

/// <summary>The sending half of a session: gathers what is written into records and sends them as the profile says.</summary>
/// <remarks>
/// At most one record is on its way and one is being filled. Writes fill the second while the first is under way, so that many
/// small ones share a record and a lone one leaves at once; a writer that finds it full waits. Without data it holds no buffer.
/// </remarks>
internal sealed class OutgoingRecords(MessageTransport transport, RecordSealer sealer, ShapingProfile profile, PaceRule rule, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _origin = time.GetTimestamp();
    private readonly Pace? _pace = profile is ShapingProfile.Paced ? new Pace(rule) : null;

    // All of these under the gate.
    private readonly OpenRecord _open = new();
    private int _refused;           // what a writer holds that found no room
    private bool _sending;          // somebody is in SendDueAsync
    private bool _rekey;
    private TimeSpan _keyUsedAt;
    private TimeSpan _lastRecord;
    private ITimer? _ticks;
    private TaskCompletionSource? _room;

    // How it ends: writable, closing (the close is sealed as soon as nothing waits), stopped.
    private bool _stopped;
    private bool _closeSealed;
    private TaskCompletionSource? _closing;
    private ChannelFault _fault;
    private Exception? _cause;

    /// <summary>When the transport was last given a record, since the session began.</summary>
    public TimeSpan LastRecord
    {
        get
        {
            lock (_gate)
            {
                return _lastRecord;
            }
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>Completes when all of the data is in records, which leave by themselves. One writer at a time.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }
        try
        {
            int taken = Take(data.Span);
            return taken == data.Length ? ValueTask.CompletedTask : WriteRestAsync(data[taken..], cancellationToken);
        }
        catch (Exception ended) when (ended is ChannelException or ObjectDisposedException)
        {
            return ValueTask.FromException(ended);
        }
    }

    public void ThrowIfNotWritable()
    {
        lock (_gate)
        {
            if (_stopped || _closing is not null)
            {
                throw _fault is ChannelFault.None ? new ObjectDisposedException(nameof(SealedStream)) : new ChannelException(_fault, _cause);
            }
        }
    }

    /// <summary>An answer is in progress until as many calls of <see cref="EndAnswer"/>.</summary>
    public void BeginAnswer()
    {
        lock (_gate)
        {
            if (_pace is not null && !_stopped)
            {
                _pace.Begin(Now);
                _ticks ??= time.CreateTimer(static half => ((OutgoingRecords)half!).Tick(), this, rule.Tick, rule.Tick);
            }
        }
    }

    public void EndAnswer()
    {
        lock (_gate)
        {
            _pace?.End(Now);
        }
    }

    /// <summary>Replaces the key where it has been in use for so long: with the next record, or one of its own. Docs/spec/channel.md, section 6.</summary>
    public void RekeyIfUsedFor(TimeSpan age)
    {
        lock (_gate)
        {
            _rekey |= !_stopped && sealer.KeyIsUsed && Now - _keyUsedAt >= age;
        }
        Pump();
    }

    /// <summary>Sends what waits and then the authenticated close, without regard to pace. Completes when the transport has taken it.</summary>
    public Task CloseAsync() => CloseAsync(ChannelFault.None, discard: false);

    /// <summary>The peer has closed and reads no more: forgets what waits, and answers its close.</summary>
    public Task AnswerCloseAsync() => CloseAsync(ChannelFault.Closed, discard: true);

    /// <summary>Wipes the key. Whoever waits, and whoever writes from now on, is told why.</summary>
    public void Stop(ChannelFault fault, Exception? cause)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }
            _stopped = true;
            if (_fault is ChannelFault.None)
            {
                (_fault, _cause) = (fault, cause);
            }
            sealer.Dispose();
            _open.Clear();
            _ticks?.Dispose();
            _room?.TrySetResult();
            _closing?.TrySetResult();
        }
    }

    private Task CloseAsync(ChannelFault fault, bool discard)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return Task.CompletedTask;
            }
            if (_closing is null)
            {
                _closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _fault = fault;
                _room?.TrySetResult();
            }
            if (discard)
            {
                _open.Clear();
            }
        }
        Pump();
        return _closing.Task;
    }

    private async ValueTask WriteRestAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            await RoomAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            data = data[Take(data.Span)..];
        }
    }

    private int Take(ReadOnlySpan<byte> data)
    {
        int taken;
        lock (_gate)
        {
            ThrowIfNotWritable();
            taken = _open.Append(data);
            _refused = data.Length - taken;
        }
        Pump();
        return taken;
    }

    private Task RoomAsync()
    {
        lock (_gate)
        {
            if (_stopped || _closing is not null || _open.Length < OpenRecord.Capacity)
            {
                return Task.CompletedTask;
            }
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    private void Tick()
    {
        lock (_gate)
        {
            if (_pace is null || _stopped)
            {
                return;
            }
            _pace.Tick(Now);
            if (!_pace.IsRunning)
            {
                _ticks?.Dispose();
                _ticks = null;
            }
        }
        Pump();
    }

    // Sends on the caller's thread until nothing is due or the transport makes it wait. Only one at a time does.
    private void Pump()
    {
        lock (_gate)
        {
            if (_sending)
            {
                return;
            }
            _sending = true;
        }
        _ = SendDueAsync();
    }

    private async Task SendDueAsync()
    {
        while (TakeDue(out byte[] record, out int size))
        {
            try
            {
                await transport.SendAsync(record.AsMemory(0, size), CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception broken)
            {
                // Only this half ends: the other may still hold what the peer sent before it closed.
                Stop(ChannelFault.Truncated, broken);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(record);
            }
        }
    }

    private bool TakeDue(out byte[] record, out int size)
    {
        lock (_gate)
        {
            size = _stopped ? 0 : DueSize();
            record = size == 0 ? [] : Seal(size);
            if (size == 0)
            {
                _sending = false;
                if (_closeSealed)
                {
                    _closing?.TrySetResult();
                }
            }
            return size > 0;
        }
    }

    private byte[] Seal(int size)
    {
        bool close = _closing is not null && _open.Length == 0;
        var kind = close ? RecordKind.Close : _rekey ? RecordKind.DataThenRekey : RecordKind.Data;

        _lastRecord = Now;
        if (!sealer.KeyIsUsed)
        {
            _keyUsedAt = _lastRecord;
        }
        byte[] record = _open.Detach(size, out int length);
        sealer.SealInPlace(kind, length, record.AsSpan(0, size));

        (_rekey, _closeSealed) = (false, close);
        _room?.TrySetResult();
        _room = null;
        return record;
    }

    // The length of the record that is to leave now; 0 for none.
    private int DueSize()
    {
        int waiting = _open.Length == 0 ? 0 : _open.Length + _refused;
        if (_closing is not null)
        {
            return _closeSealed ? 0 : SizeFor(_open.Length);
        }
        if (_pace?.Next(waiting) is { } paced and > 0)
        {
            return paced;
        }
        bool paceDecides = _pace is { IsRunning: true };
        return !paceDecides && (waiting > 0 || _rekey) ? SizeFor(waiting) : 0;
    }

    private int SizeFor(int waiting) =>
        profile is ShapingProfile.None ? Math.Min(waiting + Record.Overhead, Record.MaxLength) : RecordSizes.For(waiting);
}
