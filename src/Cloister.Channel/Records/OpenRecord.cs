using System.Buffers;
using Cloister.Channel.Shaping;

namespace Cloister.Channel.Records;

/// <summary>The record that is being filled: data that waits, in the place where it will be sealed. Empty, it holds no buffer.</summary>
/// <remarks>Buffers come from the shared pool. None goes back to it with our data in it.</remarks>
internal sealed class OpenRecord
{
    private byte[]? _buffer;

    public static int Capacity => RecordSizes.Capacity(RecordSizes.Bulk);

    public int Length { get; private set; }

    /// <summary>How much of the data found room.</summary>
    public int Append(ReadOnlySpan<byte> data)
    {
        int taken = Math.Min(data.Length, Capacity - Length);
        if (taken > 0)
        {
            // A lone write gets a buffer of its size; whatever comes on top while it waits, one of the largest.
            var buffer = Grow(Length == 0 ? RecordSizes.For(taken) : Record.Overhead + Length + taken);
            data[..taken].CopyTo(buffer.AsSpan(Record.HeaderLength + Length));
            Length += taken;
        }
        return taken;
    }

    /// <summary>A rented buffer in which as much data as a record of that size carries lies behind room for the header.</summary>
    public byte[] Detach(int size, out int length)
    {
        length = Math.Min(Length, RecordSizes.Capacity(size));
        return length == Length ? DetachWhole(size) : DetachFront(size, length);
    }

    public void Clear()
    {
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, Record.HeaderLength + Length).Clear();
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        (_buffer, Length) = (null, 0);
    }

    private byte[] DetachWhole(int size)
    {
        byte[] whole = Grow(size);
        (_buffer, Length) = (null, 0);
        return whole;
    }

    private byte[] DetachFront(int size, int length)
    {
        var data = _buffer.AsSpan(Record.HeaderLength, Length);
        byte[] front = ArrayPool<byte>.Shared.Rent(size);
        data[..length].CopyTo(front.AsSpan(Record.HeaderLength));
        data[length..].CopyTo(data);
        data[^length..].Clear();
        Length -= length;
        return front;
    }

    private byte[] Grow(int size)
    {
        if (_buffer is null)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(size);
        }
        else if (_buffer.Length < size)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(RecordSizes.Bulk);
            var data = _buffer.AsSpan(0, Record.HeaderLength + Length);
            data.CopyTo(larger);
            data.Clear();
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        return _buffer;
    }
}
