using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Cloister.Browser;

/// <summary>Stands between operator and enclave. It spoils bundles and cuts sessions as the test says.</summary>
internal sealed class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _open = [];
    private EndPoint? _enclave;

    /// <summary>What becomes of a bundle on its way.</summary>
    public Func<byte[], byte[]> Spoil { get; set; } = bundle => bundle;

    /// <summary>How many sessions were asked for.</summary>
    public int Sessions { get; private set; }

    public EndPoint Between(EndPoint enclave)
    {
        _enclave = enclave;
        _listener.Start();
        _ = AcceptAsync();
        return _listener.LocalEndpoint;
    }

    /// <summary>Cuts every connection that is open now.</summary>
    public void Cut()
    {
        while (_open.TryTake(out var socket))
        {
            socket.Dispose();
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = CarryAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    private async Task CarryAsync(Socket outside)
    {
        var inside = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _open.Add(outside);
        _open.Add(inside);
        try
        {
            await inside.ConnectAsync(_enclave!);
            var kind = new byte[1];
            await outside.ReceiveAsync(kind);
            await inside.SendAsync(kind);
            if (kind[0] == 2)
            {
                await outside.SendAsync(Spoil(await ReadToEndAsync(inside)));
            }
            else
            {
                Sessions++;
                await Task.WhenAny(CopyAsync(outside, inside), CopyAsync(inside, outside));
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
        }
        outside.Dispose();
        inside.Dispose();
    }

    private static async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket);
        var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer) is > 0 and int length)
        {
            await to.SendAsync(buffer.AsMemory(0, length));
        }
    }
}
