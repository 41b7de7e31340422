using System.Text.Unicode;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Reads CBOR (RFC 8949) in the one encoding that is accepted here, from a span it does not own: what AWS (docs/spec/nitro.md) and NVIDIA (docs/spec/nvidia.md) sign.</summary>
/// <remarks>
/// Every head is the shortest one. Strings and arrays say their length; a map may instead end in a break, and only where the caller allows it.
/// Nothing is nested but what the caller reads, so depth is bounded by the format, not by the bytes. As with <see cref="WireReader"/> the first
/// fault sticks and every later read yields nothing.
/// </remarks>
internal ref struct CborReader(ReadOnlySpan<byte> source)
{
    /// <summary>A map's length where a break ends it.</summary>
    public const int Indefinite = -1;

    private const int Unsigned = 0, Negative = 1, ByteString = 2, TextString = 3, Array = 4, Map = 5, Tag = 6;
    private const byte IndefiniteMap = 0xbf, Null = 0xf6, Break = 0xff;

    private readonly ReadOnlySpan<byte> _source = source;
    private WireReader _reader = new(source);

    /// <summary>The first fault, or <see cref="WireFault.None"/>.</summary>
    public readonly WireError Error => _reader.Error;

    public readonly bool Failed => _reader.Failed;

    public readonly int Offset => _reader.Offset;

    public ulong ReadUnsigned(string field) => Head(field, Unsigned);

    /// <summary>A number below zero; 0 where it is none, or below the least that a <see cref="long"/> holds.</summary>
    public long ReadNegative(string field)
    {
        ulong beyond = Head(field, Negative);
        if (beyond > long.MaxValue)
        {
            _reader.Refuse(field, long.MaxValue, unchecked((long)beyond));
        }
        return Failed ? 0 : -1 - (long)beyond;
    }

    /// <param name="max">The longest that is read, in bytes.</param>
    public ReadOnlySpan<byte> ReadBytes(string field, int max) => _reader.Bytes(field, Length(field, ByteString, max));

    /// <summary>The text's UTF-8.</summary>
    /// <param name="max">The longest that is read, in bytes.</param>
    public ReadOnlySpan<byte> ReadText(string field, int max)
    {
        var text = _reader.Bytes(field, Length(field, TextString, max));
        if (!Utf8.IsValid(text))
        {
            _reader.Refuse(field, 0, 0);
        }
        return Failed ? default : text;
    }

    /// <summary>How many items follow.</summary>
    public int ReadArray(string field, int max) => Length(field, Array, max);

    /// <summary>How many pairs follow; <see cref="Indefinite"/> where <see cref="TryReadBreak"/> will say that they end.</summary>
    public int ReadMap(string field, int max, bool mayBeIndefinite = false) => mayBeIndefinite && TryRead(IndefiniteMap) ? Indefinite : Length(field, Map, max);

    /// <summary>Takes the end of a map without a length, if that comes next.</summary>
    public bool TryReadBreak() => TryRead(Break);

    public bool TryReadNull() => TryRead(Null);

    /// <summary>Takes this tag, if it comes next.</summary>
    public bool TryReadTag(ushort tag) => TryReadHead(Tag, tag);

    /// <summary>Takes this number, if it comes next.</summary>
    public bool TryReadUnsigned(ushort value) => TryReadHead(Unsigned, value);

    /// <summary>Enters a byte string that holds CBOR itself, which the caller reads on from here.</summary>
    /// <param name="max">The longest that is entered, in bytes.</param>
    /// <returns>Where it ends: what is read in it must end there, for which the caller asks <see cref="Leave"/>.</returns>
    public int Enter(string field, int max)
    {
        int length = Length(field, ByteString, max);
        return Offset + length;
    }

    /// <summary>What was read in a byte string is all of it and nothing beyond.</summary>
    public void Leave(string field, int end)
    {
        if (Offset != end)
        {
            _reader.Refuse(field, end, Offset);
        }
    }

    /// <summary>Nothing may follow.</summary>
    public void ExpectEnd(string field) => _reader.ExpectEnd(field);

    /// <summary>Records a fault that only the caller can see.</summary>
    public void Refuse(string field, long expected, long actual) => _reader.Refuse(field, expected, actual);

    private bool TryReadHead(int type, ushort argument) => argument switch
    {
        < 24             => TryRead((byte)(type << 5 | argument)),
        <= byte.MaxValue => TryRead((byte)(type << 5 | 24), (byte)argument),
        _                => TryRead((byte)(type << 5 | 25), (byte)(argument >> 8), (byte)(argument & 0xff)),
    };

    private bool TryRead(params ReadOnlySpan<byte> wanted)
    {
        bool next = !Failed && _source[Offset..].StartsWith(wanted);
        if (next)
        {
            _reader.Bytes("", wanted.Length);
        }
        return next;
    }

    private int Length(string field, int type, int max)
    {
        ulong length = Head(field, type);
        if (length > (ulong)max)
        {
            _reader.Refuse(field, max, (long)Math.Min(length, long.MaxValue));
        }
        return Failed ? 0 : (int)length;
    }

    // RFC 8949, sections 3 and 4.1: the argument stands in the initial byte or in the 1, 2, 4 or 8 bytes behind it, and never in more than it needs.
    private ulong Head(string field, int type)
    {
        byte initial = _reader.UInt8(field);
        if (initial >> 5 != type)
        {
            _reader.Refuse(field, type, initial >> 5);
        }
        int form = initial & 0x1f;
        var (argument, least) = form switch
        {
            < 24 => ((ulong)form, 0UL),
            24   => (_reader.UInt8(field), 24UL),
            25   => (_reader.UInt16BigEndian(field), byte.MaxValue + 1UL),
            26   => (_reader.UInt32BigEndian(field), ushort.MaxValue + 1UL),
            27   => (_reader.UInt64BigEndian(field), uint.MaxValue + 1UL),
            _    => (0UL, ulong.MaxValue),
        };
        if (argument < least)
        {
            _reader.Refuse(field, 23, form);
        }
        return Failed ? 0 : argument;
    }
}
