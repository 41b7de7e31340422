using System.Net.WebSockets;
using Cloister.Channel;

namespace Cloister.Client;

/// <summary>One binary WebSocket message is one message of the channel (docs/spec/channel.md, section 4).</summary>
internal sealed class WebSocketTransport(WebSocket socket) : MessageTransport
{
    public const string Subprotocol = "cloister.v1";

    /// <exception cref="EnclaveUnreachableException">The operator does not carry to this enclave.</exception>
    public static async Task<WebSocketTransport> ConnectAsync(Uri operatorAddress, string enclave, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(new Uri(operatorAddress, $"{EnclaveDirectory.Path}/{Uri.EscapeDataString(enclave)}/channel"));
        address.Scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";

        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(Subprotocol);
        if (!OperatingSystem.IsBrowser())
        {
            socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(30);
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ClientOptions.ConnectTimeout);
        try
        {
            await socket.ConnectAsync(address.Uri, limit.Token).ConfigureAwait(false);
            return new WebSocketTransport(socket);
        }
        catch (Exception e) when (e is WebSocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            socket.Dispose();
            throw new EnclaveUnreachableException("The operator does not carry to the enclave.", e);
        }
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException)
        {
            throw new IOException("The connection to the operator was lost.", e);
        }
    }

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int length = 0;
        try
        {
            while (true)
            {
                if (length == buffer.Length)
                {
                    return TooLong;
                }
                var received = await socket.ReceiveAsync(buffer[length..], cancellationToken).ConfigureAwait(false);
                if (received.MessageType is not WebSocketMessageType.Binary)
                {
                    return 0;
                }
                length += received.Count;
                if (received.EndOfMessage)
                {
                    return length;
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException)
        {
            return 0;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            try
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or InvalidOperationException)
            {
                // Gone already.
            }
        }
        socket.Dispose();
    }
}
