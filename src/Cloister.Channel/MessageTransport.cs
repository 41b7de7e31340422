namespace Cloister.Channel;

/// <summary>Carries whole messages of 1 to 65,535 bytes, in order, or ends. It protects nothing: whoever runs it is the adversary.</summary>
/// <remarks>
/// One send and one receive may be under way at the same time, not two of either. Failing, a transport throws
/// <see cref="IOException"/>; disposing it ends what is under way.
/// </remarks>
public abstract class MessageTransport : IAsyncDisposable
{
    /// <summary>The longest message, in bytes.</summary>
    public const int MaxMessageLength = 65535;

    /// <summary>What <see cref="ReceiveAsync"/> returns for a message that is longer than the buffer. The session is over then.</summary>
    public const int TooLong = -1;

    /// <summary>Hands one message over. The buffer may be reused once the returned task is complete.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>The next message.</summary>
    /// <returns>Its length; 0 at the peer's end, also where that comes in the middle of a message; or <see cref="TooLong"/>.</returns>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Completes when there is something to receive, or the end, so that no buffer has to be held while nothing comes.
    /// A transport that cannot tell completes at once.
    /// </summary>
    public virtual ValueTask WaitAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public abstract ValueTask DisposeAsync();
}
