using System.Buffers;
using System.Buffers.Binary;

namespace Cloister.Channel.Exchanges;

/// <summary>Variable-length integers (RFC 9000, section 16): the first two bits say how many bytes there are.</summary>
internal static class Varint
{
    public const int MaxLength = 8;

    private const ulong Max = (1UL << 62) - 1;

    /// <summary>How many bytes the number takes that starts with <paramref name="first"/>.</summary>
    public static int LengthOf(byte first) => 1 << (first >> 6);

    /// <summary>False where more bytes are needed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out ulong value, out int length)
    {
        (value, length) = (0, 0);
        if (source.IsEmpty || source.Length < LengthOf(source[0]))
        {
            return false;
        }

        length = LengthOf(source[0]);
        value = length switch
        {
            1 => source[0] & 0x3fUL,
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3fffUL,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3fff_ffffUL,
            _ => BinaryPrimitives.ReadUInt64BigEndian(source) & Max,
        };
        return true;
    }

    /// <summary>A number below 2^30 in four bytes, as a big-endian integer.</summary>
    public static uint FourBytes(uint value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, (1U << 30) - 1);
        return value | 2U << 30;
    }

    /// <summary>In as few bytes as it goes.</summary>
    public static void Write(IBufferWriter<byte> destination, ulong value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Max);
        var span = destination.GetSpan(MaxLength);
        switch (value)
        {
            case < 1UL << 6:
                span[0] = (byte)value;
                destination.Advance(1);
                break;
            case < 1UL << 14:
                BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)(value | 1UL << 14));
                destination.Advance(2);
                break;
            case < 1UL << 30:
                BinaryPrimitives.WriteUInt32BigEndian(span, (uint)(value | 2UL << 30));
                destination.Advance(4);
                break;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(span, value | 3UL << 62);
                destination.Advance(8);
                break;
        }
    }
}
