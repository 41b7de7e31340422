using System.Buffers;
using System.Buffers.Binary;

namespace Cloister.Channel;

/// <summary>Messages over a stream of bytes: a 16-bit big-endian length, then the message. Docs/spec/channel.md, section 4.</summary>
/// <param name="stream">Owned, and disposed with the transport. Its zero-byte reads must wait for data, as a socket's do.</param>
public sealed class FramedTransport(Stream stream) : MessageTransport
{
    private const int PrefixLength = sizeof(ushort);

    // Ours to choose: one padded record and its prefix in one read, in the smallest buffer of the pool that holds it.
    private const int ReadLength = 32 * 1024;

    // What was read and not yet taken: rented when bytes come, given back when none are left.
    private byte[]? _ahead;
    private int _start;
    private int _end;

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(message.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(message.Length, MaxMessageLength);

        byte[] frame = ArrayPool<byte>.Shared.Rent(PrefixLength + message.Length);
        try
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)message.Length);
            message.Span.CopyTo(frame.AsSpan(PrefixLength));
            await stream.WriteAsync(frame.AsMemory(0, PrefixLength + message.Length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // What has arrived stays here until the message is whole, so that a cancelled receive loses nothing.
        while (_end - _start < PrefixLength)
        {
            if (!await ReadAheadAsync(PrefixLength, cancellationToken).ConfigureAwait(false))
            {
                return 0;
            }
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(_ahead.AsSpan(_start));
        if (length == 0 || length > buffer.Length)
        {
            return TooLong;
        }
        while (_end - _start < PrefixLength + length)
        {
            if (!await ReadAheadAsync(PrefixLength + length, cancellationToken).ConfigureAwait(false))
            {
                return 0;
            }
        }

        _ahead.AsSpan(_start + PrefixLength, length).CopyTo(buffer.Span);
        _start += PrefixLength + length;
        GiveBackIfEmpty();
        return length;
    }

    public override async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (_ahead is null)
        {
            await stream.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask DisposeAsync() => await stream.DisposeAsync().ConfigureAwait(false);

    // False at the end of the stream.
    private async ValueTask<bool> ReadAheadAsync(int room, CancellationToken cancellationToken)
    {
        MakeRoom(room);
        int read = await stream.ReadAsync(_ahead.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        if (read == 0)
        {
            GiveBackIfEmpty();
        }
        return read > 0;
    }

    // Moves what is there to the front of a buffer of at least that length.
    private void MakeRoom(int length)
    {
        byte[] buffer = _ahead is null || _ahead.Length < length ? ArrayPool<byte>.Shared.Rent(Math.Max(length, ReadLength)) : _ahead;
        _ahead.AsSpan(_start.._end).CopyTo(buffer);
        if (_ahead is not null && _ahead != buffer)
        {
            ArrayPool<byte>.Shared.Return(_ahead);
        }
        (_ahead, _start, _end) = (buffer, 0, _end - _start);
    }

    private void GiveBackIfEmpty()
    {
        if (_ahead is not null && _start == _end)
        {
            ArrayPool<byte>.Shared.Return(_ahead);
            (_ahead, _start, _end) = (null, 0, 0);
        }
    }
}
