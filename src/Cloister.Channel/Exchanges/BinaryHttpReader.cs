using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Cloister.Channel.Exchanges;

/// <summary>Reads one message as it arrives: first its head, then its content to the end, then its trailers. For one reader at a time.</summary>
/// <remarks>An exchange is stricter than a whole message: content that ends without its terminator was cut off, and is a fault.</remarks>
public sealed class BinaryHttpReader(PipeReader input)
{
    private readonly Exchange? _exchange;
    private Framing _framing;
    private ulong _left;
    private bool _begun;
    private bool _ended;

    /// <summary>Where the message is cut off because the exchange ended, it is an <see cref="ExchangeException"/> that says why.</summary>
    public BinaryHttpReader(Exchange exchange) : this(exchange.Input) => _exchange = exchange;

    /// <summary>What came behind the content. Empty until that has been read to its end.</summary>
    public ImmutableArray<Field> Trailers { get; private set; } = [];

    /// <exception cref="BinaryHttpException">The peer's message is malformed, too long, or cut off.</exception>
    /// <exception cref="ExchangeException">The exchange ended in the middle of it.</exception>
    public async ValueTask<RequestHead> ReadRequestHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (TryParse(result, request: true, out var head, out _))
            {
                return head!;
            }
        }
    }

    /// <exception cref="BinaryHttpException">The peer's message is malformed, too long, or cut off.</exception>
    /// <exception cref="ExchangeException">The exchange ended in the middle of it.</exception>
    public async ValueTask<ResponseHead> ReadResponseHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (TryParse(result, request: false, out _, out var head))
            {
                return head!;
            }
        }
    }

    /// <summary>The next bytes of the content, as soon as there are any. 0 at its end; for an empty buffer, 0 when there is something to read or the end.</summary>
    /// <exception cref="BinaryHttpException">The peer's message is malformed or cut off.</exception>
    /// <exception cref="ExchangeException">The exchange ended in the middle of it.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadContentAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!_ended)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            int copied = Take(result, buffer.Span, out bool waits);
            if (copied > 0 || (buffer.IsEmpty && !waits))
            {
                return copied;
            }
        }
        return 0;
    }

    private bool TryParse(ReadResult result, bool request, out RequestHead? requestHead, out ResponseHead? responseHead)
    {
        // One segment nearly always; a head that straddles two is short enough to copy.
        var buffer = result.Buffer;
        var bounded = buffer.Slice(0, Math.Min(buffer.Length, BinaryHttpLimits.MaxHead));
        var source = bounded.IsSingleSegment ? bounded.FirstSpan : bounded.ToArray();

        // It starts over with each piece that arrives, so strings are only made of what is whole.
        (requestHead, responseHead) = (null, null);
        var parser = new HeadParser(source, lookOnly: true);
        var progress = Parse(ref parser, request, out _, out _);
        if (progress is Progress.Done)
        {
            parser = new HeadParser(source);
            progress = Parse(ref parser, request, out requestHead, out responseHead);
        }
        input.AdvanceTo(progress is Progress.Done ? buffer.GetPosition(parser.Offset) : buffer.Start, progress is Progress.Done ? buffer.GetPosition(parser.Offset) : buffer.End);
        return progress switch
        {
            Progress.Done                              => true,
            Progress.Refused                           => throw new BinaryHttpException(parser.Fault),
            Progress.NeedMore when result.IsCompleted  => throw CutOff(),
            _                                          => false,
        };
    }

    private Progress Parse(ref HeadParser parser, bool request, out RequestHead? requestHead, out ResponseHead? responseHead)
    {
        (requestHead, responseHead) = (null, null);
        return request ? parser.ReadRequest(out requestHead, out _framing) : parser.ReadResponse(out responseHead, out _framing);
    }

    /// <param name="waits">Nothing can be taken before more arrives.</param>
    private int Take(ReadResult result, Span<byte> destination, out bool waits)
    {
        var buffer = result.Buffer;
        var examined = buffer.End;
        int copied = 0;
        waits = false;

        while (!_ended && !waits && (copied < destination.Length || (copied == 0 && _left == 0)))
        {
            if (_left > 0)
            {
                int length = (int)Math.Min(Math.Min((ulong)buffer.Length, _left), (ulong)(destination.Length - copied));
                buffer.Slice(0, length).CopyTo(destination[copied..]);
                buffer = buffer.Slice(length);
                _left -= (ulong)length;
                copied += length;
                waits = length == 0;
            }
            else if (!IsAtEnd(buffer, out int terminator))
            {
                waits = !TryBegin(ref buffer);
            }
            else if (copied == 0)
            {
                waits = !TryEnd(ref buffer, terminator);
            }
            else
            {
                break;
            }
        }
        waits |= !_ended && buffer.IsEmpty;

        bool cut = result.IsCompleted && !_ended && copied == 0 && waits;
        input.AdvanceTo(buffer.Start, waits ? examined : buffer.Start);
        return cut ? throw CutOff() : copied;
    }

    // The content's length is used up; or, where it has none, the next chunk's is zero.
    private bool IsAtEnd(ReadOnlySequence<byte> buffer, out int terminator)
    {
        terminator = 0;
        return _framing.IsKnownLength() ? _begun : TryReadLength(buffer, out ulong length, out terminator) && length == 0;
    }

    private bool TryBegin(ref ReadOnlySequence<byte> buffer)
    {
        if (!TryReadLength(buffer, out _left, out int prefix))
        {
            return false;
        }
        _begun = true;
        buffer = buffer.Slice(prefix);
        return true;
    }

    private static bool TryReadLength(ReadOnlySequence<byte> buffer, out ulong length, out int prefix)
    {
        Span<byte> bytes = stackalloc byte[Varint.MaxLength];
        bytes = bytes[..(int)Math.Min(buffer.Length, bytes.Length)];
        buffer.Slice(0, bytes.Length).CopyTo(bytes);
        return Varint.TryRead(bytes, out length, out prefix);
    }

    private bool TryEnd(ref ReadOnlySequence<byte> buffer, int terminator)
    {
        var rest = buffer.Slice(terminator);
        var bounded = rest.Slice(0, Math.Min(rest.Length, BinaryHttpLimits.MaxHead));
        var parser = new HeadParser(bounded.IsSingleSegment ? bounded.FirstSpan : bounded.ToArray());
        switch (parser.ReadFields(_framing, out var trailers))
        {
            case Progress.Refused:
                input.AdvanceTo(buffer.Start);
                throw new BinaryHttpException(parser.Fault);
            case Progress.Done:
                (Trailers, _ended) = (trailers, true);
                buffer = rest.Slice(parser.Offset);
                break;
        }
        return _ended;
    }

    private IOException CutOff() =>
        _exchange?.Fault is { } fault and not ExchangeFault.None ? new ExchangeException(fault) : new BinaryHttpException(BinaryHttpFault.Truncated);
}
