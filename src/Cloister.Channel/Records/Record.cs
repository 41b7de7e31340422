using System.Buffers.Binary;
using Cloister.Primitives;

namespace Cloister.Channel.Records;

/// <summary>What a record is. The numbers are frozen: they are sent. Docs/spec/channel.md, section 5.</summary>
internal enum RecordKind : byte
{
    /// <summary>Data, or none: an empty one is cover.</summary>
    Data = 1,

    /// <summary>As <see cref="Data"/>, and the sender's next record is under its next key.</summary>
    DataThenRekey = 2,

    /// <summary>The sender sends nothing more. It has no data.</summary>
    Close = 3,
}

/// <summary>The plaintext of a record: kind ‖ 16-bit big-endian length ‖ data ‖ zeros. Docs/spec/channel.md, section 5.</summary>
internal static class Record
{
    public const int HeaderLength = 3;

    /// <summary>What a record is longer by than its data and padding, in bytes.</summary>
    public const int Overhead = HeaderLength + AeadKey.TagSize;

    /// <summary>The longest record of a session, in bytes. Noise would allow 65,535: four times the memory for a busy session and no gain in speed.</summary>
    public const int MaxLength = 16384;

    /// <summary>Every key seals at most this many records.</summary>
    public const int PerKey = 1 << 16;

    /// <summary>Writes the header in front of data that is there already, and the zeros behind it.</summary>
    public static void WriteAround(RecordKind kind, int length, Span<byte> plaintext)
    {
        plaintext[0] = (byte)kind;
        BinaryPrimitives.WriteUInt16BigEndian(plaintext[1..], (ushort)length);
        plaintext[(HeaderLength + length)..].Clear();
    }

    /// <summary>Finds the data, which starts behind the header, in a plaintext that was authentic. Also a door for the fuzzer.</summary>
    public static ChannelFault Parse(ReadOnlySpan<byte> plaintext, out RecordKind kind, out int length)
    {
        (kind, length) = (default, 0);
        if (plaintext.Length < HeaderLength)
        {
            return ChannelFault.BadLength;
        }

        var found = (RecordKind)plaintext[0];
        int announced = BinaryPrimitives.ReadUInt16BigEndian(plaintext[1..]);
        if (found is not (RecordKind.Data or RecordKind.DataThenRekey or RecordKind.Close))
        {
            return ChannelFault.BadKind;
        }
        if (announced > plaintext.Length - HeaderLength || (found is RecordKind.Close && announced > 0))
        {
            return ChannelFault.BadLength;
        }
        if (plaintext[(HeaderLength + announced)..].ContainsAnyExcept((byte)0))
        {
            return ChannelFault.DirtyPadding;
        }
        (kind, length) = (found, announced);
        return ChannelFault.None;
    }
}
