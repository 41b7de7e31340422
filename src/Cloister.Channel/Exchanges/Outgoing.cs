using System.Buffers;

namespace Cloister.Channel.Exchanges;

/// <summary>Bytes that gather to be sent, with room in front of them for what frames them, so that they leave in one write.</summary>
/// <remarks>The buffer comes from the shared pool, goes back when all is sent, and never with our data in it.</remarks>
internal sealed class Outgoing : IBufferWriter<byte>
{
    // An offer or an acceptance, and a content frame's header, in front of the first byte.
    private const int Headroom = Frame.MaxControlLength + Frame.MaxHeaderLength;

    // Ours to choose: a streamed token and all that frames it.
    private const int Usual = 1024 - Headroom;

    private byte[]? _buffer;
    private int _start = Headroom;
    private int _end = Headroom;

    public int Length => _end - _start;

    public Span<byte> Span => _buffer is null ? [] : _buffer.AsSpan(_start, Length);

    public ReadOnlyMemory<byte> Memory => _buffer is null ? default : _buffer.AsMemory(_start, Length);

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_end);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, (_buffer?.Length ?? Headroom) - _end);
        _end += count;
    }

    /// <summary>Takes bytes back from the end.</summary>
    public void Retract(int count) => _end -= count;

    /// <summary>Puts a few bytes in front. What was sent from there is overwritten, so there is always room for what frames the rest.</summary>
    public void Prepend(ReadOnlySpan<byte> bytes)
    {
        if (_buffer is null)
        {
            MakeRoom(1);
        }
        _start -= bytes.Length;
        bytes.CopyTo(_buffer.AsSpan(_start));
    }

    /// <summary>Forgets bytes at the front; the buffer too, where nothing is left.</summary>
    public void Drop(int count)
    {
        _start += count;
        if (_start == _end)
        {
            Clear();
        }
    }

    public void Clear()
    {
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, _end).Clear();
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        (_buffer, _start, _end) = (null, Headroom, Headroom);
    }

    private void MakeRoom(int count)
    {
        if (_buffer is null)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(Headroom + Math.Max(count, Usual));
        }
        else if (_buffer.Length - _end < count)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_end + count, 2 * _buffer.Length));
            var used = _buffer.AsSpan(0, _end);
            used.CopyTo(larger);
            used.Clear();
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }
}
