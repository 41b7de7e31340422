using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net.WebSockets;

namespace Cloister.Operator;

/// <summary>One sealed session: each binary message of the device is one frame to the enclave, and the other way round.</summary>
/// <remarks>
/// A message is handed on as soon as it is whole. Each direction holds at most one message, and none while it waits, so a side that
/// does not read stops the other. When either side ends, the other is closed.
/// </remarks>
/// <param name="cutOff">Breaks the device's connection, whatever is under way on it.</param>
internal sealed class CarriedSession(WebSocket device, Action cutOff, Socket enclave)
{
    // Docs/spec/operator.md, section 1.
    private const int PrefixLength = sizeof(ushort);
    private const int MaxMessage = ushort.MaxValue;

    // Ours to choose: one record of the largest padded size with its frame fits in, and the pool's buffer of this size is 32 KiB.
    private const int UsualBuffer = 20 * 1024;

    // Ours to choose: how long a peer may take over its half of the close. What was sent before may still be on its way.
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(10);

    /// <summary>Carries until either side ends, then closes both.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        // Ends the enclave's half; the device is then told in the ordinary way.
        using var stop = stopping.UnsafeRegister(static socket => ((Socket)socket!).Dispose(), enclave);

        var outward = CarryToEnclaveAsync();
        var inward = CarryToDeviceAsync();
        bool deviceEnded = await Task.WhenAny(outward, inward) == outward;

        using var patience = new Timer(static session => ((CarriedSession)session!).CutOff(), this, ClosePatience, Timeout.InfiniteTimeSpan);
        if (deviceEnded)
        {
            EndEnclave();
            await inward;
            await CloseAsync(await outward);
        }
        else
        {
            await CloseOutputAsync(stopping.IsCancellationRequested ? WebSocketCloseStatus.EndpointUnavailable : await inward);
            enclave.Dispose();
            await outward;
        }
    }

    // Returns what to tell the device at the end.
    private async Task<WebSocketCloseStatus> CarryToEnclaveAsync()
    {
        try
        {
            while (true)
            {
                // Waits without a buffer; an idle session holds none.
                var waited = await device.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                if (waited.MessageType is WebSocketMessageType.Close)
                {
                    return WebSocketCloseStatus.NormalClosure;
                }
                if (waited.EndOfMessage)
                {
                    return WebSocketCloseStatus.ProtocolError;
                }
                if (await CarryMessageAsync() is { } ended)
                {
                    return ended;
                }
            }
        }
        catch (Exception fault) when (IsPeersFault(fault))
        {
            return WebSocketCloseStatus.EndpointUnavailable;
        }
    }

    // Null when a message was carried and another may follow.
    private async Task<WebSocketCloseStatus?> CarryMessageAsync()
    {
        byte[] frame = ArrayPool<byte>.Shared.Rent(UsualBuffer);
        try
        {
            int end = PrefixLength;
            while (true)
            {
                var received = await device.ReceiveAsync(frame.AsMemory(end), CancellationToken.None);
                end += received.Count;
                switch (received.MessageType)
                {
                    case WebSocketMessageType.Close: return WebSocketCloseStatus.NormalClosure;
                    case WebSocketMessageType.Text: return WebSocketCloseStatus.InvalidMessageType;
                }
                if (received.EndOfMessage)
                {
                    break;
                }
                if (end == frame.Length && !TryGrow(ref frame))
                {
                    return WebSocketCloseStatus.MessageTooBig;
                }
            }

            int length = end - PrefixLength;
            if (length is 0 or > MaxMessage)
            {
                return length == 0 ? WebSocketCloseStatus.ProtocolError : WebSocketCloseStatus.MessageTooBig;
            }
            BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)length);
            await SendAsync(frame.AsMemory(0, end));
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private async Task<WebSocketCloseStatus> CarryToDeviceAsync()
    {
        var frames = new FrameReader(enclave);
        try
        {
            while (await frames.ReadAsync() is { IsEmpty: false } message)
            {
                await device.SendAsync(message, WebSocketMessageType.Binary, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);
            }
            return frames.IsBroken ? WebSocketCloseStatus.InternalServerError : WebSocketCloseStatus.NormalClosure;
        }
        catch (Exception fault) when (IsPeersFault(fault))
        {
            return WebSocketCloseStatus.InternalServerError;
        }
        finally
        {
            frames.Dispose();
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> frame)
    {
        while (!frame.IsEmpty)
        {
            frame = frame[await enclave.SendAsync(frame)..];
        }
    }

    // Says that nothing more comes. What the device sent before still arrives, which it might not if the connection were dropped.
    private void EndEnclave()
    {
        try
        {
            enclave.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (IsPeersFault(fault))
        {
            enclave.Dispose();
        }
    }

    private void CutOff()
    {
        enclave.Dispose();
        cutOff();
    }

    private async Task CloseAsync(WebSocketCloseStatus status)
    {
        try
        {
            if (device.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await device.CloseAsync(status, null, CancellationToken.None);
            }
        }
        catch (Exception fault) when (IsPeersFault(fault))
        {
            cutOff();
        }
    }

    // The other direction is still receiving and sees the device's own close.
    private async Task CloseOutputAsync(WebSocketCloseStatus status)
    {
        try
        {
            if (device.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await device.CloseOutputAsync(status, null, CancellationToken.None);
            }
        }
        catch (Exception fault) when (IsPeersFault(fault))
        {
            cutOff();
        }
    }

    private static bool TryGrow(ref byte[] frame)
    {
        // One byte more than the longest frame shows that a message is longer.
        if (frame.Length > PrefixLength + MaxMessage)
        {
            return false;
        }
        byte[] larger = ArrayPool<byte>.Shared.Rent(PrefixLength + MaxMessage + 1);
        frame.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(frame);
        frame = larger;
        return true;
    }

    // The connection broke, was aborted, or was disposed by the other direction. Kestrel says InvalidOperation for a write after that.
    private static bool IsPeersFault(Exception fault) =>
        fault is WebSocketException or SocketException or IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException;
}
