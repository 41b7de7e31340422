using System.IO.Pipelines;
using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>An answer on its way to the client: what is written between two flushes leaves at once, as one chunk. A client that does not read holds the writer up.</summary>
/// <remarks>A resumable answer is also kept, and goes on without its client when that is cut off.</remarks>
internal sealed class AnswerWriter : PipeWriter, IHttpResponseBodyFeature
{
    // Ours to choose: longer writes go in pieces, so that they are never in memory twice.
    private const int Piece = 16 * 1024;

    private readonly Exchange _exchange;
    private readonly BinaryHttpWriter _output;
    private readonly AnswerHead _head;
    private readonly KeptAnswer? _kept;
    private readonly CancellationToken _aborted;
    private bool _withoutContent;
    private bool _cutOff;
    private bool _ended;
    private long _written;
    private Stream? _stream;

    public AnswerWriter(Exchange exchange, AnswerHead head, KeptAnswer? kept, bool withoutContent, CancellationToken aborted)
    {
        (_exchange, _output, _head, _kept, _withoutContent, _aborted) = (exchange, new BinaryHttpWriter(exchange), head, kept, withoutContent, aborted);
    }

    public PipeWriter Writer => this;

    public Stream Stream => _stream ??= AsStream(leaveOpen: true);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _output.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => _output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _output.GetSpan(sizeHint);

    public override void Advance(int bytes) => _output.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => SendAsync(end: false, cancellationToken);

    public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        do
        {
            int length = Math.Min(source.Length, Piece);
            source.Span[..length].CopyTo(GetSpan(length));
            Advance(length);
            await SendAsync(end: false, cancellationToken);
            source = source[length..];
        }
        while (!source.IsEmpty);
        return default;
    }

    public async Task StartAsync(CancellationToken cancellationToken = default) => await SendAsync(end: false, cancellationToken);

    /// <summary>What is left, the trailers and the end. Without effect after the end.</summary>
    public async Task CompleteAsync() => await SendAsync(end: true, _aborted);

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        if (exception is null)
        {
            await SendAsync(end: true, _aborted);
        }
        else
        {
            Complete(exception);
        }
    }

    /// <summary>Without an end before it, the answer is cut off here.</summary>
    public override void Complete(Exception? exception = null)
    {
        _ended = true;
        _output.Complete(exception);
    }

    /// <summary>Forgets content that has not been sent.</summary>
    public void Discard() => _output.Discard();

    public override void CancelPendingFlush() => throw new NotSupportedException("A flush is cancelled by its token.");

    public void DisableBuffering() { }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException("An enclave has no files to send.");

    private async ValueTask<FlushResult> SendAsync(bool end, CancellationToken cancellationToken)
    {
        if (_ended)
        {
            return default;
        }
        if (!_head.HasStarted)
        {
            await StartHeadAsync();
        }
        if (_withoutContent)
        {
            _output.DiscardContent();
        }
        _written += _output.UnflushedBytes;
        _kept?.Append(_output.UnflushedContent);

        // Whoever has announced the length has ended with its last byte: that saves a record.
        long? length = _withoutContent ? null : _head.Headers.ContentLength;
        end |= _written == length && _head.Trailers.Count == 0;
        if (end && _written < length)
        {
            throw new InvalidOperationException("The answer is shorter than was announced.");
        }
        _ended = end;
        if (end)
        {
            _kept?.Complete(_head.EndingFields());
        }
        await DeliverAsync(end, cancellationToken);
        return default;
    }

    private async ValueTask StartHeadAsync()
    {
        var head = await _head.StartAsync();
        _withoutContent |= head.Status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified;
        _kept?.Start(head);
        _output.WriteHead(head);
    }

    private async ValueTask DeliverAsync(bool end, CancellationToken cancellationToken)
    {
        if (!_cutOff)
        {
            try
            {
                if (end)
                {
                    await _output.EndAsync(_head.EndingFields(), cancellationToken);
                }
                else
                {
                    await _output.FlushAsync(cancellationToken);
                }
                return;
            }
            catch (ExchangeException e) when (_kept is not null && e.Fault is ExchangeFault.SessionLost or ExchangeFault.Abandoned)
            {
                // Nobody cancelled anything: the client was cut off, or has come back by another way. What it may lack is kept from here on.
                _kept.Orphan(_exchange);
                _cutOff = true;
            }
        }
        _output.Discard();
        if (!end)
        {
            await _kept!.WaitForRoomAsync(_aborted);
        }
    }
}
