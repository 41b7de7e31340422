using Cloister.Channel;

namespace Cloister.Enclave.SealedServer;

/// <summary>A transport whose first message can be received again, so that a handshake that fits one identity is not lost on another.</summary>
/// <remarks>Disposing it does nothing until <see cref="Keep"/>: a handshake that fails disposes its transport.</remarks>
internal sealed class FirstMessage(MessageTransport inner) : MessageTransport
{
    private byte[]? _message;
    private bool _again;
    private bool _kept;

    /// <summary>The next handshake receives the first message again.</summary>
    public void Rewind() => _again = _message is not null;

    /// <summary>From now on this is the inner transport, and owns it.</summary>
    public void Keep() => (_kept, _message) = (true, null);

    public override ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => inner.SendAsync(message, cancellationToken);

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        _kept ? inner.ReceiveAsync(buffer, cancellationToken) : ReceiveFirstAsync(buffer, cancellationToken);

    public override ValueTask WaitAsync(CancellationToken cancellationToken) => _again ? ValueTask.CompletedTask : inner.WaitAsync(cancellationToken);

    public override ValueTask DisposeAsync() => _kept ? inner.DisposeAsync() : ValueTask.CompletedTask;

    private async ValueTask<int> ReceiveFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_again && _message!.Length <= buffer.Length)
        {
            _again = false;
            _message.CopyTo(buffer);
            return _message.Length;
        }
        int length = await inner.ReceiveAsync(buffer, cancellationToken);
        if (_message is null && length > 0)
        {
            _message = buffer.Span[..length].ToArray();
        }
        return length;
    }
}
