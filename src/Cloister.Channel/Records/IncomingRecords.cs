using System.Buffers;
using System.Runtime.CompilerServices;
using Cloister.Channel.Shaping;

namespace Cloister.Channel.Records;

/// <summary>The receiving half of a session. Nothing is received that nobody reads, and while nothing comes it holds no buffer.</summary>
/// <remarks>One reader at a time. Not receiving is how a slow reader slows the peer down.</remarks>
internal sealed class IncomingRecords(MessageTransport transport, RecordOpener opener, ShapingProfile profile, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _origin = time.GetTimestamp();
    private bool _stopped;
    private long _lastRecord;

    private byte[]? _record;
    private int _start;
    private int _end;

    /// <summary>When the last authentic record came, since the session began.</summary>
    public TimeSpan LastRecord => new(Volatile.Read(ref _lastRecord));

    /// <summary>The peer has said that nothing more comes.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>There is opened data that nobody has read.</summary>
    public bool HasData => _start < _end;

    /// <summary>What is there of the opened data, as far as it fits.</summary>
    public int Read(Span<byte> destination)
    {
        lock (_gate)
        {
            int length = Math.Min(destination.Length, _end - _start);
            _record.AsSpan(_start, length).CopyTo(destination);
            _start += length;
            GiveBackIfRead();
            return length;
        }
    }

    /// <summary>Forgets what nobody has read.</summary>
    public void Discard()
    {
        lock (_gate)
        {
            _start = _end;
            GiveBackIfRead();
        }
    }

    /// <summary>Receives one record, which may be without data. Only after all that came before is read, and not after the close.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ChannelFault> ReceiveAsync(CancellationToken cancellationToken)
    {
        await transport.WaitAsync(cancellationToken).ConfigureAwait(false);
        byte[] record = ArrayPool<byte>.Shared.Rent(Record.MaxLength);
        try
        {
            int length = await transport.ReceiveAsync(record.AsMemory(0, Record.MaxLength), cancellationToken).ConfigureAwait(false);
            return length == 0              ? ChannelFault.Truncated
                 : !profile.Allows(length)  ? ChannelFault.BadLength
                 :                            Open(ref record, length);
        }
        finally
        {
            if (record.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(record);
            }
        }
    }

    /// <summary>Wipes the key and what nobody has read.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            opener.Dispose();
            _start = _end;
            GiveBackIfRead();
        }
    }

    // Takes the buffer over where the record has data.
    private ChannelFault Open(ref byte[] record, int length)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return ChannelFault.Truncated;
            }
            if (opener.OpenInPlace(record.AsSpan(0, length), out var kind, out int dataLength) is var fault and not ChannelFault.None)
            {
                return fault;
            }

            Volatile.Write(ref _lastRecord, time.GetElapsedTime(_origin).Ticks);
            IsClosed = kind is RecordKind.Close;
            if (dataLength > 0)
            {
                (_record, _start, _end) = (record, Record.HeaderLength, Record.HeaderLength + dataLength);
                record = [];
            }
            return ChannelFault.None;
        }
    }

    private void GiveBackIfRead()
    {
        if (_record is not null && _start == _end)
        {
            _record.AsSpan(0, _end).Clear();
            ArrayPool<byte>.Shared.Return(_record);
            (_record, _start, _end) = (null, 0, 0);
        }
    }
}
