using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Cloister.Channel.Exchanges;

/// <summary>RFC 9292: writes the parts of messages, and reads messages that are whole.</summary>
public static class BinaryHttpCodec
{
    /// <summary>The start of a request whose content follows in chunks: see <see cref="WriteChunk"/> and <see cref="WriteEnd"/>.</summary>
    public static void WriteRequestHead(IBufferWriter<byte> destination, RequestHead head) => WriteControl(destination, Framing.IndeterminateRequest, head, null);

    /// <summary>The start of a response whose content follows in chunks.</summary>
    public static void WriteResponseHead(IBufferWriter<byte> destination, ResponseHead head) => WriteControl(destination, Framing.IndeterminateResponse, null, head);

    /// <summary>A piece of content. Writing nothing writes nothing: an empty chunk would be the end.</summary>
    public static void WriteChunk(IBufferWriter<byte> destination, ReadOnlySpan<byte> content)
    {
        if (!content.IsEmpty)
        {
            WriteBytes(destination, content);
        }
    }

    /// <summary>The end of the content, and the trailers.</summary>
    public static void WriteEnd(IBufferWriter<byte> destination, ImmutableArray<Field> trailers)
    {
        Varint.Write(destination, 0);
        WriteFieldSection(destination, Framing.IndeterminateRequest, trailers);
    }

    /// <summary>A whole message of known length, or with <paramref name="indeterminate"/> in one chunk, then <paramref name="padding"/> zeros.</summary>
    public static void WriteMessage(IBufferWriter<byte> destination, BinaryHttpMessage message, bool indeterminate = false, int padding = 0)
    {
        var framing = (message.Request is not null, indeterminate) switch
        {
            (true, false)  => Framing.KnownRequest,
            (false, false) => Framing.KnownResponse,
            (true, true)   => Framing.IndeterminateRequest,
            (false, true)  => Framing.IndeterminateResponse,
        };
        WriteControl(destination, framing, message.Request, message.Response);
        if (indeterminate)
        {
            WriteChunk(destination, message.Content.Span);
            WriteEnd(destination, message.Trailers);
        }
        else
        {
            WriteBytes(destination, message.Content.Span);
            WriteFieldSection(destination, framing, message.Trailers);
        }
        destination.Write(new byte[padding]);
    }

    /// <summary>Reads one whole message of either framing, with its padding. Parts that are cut off behind the head are empty (section 3.8).</summary>
    public static bool TryReadMessage(ReadOnlySpan<byte> source, [NotNullWhen(true)] out BinaryHttpMessage? message, out BinaryHttpFault fault)
    {
        message = null;
        RequestHead? request = null;
        ResponseHead? response = null;
        var parser = new HeadParser(source);
        bool isRequest = source is [0 or 2, ..];
        var progress = isRequest ? parser.ReadRequest(out request, out var framing) : parser.ReadResponse(out response, out framing);
        if (progress is not Progress.Done)
        {
            fault = progress is Progress.NeedMore ? BinaryHttpFault.Truncated : parser.Fault;
            return false;
        }

        var rest = source[parser.Offset..];
        if (!TryReadContent(ref rest, framing, out byte[] content, out fault) || !TryReadTrailers(ref rest, framing, out var trailers, out fault))
        {
            return false;
        }
        fault = rest.ContainsAnyExcept((byte)0) ? BinaryHttpFault.BadPadding : BinaryHttpFault.None;
        message = fault is BinaryHttpFault.None ? new BinaryHttpMessage(request, response, content, trailers) : null;
        return message is not null;
    }

    private static bool TryReadContent(ref ReadOnlySpan<byte> rest, Framing framing, out byte[] content, out BinaryHttpFault fault)
    {
        var chunks = new ArrayBufferWriter<byte>();
        fault = BinaryHttpFault.None;
        while (!rest.IsEmpty && fault is BinaryHttpFault.None)
        {
            if (!Varint.TryRead(rest, out ulong length, out int prefix) || length > (ulong)(rest.Length - prefix))
            {
                fault = BinaryHttpFault.Truncated;
                break;
            }
            chunks.Write(rest.Slice(prefix, (int)length));
            rest = rest[(prefix + (int)length)..];
            if (framing.IsKnownLength() || length == 0)
            {
                break;
            }
        }
        content = chunks.WrittenSpan.ToArray();
        return fault is BinaryHttpFault.None;
    }

    private static bool TryReadTrailers(ref ReadOnlySpan<byte> rest, Framing framing, out ImmutableArray<Field> trailers, out BinaryHttpFault fault)
    {
        (trailers, fault) = ([], BinaryHttpFault.None);
        if (rest.IsEmpty)
        {
            return true;
        }

        var parser = new HeadParser(rest);
        var progress = parser.ReadFields(framing, out trailers);
        fault = progress switch { Progress.Done => BinaryHttpFault.None, Progress.NeedMore => BinaryHttpFault.Truncated, _ => parser.Fault };
        rest = rest[parser.Offset..];
        return progress is Progress.Done;
    }

    private static void WriteControl(IBufferWriter<byte> destination, Framing framing, RequestHead? request, ResponseHead? response)
    {
        Varint.Write(destination, (ulong)framing);
        if (request is not null)
        {
            WriteText(destination, request.Method);
            WriteText(destination, request.Scheme);
            WriteText(destination, request.Authority);
            WriteText(destination, request.Path);
        }
        else
        {
            Varint.Write(destination, (ulong)response!.Status);
        }
        WriteFieldSection(destination, framing, request?.Fields ?? response!.Fields);
    }

    private static void WriteFieldSection(IBufferWriter<byte> destination, Framing framing, ImmutableArray<Field> fields)
    {
        if (!framing.IsKnownLength())
        {
            WriteFields(destination, fields);
            Varint.Write(destination, 0);
            return;
        }

        var section = new ArrayBufferWriter<byte>();
        WriteFields(section, fields);
        WriteBytes(destination, section.WrittenSpan);
    }

    private static void WriteFields(IBufferWriter<byte> destination, ImmutableArray<Field> fields)
    {
        foreach (var (name, value) in fields)
        {
            WriteText(destination, name);
            WriteText(destination, value);
        }
    }

    private static void WriteText(IBufferWriter<byte> destination, string text)
    {
        Varint.Write(destination, (ulong)text.Length);
        int written = Encoding.Latin1.GetBytes(text, destination.GetSpan(Math.Max(text.Length, 1)));
        destination.Advance(written);
    }

    private static void WriteBytes(IBufferWriter<byte> destination, ReadOnlySpan<byte> bytes)
    {
        Varint.Write(destination, (ulong)bytes.Length);
        destination.Write(bytes);
    }
}
