using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Cloister.Journeys;

/// <summary>The network between two parties: carries every byte, and keeps a copy.</summary>
internal sealed class RecordingWire : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Recording> _recordings = [];
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly Task _accepting;

    public RecordingWire(EndPoint target)
    {
        Target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public EndPoint Endpoint => _listener.LocalEndPoint!;

    /// <summary>Where new connections lead.</summary>
    public EndPoint Target { get; set; }

    /// <summary>What went each way on each connection so far.</summary>
    public IReadOnlyList<Recording> Recordings => [.. _recordings];

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptAsync();
                var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                near.NoDelay = true;
                _sockets.Add(near);
                _sockets.Add(far);
                _ = ConnectAsync(near, far);
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // The wire was cut.
        }
    }

    private async Task ConnectAsync(Socket near, Socket far)
    {
        try
        {
            await far.ConnectAsync(Target);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            near.Dispose();
            return;
        }
        var recording = new Recording();
        _recordings.Add(recording);
        _ = CarryAsync(near, far, recording.Up);
        _ = CarryAsync(far, near, recording.Down);
    }

    private static async Task CarryAsync(Socket from, Socket to, Copy copy)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is var length and > 0)
            {
                copy.Add(buffer.AsSpan(0, length));
                await to.SendAsync(buffer.AsMemory(0, length));
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            to.Dispose();
        }
    }
}

/// <summary>One connection: what the one that opened it sent, and what came back.</summary>
internal sealed record Recording
{
    public Copy Up { get; } = new();

    public Copy Down { get; } = new();
}

internal sealed class Copy
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public void Add(ReadOnlySpan<byte> bytes)
    {
        lock (_bytes)
        {
            _bytes.Write(bytes);
        }
    }

    public byte[] ToArray()
    {
        lock (_bytes)
        {
            return _bytes.WrittenSpan.ToArray();
        }
    }
}
