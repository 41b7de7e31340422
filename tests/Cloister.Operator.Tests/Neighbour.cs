using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Cloister.Operator.Tests;

/// <summary>What listens where an enclave would, and hands each connection to the test.</summary>
internal sealed class Neighbour : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Channel<CarrierEnd> _connections = System.Threading.Channels.Channel.CreateUnbounded<CarrierEnd>();
    private int _accepted;

    public Neighbour()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public int Accepted => Volatile.Read(ref _accepted);

    public async Task<CarrierEnd> NextAsync() => await _connections.Reader.ReadAsync();

    /// <summary>A free port of this machine that nobody listens on.</summary>
    public static string Nobody()
    {
        using var neighbour = new Neighbour();
        return neighbour.Address;
    }

    public void Dispose() => _listener.Stop();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                var kind = new byte[1];
                if (await socket.ReceiveAsync(kind) == 1)
                {
                    Interlocked.Increment(ref _accepted);
                    _connections.Writer.TryWrite(new CarrierEnd(socket, kind[0]));
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            _connections.Writer.TryComplete();
        }
    }
}
