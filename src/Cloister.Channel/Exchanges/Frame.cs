using System.Buffers.Binary;

namespace Cloister.Channel.Exchanges;

/// <summary>What a frame says. The numbers are those of the MultiplexingStream protocol.</summary>
internal enum FrameCode : byte
{
    Offer = 0,
    OfferAccepted = 1,
    Content = 2,
    ContentWritingCompleted = 3,
    ChannelTerminated = 4,
    ContentProcessed = 5,
    ContentReadingCompleted = 6,

    /// <summary>The peer would like a larger window. It does not get one.</summary>
    ChannelWindowGrowthRequest = 8,
}

/// <summary>A frame without its payload.</summary>
/// <param name="OfferedBySender">The channel is one that this frame's sender offered.</param>
internal readonly record struct FrameHeader(FrameCode Code, ulong Channel, bool OfferedBySender, int PayloadLength = 0);

/// <summary>
/// The frames of MultiplexingStream, version 3, in their one shortest form (docs/spec/exchanges.md, section 1): a MessagePack array of code,
/// channel, who offered it, and the payload where there is one.
/// </summary>
internal static class Frame
{
    /// <summary>The longest header: array, code, channel, source, and the payload's length in 16 bits.</summary>
    public const int MaxHeaderLength = 1 + 1 + MaxNumberLength + 1 + 3;

    /// <summary>The longest frame that is not content.</summary>
    public const int MaxControlLength = MaxHeaderLength + 2 + MaxNumberLength;

    /// <summary>The protocol's bound on what one frame carries.</summary>
    public const int MaxPayload = 20 * 1024;

    /// <summary>What we put into one: with its header it fits into one record.</summary>
    public const int UsualPayload = 16 * 1024 - 64;

    private const int MaxNumberLength = 9;

    private const byte Array3 = 0x93;
    private const byte Array4 = 0x94;
    private const byte Bin8 = 0xc4;
    private const byte Bin16 = 0xc5;
    private const byte FirstCodeOfNumbers = 0xcc;
    private const byte OfferedByUs = 1;
    private const byte OfferedByPeer = 0xff;

    /// <param name="length">The header's own, where the result is <see cref="Progress.Done"/>.</param>
    public static Progress ReadHeader(ReadOnlySpan<byte> source, out FrameHeader header, out int length)
    {
        (header, length) = (default, 0);
        if (source.Length < 2)
        {
            return source is [] or [Array3 or Array4] ? Progress.NeedMore : Progress.Refused;
        }
        if (source[0] is not (Array3 or Array4) || source[1] is not (<= (byte)FrameCode.ContentReadingCompleted or (byte)FrameCode.ChannelWindowGrowthRequest))
        {
            return Progress.Refused;
        }

        int at = 2;
        if (ReadNumber(source, ref at, out ulong channel) is var progress and not Progress.Done)
        {
            return progress;
        }
        if (at == source.Length)
        {
            return Progress.NeedMore;
        }
        byte offered = source[at++];
        if (offered is not (OfferedByUs or OfferedByPeer))
        {
            return Progress.Refused;
        }

        int payload = 0;
        if (source[0] == Array4 && (progress = ReadPayloadLength(source, ref at, out payload)) is not Progress.Done)
        {
            return progress;
        }
        (header, length) = (new((FrameCode)source[1], channel, offered == OfferedByUs, payload), at);
        return Progress.Done;
    }

    /// <summary>The channel's window out of an offer's payload: an array of the name, which is empty, and the window.</summary>
    public static bool TryReadOffer(ReadOnlySpan<byte> payload, out ulong window)
    {
        window = 0;
        int at = 2;
        return payload is [0x92, 0xa0, ..] && ReadNumber(payload, ref at, out window) is Progress.Done && at == payload.Length;
    }

    /// <summary>The one number out of an acceptance's payload or an acknowledgement's.</summary>
    public static bool TryReadNumber(ReadOnlySpan<byte> payload, out ulong number)
    {
        number = 0;
        int at = 1;
        return payload is [0x91, ..] && ReadNumber(payload, ref at, out number) is Progress.Done && at == payload.Length;
    }

    /// <summary>Writes the header at the end of the space that is given.</summary>
    /// <returns>Its length.</returns>
    public static int WriteHeader(Span<byte> destination, FrameHeader header)
    {
        destination[0] = header.PayloadLength == 0 ? Array3 : Array4;
        destination[1] = (byte)header.Code;
        int at = 2 + WriteNumber(destination[2..], header.Channel);
        destination[at++] = header.OfferedBySender ? OfferedByUs : OfferedByPeer;
        switch (header.PayloadLength)
        {
            case 0:
                break;
            case <= byte.MaxValue:
                destination[at] = Bin8;
                destination[at + 1] = (byte)header.PayloadLength;
                at += 2;
                break;
            default:
                destination[at] = Bin16;
                BinaryPrimitives.WriteUInt16BigEndian(destination[(at + 1)..], (ushort)header.PayloadLength);
                at += 3;
                break;
        }
        return at;
    }

    /// <summary>A whole frame that carries a window, a number, or nothing.</summary>
    public static int WriteControl(Span<byte> destination, FrameCode code, ulong channel, bool offeredBySender, ulong number = 0)
    {
        Span<byte> payload = stackalloc byte[2 + MaxNumberLength];
        int length = code switch
        {
            FrameCode.Offer                                     => WriteOffer(payload, number),
            FrameCode.OfferAccepted or FrameCode.ContentProcessed => WriteOne(payload, number),
            _                                                   => 0,
        };
        int header = WriteHeader(destination, new(code, channel, offeredBySender, length));
        payload[..length].CopyTo(destination[header..]);
        return header + length;
    }

    private static int WriteOffer(Span<byte> payload, ulong window)
    {
        (payload[0], payload[1]) = (0x92, 0xa0);
        return 2 + WriteNumber(payload[2..], window);
    }

    private static int WriteOne(Span<byte> payload, ulong number)
    {
        payload[0] = 0x91;
        return 1 + WriteNumber(payload[1..], number);
    }

    private static Progress ReadPayloadLength(ReadOnlySpan<byte> source, ref int at, out int length)
    {
        length = 0;
        if (at == source.Length)
        {
            return Progress.NeedMore;
        }
        int prefix = source[at] switch { Bin8 => 1, Bin16 => 2, _ => 0 };
        if (prefix == 0)
        {
            return Progress.Refused;
        }
        if (source.Length - at <= prefix)
        {
            return Progress.NeedMore;
        }

        length = prefix == 1 ? source[at + 1] : BinaryPrimitives.ReadUInt16BigEndian(source[(at + 1)..]);
        at += 1 + prefix;
        bool shortest = prefix == 1 ? length > 0 : length is > byte.MaxValue and <= MaxPayload;
        return shortest ? Progress.Done : Progress.Refused;
    }

    private static Progress ReadNumber(ReadOnlySpan<byte> source, ref int at, out ulong value)
    {
        value = 0;
        if (at >= source.Length)
        {
            return Progress.NeedMore;
        }
        byte first = source[at];
        if (first < 0x80)
        {
            value = first;
            at++;
            return Progress.Done;
        }
        if (first is < FirstCodeOfNumbers or > FirstCodeOfNumbers + 3)
        {
            return Progress.Refused;
        }

        int size = 1 << (first - FirstCodeOfNumbers);
        var rest = source[(at + 1)..];
        if (rest.Length < size)
        {
            return Progress.NeedMore;
        }
        (value, ulong floor) = size switch
        {
            1 => (rest[0], 0x80UL),
            2 => (BinaryPrimitives.ReadUInt16BigEndian(rest), 1UL << 8),
            4 => (BinaryPrimitives.ReadUInt32BigEndian(rest), 1UL << 16),
            _ => (BinaryPrimitives.ReadUInt64BigEndian(rest), 1UL << 32),
        };
        at += 1 + size;
        return value >= floor ? Progress.Done : Progress.Refused;
    }

    private static int WriteNumber(Span<byte> destination, ulong value)
    {
        switch (value)
        {
            case < 0x80:
                destination[0] = (byte)value;
                return 1;
            case <= byte.MaxValue:
                (destination[0], destination[1]) = (FirstCodeOfNumbers, (byte)value);
                return 2;
            case <= ushort.MaxValue:
                destination[0] = FirstCodeOfNumbers + 1;
                BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)value);
                return 3;
            case <= uint.MaxValue:
                destination[0] = FirstCodeOfNumbers + 2;
                BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)value);
                return 5;
            default:
                destination[0] = FirstCodeOfNumbers + 3;
                BinaryPrimitives.WriteUInt64BigEndian(destination[1..], value);
                return 9;
        }
    }
}
