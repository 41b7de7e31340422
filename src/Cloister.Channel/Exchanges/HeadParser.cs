using System.Buffers;
using System.Collections.Immutable;
using System.Text;

namespace Cloister.Channel.Exchanges;

internal enum Progress : byte { NeedMore, Done, Refused }

/// <summary>Reads heads and field sections from the front of what has arrived so far. It starts over when more arrives: heads are short and bounded.</summary>
/// <param name="lookOnly">Check everything, make nothing.</param>
internal ref struct HeadParser(ReadOnlySpan<byte> source, bool lookOnly = false)
{
    private static readonly SearchValues<byte> TokenBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);
    private static readonly SearchValues<byte> NameBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    private readonly ReadOnlySpan<byte> _source = source;

    /// <summary>What was used up, where the result is <see cref="Progress.Done"/>.</summary>
    public int Offset { get; private set; }

    public BinaryHttpFault Fault { get; private set; }

    public Progress ReadRequest(out RequestHead? head, out Framing framing)
    {
        head = null;
        if (ReadFraming(request: true, out framing) is var progress and not Progress.Done)
        {
            return progress;
        }
        if ((progress = ReadText(out var method)) is not Progress.Done || (progress = ReadText(out var scheme)) is not Progress.Done
            || (progress = ReadText(out var authority)) is not Progress.Done || (progress = ReadText(out var path)) is not Progress.Done)
        {
            return progress;
        }
        if (method.IsEmpty || method.ContainsAnyExcept(TokenBytes) || scheme.IsEmpty || !IsVisible(scheme) || !IsVisible(authority) || path.IsEmpty || !IsVisible(path))
        {
            return Refuse(BinaryHttpFault.BadControlData);
        }
        if ((progress = ReadFields(framing, out var fields)) is Progress.Done && !lookOnly)
        {
            head = new RequestHead(Ascii(method), Ascii(scheme), Ascii(authority), Ascii(path), fields);
        }
        return progress;
    }

    public Progress ReadResponse(out ResponseHead? head, out Framing framing)
    {
        head = null;
        var progress = ReadFraming(request: false, out framing);
        for (int informational = 0; progress is Progress.Done; informational++)
        {
            if ((progress = ReadNumber(out ulong status)) is not Progress.Done)
            {
                return progress;
            }
            if (status is < 100 or > 599 || informational > BinaryHttpLimits.MaxInformational)
            {
                return Refuse(BinaryHttpFault.BadStatus);
            }
            if ((progress = ReadFields(framing, out var fields)) is Progress.Done && status >= 200)
            {
                head = new ResponseHead((int)status, fields);
                return Progress.Done;
            }
        }
        return progress;
    }

    /// <summary>A field section in its framing: its length first, or a zero behind its last line.</summary>
    public Progress ReadFields(Framing framing, out ImmutableArray<Field> fields)
    {
        fields = [];
        int end = int.MaxValue;
        if (framing.IsKnownLength())
        {
            if (ReadNumber(out ulong length) is var progress and not Progress.Done)
            {
                return progress;
            }
            if (length > BinaryHttpLimits.MaxHead)
            {
                return Refuse(BinaryHttpFault.HeadTooLong);
            }
            end = Offset + (int)length;
            if (end > _source.Length)
            {
                return NeedMore();
            }
        }

        int count = 0;
        var lines = lookOnly ? null : ImmutableArray.CreateBuilder<Field>();
        while (Offset < end)
        {
            if (ReadText(out var name) is var nameProgress and not Progress.Done)
            {
                return nameProgress;
            }
            if (name.IsEmpty)
            {
                if (framing.IsKnownLength())
                {
                    return Refuse(BinaryHttpFault.BadField);
                }
                break;
            }
            if (ReadText(out var value) is var valueProgress and not Progress.Done)
            {
                return valueProgress;
            }
            if (name.ContainsAnyExcept(NameBytes) || !IsFieldValue(value) || Offset > end)
            {
                return Refuse(BinaryHttpFault.BadField);
            }
            if (++count > BinaryHttpLimits.MaxFields)
            {
                return Refuse(BinaryHttpFault.TooManyFields);
            }
            lines?.Add(new Field(Ascii(name), Encoding.Latin1.GetString(value)));
        }
        fields = lines?.DrainToImmutable() ?? [];
        return Progress.Done;
    }

    public Progress ReadNumber(out ulong value)
    {
        if (!Varint.TryRead(_source[Offset..], out value, out int length))
        {
            return NeedMore();
        }
        Offset += length;
        return Progress.Done;
    }

    private Progress ReadFraming(bool request, out Framing framing)
    {
        var progress = ReadNumber(out ulong value);
        framing = (Framing)(value & 3);
        bool right = value <= 3 && framing is Framing.KnownRequest or Framing.IndeterminateRequest == request;
        return progress is Progress.Done && !right ? Refuse(BinaryHttpFault.BadFraming) : progress;
    }

    private Progress ReadText(out ReadOnlySpan<byte> text)
    {
        text = default;
        if (ReadNumber(out ulong length) is var progress and not Progress.Done)
        {
            return progress;
        }
        if (length > BinaryHttpLimits.MaxHead)
        {
            return Refuse(BinaryHttpFault.HeadTooLong);
        }
        if ((int)length > _source.Length - Offset)
        {
            return NeedMore();
        }
        text = _source.Slice(Offset, (int)length);
        Offset += (int)length;
        return Progress.Done;
    }

    // Whatever is still missing: more than this will not be waited for.
    private Progress NeedMore() => _source.Length >= BinaryHttpLimits.MaxHead ? Refuse(BinaryHttpFault.HeadTooLong) : Progress.NeedMore;

    private Progress Refuse(BinaryHttpFault fault)
    {
        Fault = fault;
        return Progress.Refused;
    }

    private static bool IsVisible(ReadOnlySpan<byte> text) => !text.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e);

    // RFC 9110, section 5.5: no control character but the tab, no white space around.
    private static bool IsFieldValue(ReadOnlySpan<byte> value)
    {
        foreach (byte one in value)
        {
            if (one is (< 0x20 and not 0x09) or 0x7f)
            {
                return false;
            }
        }
        return value.IsEmpty || (value[0] is not (0x20 or 0x09) && value[^1] is not (0x20 or 0x09));
    }

    private static string Ascii(ReadOnlySpan<byte> text) => Encoding.ASCII.GetString(text);
}
