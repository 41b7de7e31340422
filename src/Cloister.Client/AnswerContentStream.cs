using Cloister.Channel.Exchanges;

namespace Cloister.Client;

/// <summary>An answer's content as it arrives. A cut connection is mended in its middle, if the enclave still has the answer.</summary>
/// <remarks>Disposing it before the end cancels the answer: the enclave stops at once.</remarks>
internal sealed class AnswerContentStream(SealedHttpHandler handler, ClientExchange exchange, BinaryHttpReader reader, AnswerTicket ticket) : Stream
{
    // Who cuts each connection before it brings a byte will cut the next one too.
    private const int MaxResumedInVain = 8;

    private ClientExchange _exchange = exchange;
    private BinaryHttpReader _reader = reader;
    private long _delivered;
    private int _resumedInVain;
    private bool _ended;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!_ended)
        {
            try
            {
                int length = await _reader.ReadContentAsync(buffer, cancellationToken).ConfigureAwait(false);
                (_delivered, _resumedInVain) = (_delivered + length, 0);
                if (length == 0 && !buffer.IsEmpty)
                {
                    _ended = true;
                    _exchange.Dispose();
                }
                return length;
            }
            catch (Exception e) when (SealedHttpHandler.IsCut(e) && !cancellationToken.IsCancellationRequested && _exchange.Session.IsLost)
            {
                _exchange.Dispose();
                if (++_resumedInVain > MaxResumedInVain)
                {
                    throw new EnclaveLostException(e);
                }
                (_exchange, _reader, _) = await handler.ResumeAsync(ticket, _delivered, e, cancellationToken).ConfigureAwait(false);
            }
        }
        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _exchange.Dispose();
        }
        base.Dispose(disposing);
    }

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException("The length is known at the end.");

    public override long Position { get => _delivered; set => throw new NotSupportedException("What was read is gone."); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("An answer is read.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("What was read is gone.");

    public override void SetLength(long value) => throw new NotSupportedException("An answer is read.");

    public override void Flush() { }
}
