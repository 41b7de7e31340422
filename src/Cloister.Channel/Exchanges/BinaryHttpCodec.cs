using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Cloister.Channel.Exchanges;

/// <summary>RFC 9292: writes the parts of messages, and reads messages that are whole.</summary>
public static class BinaryHttpCodec
{
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

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
        (content, fault) = ([], BinaryHttpFault.None);
        if (rest.IsEmpty)
        {
            return true;
        }

        // Content that has begun must have its end: left out, it could not be told from content that was cut off.
        var chunks = new ArrayBufferWriter<byte>(rest.Length);
        ulong length;
        do
        {
            if (!Varint.TryRead(rest, out length, out int prefix) || length > (ulong)(rest.Length - prefix))
            {
                fault = BinaryHttpFault.Truncated;
                return false;
            }
            chunks.Write(rest.Slice(prefix, (int)length));
            rest = rest[(prefix + (int)length)..];
        }
        while (!framing.IsKnownLength() && length > 0);
        content = chunks.WrittenSpan.ToArray();
        return true;
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
        ThrowIfUnwritable(request, response);
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
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fields.Length, BinaryHttpLimits.MaxFields, nameof(fields));
        foreach (var field in fields)
        {
            if (!IsWritable(field))
            {
                throw new ArgumentException($"The field '{field.Name}' has a name or a value that cannot be sent.", nameof(fields));
            }
            WriteText(destination, field.Name);
            WriteText(destination, field.Value);
        }
    }

    // What a reader would refuse is our mistake, and noticed here: a line feed in a value must not become somebody's next field.
    private static bool IsWritable(Field field) =>
        field.Name.Length > 0 && !field.Name.AsSpan().ContainsAnyExcept(NameCharacters)
        && !field.Value.AsSpan().ContainsAnyExceptInRange('\t', '\u00ff') && !field.Value.AsSpan().ContainsAnyInRange('\n', '\u001f') && !field.Value.Contains('\u007f')
        && field.Value.AsSpan().Trim(" \t").Length == field.Value.Length;

    private static void ThrowIfUnwritable(RequestHead? request, ResponseHead? response)
    {
        bool writable = request is null
            ? response!.Status is >= 200 and <= 599
            : request.Method.Length > 0 && !request.Method.AsSpan().ContainsAnyExcept(TokenCharacters)
              && request.Scheme.Length > 0 && request.Path.Length > 0 && IsVisible(request.Scheme) && IsVisible(request.Authority) && IsVisible(request.Path);
        if (!writable)
        {
            throw new ArgumentException("The method, target or status cannot be sent.");
        }
    }

    private static bool IsVisible(string text) => !text.AsSpan().ContainsAnyExceptInRange('\u0021', '\u007e');

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
