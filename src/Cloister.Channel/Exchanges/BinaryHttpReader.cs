using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;

namespace Cloister.Channel.Exchanges;

/// <summary>Reads one message as it arrives: first its head, then its content to the end, then its trailers. For one reader at a time.</summary>
/// <remarks>An exchange is stricter than a whole message: content that ends without its terminator was cut off, and is a fault.</remarks>
public sealed class BinaryHttpReader(PipeReader input)
{
    private Framing _framing;
    private ulong _left;
    private bool _begun;
    private bool _ended;

    /// <summary>What came behind the content. Empty until that has been read to its end.</summary>
    public ImmutableArray<Field> Trailers { get; private set; } = [];

    /// <exception cref="BinaryHttpException">The peer's message is malformed, too long, or cut off.</exception>
    public async ValueTask<RequestHead> ReadRequestHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var (progress, head) = Parse(result, static (ref HeadParser parser, out Framing framing) => (parser.ReadRequest(out var head, out framing), head));
            if (progress)
            {
                return head!;
            }
        }
    }

    /// <exception cref="BinaryHttpException">The peer's message is malformed, too long, or cut off.</exception>
    public async ValueTask<ResponseHead> ReadResponseHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var (progress, head) = Parse(result, static (ref HeadParser parser, out Framing framing) => (parser.ReadResponse(out var head, out framing), head));
            if (progress)
            {
                return head!;
            }
        }
    }

    /// <summary>The next bytes of the content, as soon as there are any. 0 at its end, or for an empty buffer once there is something to read.</summary>
    /// <exception cref="BinaryHttpException">The peer's message is malformed or cut off.</exception>
    public async ValueTask<int> ReadContentAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!_ended)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            int copied = Take(result, buffer.Span);
            if (copied > 0 || (buffer.IsEmpty && _left > 0))
            {
                return copied;
            }
        }
        return 0;
    }

    private delegate (Progress, T?) Read<T>(ref HeadParser parser, out Framing framing);

    private (bool, T?) Parse<T>(ReadResult result, Read<T> read)
    {
        // One segment nearly always; a head that straddles two is short enough to copy.
        var buffer = result.Buffer;
        var bounded = buffer.Slice(0, Math.Min(buffer.Length, BinaryHttpLimits.MaxHead));
        var parser = new HeadParser(bounded.IsSingleSegment ? bounded.FirstSpan : bounded.ToArray());
        var (progress, head) = read(ref parser, out _framing);
        switch (progress)
        {
            case Progress.Done:
                input.AdvanceTo(buffer.GetPosition(parser.Offset));
                return (true, head);
            case Progress.Refused:
                input.AdvanceTo(buffer.Start, buffer.End);
                throw new BinaryHttpException(parser.Fault);
            default:
                input.AdvanceTo(buffer.Start, buffer.End);
                return result.IsCompleted ? throw new BinaryHttpException(BinaryHttpFault.Truncated) : (false, default);
        }
    }

    private int Take(ReadResult result, Span<byte> destination)
    {
        var buffer = result.Buffer;
        var examined = buffer.End;
        int copied = 0;
        bool stuck = false;

        // A read of nothing waits for content, or for its end.
        while (!_ended && !stuck && (copied < destination.Length || (destination.IsEmpty && _left == 0)))
        {
            if (_left > 0)
            {
                int length = (int)Math.Min(Math.Min((ulong)buffer.Length, _left), (ulong)(destination.Length - copied));
                buffer.Slice(0, length).CopyTo(destination[copied..]);
                buffer = buffer.Slice(length);
                _left -= (ulong)length;
                copied += length;
                stuck = length == 0;
            }
            else
            {
                stuck = _begun && _framing.IsKnownLength() ? !TryEnd(ref buffer) : !TryBegin(ref buffer);
            }
        }

        bool cut = result.IsCompleted && !_ended && copied == 0 && (stuck || buffer.IsEmpty);
        input.AdvanceTo(buffer.Start, stuck ? examined : buffer.Start);
        return cut ? throw new BinaryHttpException(BinaryHttpFault.Truncated) : copied;
    }

    // The length of the content or of its next chunk; a chunk of length zero is the end.
    private bool TryBegin(ref ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[Varint.MaxLength];
        prefix = prefix[..(int)Math.Min(buffer.Length, prefix.Length)];
        buffer.Slice(0, prefix.Length).CopyTo(prefix);
        if (!Varint.TryRead(prefix, out ulong length, out int taken))
        {
            return false;
        }
        if (length > 0 || _framing.IsKnownLength())
        {
            buffer = buffer.Slice(taken);
            (_left, _begun) = (length, true);
            return true;
        }

        var rest = buffer.Slice(taken);
        if (!TryEnd(ref rest))
        {
            return false;
        }
        buffer = rest;
        return true;
    }

    private bool TryEnd(ref ReadOnlySequence<byte> buffer)
    {
        var bounded = buffer.Slice(0, Math.Min(buffer.Length, BinaryHttpLimits.MaxHead));
        var parser = new HeadParser(bounded.IsSingleSegment ? bounded.FirstSpan : bounded.ToArray());
        var progress = parser.ReadFields(_framing, out var trailers);
        if (progress is Progress.Refused)
        {
            throw new BinaryHttpException(parser.Fault);
        }
        if (progress is Progress.Done)
        {
            (Trailers, _ended) = (trailers, true);
            buffer = buffer.Slice(parser.Offset);
        }
        return _ended;
    }
}
