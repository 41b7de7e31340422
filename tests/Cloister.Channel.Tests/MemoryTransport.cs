using System.Threading.Channels;

namespace Cloister.Channel.Tests;

/// <summary>Two ends of a transport in memory. What one sends can be looked at, altered and dropped before the other has it.</summary>
internal sealed class MemoryTransport : MessageTransport
{
    private readonly ChannelReader<byte[]> _incoming;
    private readonly ChannelWriter<byte[]> _outgoing;

    private MemoryTransport(ChannelReader<byte[]> incoming, ChannelWriter<byte[]> outgoing) => (_incoming, _outgoing) = (incoming, outgoing);

    /// <summary>Every message that this end has sent, as the network sees it.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>What the network does to a message of this end's: null drops it.</summary>
    public Func<byte[], byte[]?> Network { get; set; } = message => message;

    /// <summary>While this is not complete, the transport takes no further message.</summary>
    public Task Congestion { get; set; } = Task.CompletedTask;

    public bool IsDisposed { get; private set; }

    public static (MemoryTransport Client, MemoryTransport Enclave) Pair()
    {
        var (up, down) = (System.Threading.Channels.Channel.CreateUnbounded<byte[]>(), System.Threading.Channels.Channel.CreateUnbounded<byte[]>());
        return (new(down.Reader, up.Writer), new(up.Reader, down.Writer));
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if (IsDisposed)
        {
            throw new IOException("disposed");
        }
        Sent.Add(message.ToArray());
        if (Network(message.ToArray()) is { } passed && !_outgoing.TryWrite(passed))
        {
            throw new IOException("the other end is gone");
        }
        await Congestion.WaitAsync(cancellationToken);
    }

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!await _incoming.WaitToReadAsync(cancellationToken) || !_incoming.TryRead(out var message))
        {
            return 0;
        }
        if (message.Length > buffer.Length)
        {
            return TooLong;
        }
        message.CopyTo(buffer);
        return message.Length;
    }

    /// <summary>Cuts the connection as the network does: no close, only an end.</summary>
    public void Cut() => _outgoing.TryComplete();

    public override ValueTask DisposeAsync()
    {
        IsDisposed = true;
        _outgoing.TryComplete();
        return ValueTask.CompletedTask;
    }
}
