using System.Net.WebSockets;

namespace Cloister.Operator.Tests;

internal static class Device
{
    public static ValueTask SayAsync(this WebSocket device, ReadOnlyMemory<byte> message) =>
        device.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None);

    /// <summary>The next whole message; null once the other side has closed.</summary>
    public static async Task<byte[]?> HearAsync(this WebSocket device)
    {
        var message = new MemoryStream();
        var buffer = new byte[4096];
        while (true)
        {
            var received = await device.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (received.MessageType is WebSocketMessageType.Close)
            {
                return null;
            }
            Assert.Equal(WebSocketMessageType.Binary, received.MessageType);
            message.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }
}
