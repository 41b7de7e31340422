using System.Net;
using System.Net.Sockets;

namespace Cloister.Operator;

/// <summary>One enclave as the operator knows it: a name, an address, and how many sessions are carried to it.</summary>
internal sealed class Enclave(string name, EndPoint address, int maxSessions)
{
    private int _sessions;

    public string Name => name;

    /// <summary>How many sessions are open now.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>Takes a place for a session; false where all are taken. Who took one gives it back.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _sessions) <= maxSessions)
        {
            return true;
        }
        Interlocked.Decrement(ref _sessions);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _sessions);

    /// <summary>A new connection whose first byte says what it is for. Null where the enclave does not answer.</summary>
    public async Task<Socket?> ConnectAsync(LinkKind kind, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            await socket.SendAsync(new[] { (byte)kind }, cancellationToken);
            return socket;
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }
}

/// <summary>The first byte of a carrier connection. Docs/spec/operator.md, section 1.</summary>
internal enum LinkKind : byte { Session = 1, Bundle = 2 }
