using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cloister.Operator.Tests;

/// <summary>The enclave's end of one carrier connection.</summary>
internal sealed class CarrierEnd(Socket socket, byte kind) : IDisposable
{
    public byte Kind => kind;

    public Socket Socket => socket;

    public async Task SendAsync(ReadOnlyMemory<byte> message)
    {
        byte[] frame = new byte[2 + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)message.Length);
        message.CopyTo(frame.AsMemory(2));
        await SendRawAsync(frame);
    }

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    /// <summary>The next message; null at the end.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        var prefix = await ReadAsync(2);
        return prefix is null ? null : await ReadAsync(BinaryPrimitives.ReadUInt16BigEndian(prefix));
    }

    public async Task EchoAsync()
    {
        while (await ReceiveAsync() is { } message)
        {
            await SendAsync(message);
        }
        Dispose();
    }

    public void Dispose() => socket.Dispose();

    private async Task<byte[]?> ReadAsync(int length)
    {
        var bytes = new byte[length];
        for (int read = 0; read < length;)
        {
            int more;
            try
            {
                more = await socket.ReceiveAsync(bytes.AsMemory(read));
            }
            catch (SocketException)
            {
                return null;
            }
            if (more == 0)
            {
                return null;
            }
            read += more;
        }
        return bytes;
    }
}
