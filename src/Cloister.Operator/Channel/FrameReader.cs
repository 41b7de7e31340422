using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cloister.Operator;

/// <summary>Takes frames off a carrier connection: a 16-bit big-endian length, then that many bytes. Docs/spec/operator.md, section 1.</summary>
/// <remarks>It holds a buffer only while a frame is in it.</remarks>
internal sealed class FrameReader(Socket socket) : IDisposable
{
    private const int PrefixLength = sizeof(ushort);

    // Ours to choose; as for the other direction.
    private const int UsualBuffer = 20 * 1024;

    private byte[] _buffer = [];
    private int _start;
    private int _end;

    /// <summary>The connection ended inside of a frame, or announced an empty one.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The next frame's message, to be used before the next call; empty at the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync()
    {
        if (_start == _end)
        {
            GiveBack();
            await socket.ReceiveAsync(Memory<byte>.Empty);
        }
        if (!await FillAsync(PrefixLength))
        {
            return default;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(_start));
        if (length == 0)
        {
            IsBroken = true;
            return default;
        }
        if (!await FillAsync(PrefixLength + length))
        {
            return default;
        }

        var message = _buffer.AsMemory(_start + PrefixLength, length);
        _start += PrefixLength + length;
        return message;
    }

    public void Dispose() => GiveBack();

    // Until that many bytes are there; false at the end.
    private async ValueTask<bool> FillAsync(int length)
    {
        while (_end - _start < length)
        {
            MakeRoom(length);
            int read = await socket.ReceiveAsync(_buffer.AsMemory(_end));
            if (read == 0)
            {
                IsBroken = _end > _start;
                return false;
            }
            _end += read;
        }
        return true;
    }

    private void MakeRoom(int length)
    {
        if (_buffer.Length - _start >= length)
        {
            return;
        }
        byte[] buffer = length <= _buffer.Length ? _buffer : ArrayPool<byte>.Shared.Rent(Math.Max(length, UsualBuffer));
        var held = _buffer.AsSpan(_start.._end);
        held.CopyTo(buffer);
        if (buffer != _buffer && _buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        (_buffer, _start, _end) = (buffer, 0, held.Length);
    }

    private void GiveBack()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        (_buffer, _start, _end) = ([], 0, 0);
    }
}
