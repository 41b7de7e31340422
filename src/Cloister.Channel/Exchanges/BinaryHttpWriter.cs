using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Cloister.Channel.Exchanges;

/// <summary>Writes one message of indeterminate length to an exchange: its head, then its content, then its end.</summary>
/// <remarks>
/// What is written between two flushes is one chunk and leaves in one write, together with a head or an end beside it. A peer that
/// does not read holds a flush up. A message without <see cref="EndAsync"/> was cut off, and its reader knows.
/// </remarks>
public sealed class BinaryHttpWriter(Exchange exchange) : PipeWriter
{
    // A chunk's length is not known when its first byte is written, so it always takes four bytes (RFC 9000, section 16, allows it).
    private const int PrefixLength = 4;
    private const int NoChunk = -1;

    // Ours to choose: longer writes go in pieces, so that they are never in memory twice.
    private const int Piece = Frame.UsualPayload - PrefixLength;

    private readonly Outgoing _gathered = new();
    private int _chunk = NoChunk;
    private bool _ended;

    /// <summary>Content since the last flush.</summary>
    public ReadOnlySpan<byte> UnflushedContent => _chunk == NoChunk ? [] : _gathered.Span[(_chunk + PrefixLength)..];

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => UnflushedContent.Length;

    /// <summary>Before the first flush, with which it leaves.</summary>
    /// <exception cref="ArgumentException">It holds something that cannot be sent.</exception>
    public void WriteHead(RequestHead head)
    {
        byte[] early = TakeContent();
        BinaryHttpCodec.WriteRequestHead(_gathered, head);
        Add(early);
    }

    /// <summary>Before the first flush, with which it leaves.</summary>
    /// <exception cref="ArgumentException">It holds something that cannot be sent.</exception>
    public void WriteHead(ResponseHead head)
    {
        byte[] early = TakeContent();
        BinaryHttpCodec.WriteResponseHead(_gathered, head);
        Add(early);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        if (_chunk == NoChunk)
        {
            _chunk = _gathered.Length;
            _gathered.GetSpan(PrefixLength);
            _gathered.Advance(PrefixLength);
        }
        return _gathered.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _gathered.Advance(bytes);

    /// <exception cref="ExchangeException">The exchange is over: nobody wants the rest.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        CloseChunk();
        if (_gathered.Length > 0)
        {
            await exchange.SendAsync(_gathered, last: false, cancellationToken).ConfigureAwait(false);
        }
        return default;
    }

    /// <inheritdoc/>
    /// <exception cref="ExchangeException">The exchange is over: nobody wants the rest.</exception>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (source.Length > Piece)
        {
            return WriteInPiecesAsync(source, cancellationToken);
        }
        Add(source.Span);
        return FlushAsync(cancellationToken);
    }

    /// <summary>What is left, and the message's end.</summary>
    /// <exception cref="ExchangeException">The exchange is over: nobody wants the rest.</exception>
    public ValueTask EndAsync(ImmutableArray<Field> trailers, CancellationToken cancellationToken)
    {
        CloseChunk();
        _ended = true;
        BinaryHttpCodec.WriteEnd(_gathered, trailers);
        return exchange.SendAsync(_gathered, last: true, cancellationToken);
    }

    /// <summary>Forgets content that was not flushed.</summary>
    public void DiscardContent()
    {
        if (_chunk != NoChunk)
        {
            _gathered.Retract(_gathered.Length - _chunk);
            _chunk = NoChunk;
        }
    }

    /// <summary>Forgets all that was not flushed.</summary>
    public void Discard()
    {
        _gathered.Clear();
        _chunk = NoChunk;
    }

    public override void CancelPendingFlush() => throw new NotSupportedException("A flush is cancelled by its token.");

    /// <summary>Without <see cref="EndAsync"/> before it, the message is cut off here.</summary>
    public override void Complete(Exception? exception = null)
    {
        Discard();
        if (!_ended)
        {
            _ended = true;
            exchange.Abandon();
        }
    }

    private async ValueTask<FlushResult> WriteInPiecesAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        while (!source.IsEmpty)
        {
            int length = Math.Min(source.Length, Piece);
            Add(source.Span[..length]);
            await FlushAsync(cancellationToken).ConfigureAwait(false);
            source = source[length..];
        }
        return default;
    }

    // Content that was written before its head goes behind it.
    private byte[] TakeContent()
    {
        byte[] content = UnflushedContent.ToArray();
        DiscardContent();
        return content;
    }

    private void Add(ReadOnlySpan<byte> content)
    {
        if (!content.IsEmpty)
        {
            content.CopyTo(GetSpan(content.Length));
            Advance(content.Length);
        }
    }

    private void CloseChunk()
    {
        if (_chunk == NoChunk)
        {
            return;
        }
        var chunk = _gathered.Span[_chunk..];
        int length = chunk.Length - PrefixLength;
        if (length == 0)
        {
            // An empty chunk would be the content's end.
            _gathered.Retract(PrefixLength);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(chunk, Varint.FourBytes((uint)length));
        }
        _chunk = NoChunk;
    }
}
