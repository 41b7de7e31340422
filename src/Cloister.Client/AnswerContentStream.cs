namespace Cloister.Client;

/// <summary>An answer's content as it arrives. A cut connection is mended in its middle, if the enclave still has the answer.</summary>
/// <remarks>Disposing it before the end, or cancelling a read, cancels the answer: the enclave stops at once.</remarks>
internal sealed class AnswerContentStream(SealedHttpHandler handler, ArrivingAnswer answer, AnswerTicket ticket, HttpResponseMessage response) : Stream
{
    private ArrivingAnswer _answer = answer;
    private long _delivered;
    private bool _ended;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!_ended)
        {
            try
            {
                int length = await _answer.Reader.ReadContentAsync(buffer, cancellationToken).ConfigureAwait(false);
                _delivered += length;
                if (length == 0 && !buffer.IsEmpty)
                {
                    End();
                }
                return length;
            }
            catch (OperationCanceledException)
            {
                _answer.Exchange.Abandon();
                throw;
            }
            catch (IOException cut)
            {
                // Mending may take a while; the exchange's place is free for others.
                _answer.Exchange.Abandon();
                _answer = await handler.MendAsync(_answer, ticket, _delivered, cut, cancellationToken).ConfigureAwait(false);
            }
        }
        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _answer.Exchange.Abandon();
        }
        base.Dispose(disposing);
    }

    private void End()
    {
        _ended = true;
        foreach (var (name, value) in _answer.Reader.Trailers)
        {
            response.TrailingHeaders.TryAddWithoutValidation(name, value);
        }
    }

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    private const string OnlyForward = "An answer is read, asynchronously, once and from front to back.";

    public override long Length => throw new NotSupportedException(OnlyForward);

    public override long Position { get => _delivered; set => throw new NotSupportedException(OnlyForward); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyForward);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyForward);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(OnlyForward);

    public override void SetLength(long value) => throw new NotSupportedException(OnlyForward);

    public override void Flush() { }
}
