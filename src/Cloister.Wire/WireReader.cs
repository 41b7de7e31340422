using System.Buffers.Binary;

namespace Cloister.Wire;

/// <summary>Reads fields in order from a span it does not own.</summary>
/// <remarks>
/// The first fault sticks and every later read yields nothing (an empty span, a zero), so a parser is a straight list of
/// fields with one test of <see cref="Error"/> at the end. Values read after a fault must not be used.
/// </remarks>
public ref struct WireReader(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> _source = source;
    private int _offset;
    private WireError _error;

    /// <summary>The first fault, or <see cref="WireFault.None"/>.</summary>
    public readonly WireError Error => _error;

    public readonly bool Failed => _error.Fault is not WireFault.None;

    public readonly int Offset => _offset;

    public readonly int Remaining => _source.Length - _offset;

    /// <summary>The next <paramref name="length"/> bytes, as a view of the source.</summary>
    public ReadOnlySpan<byte> Bytes(string field, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (Failed)
        {
            return default;
        }
        if (length > Remaining)
        {
            _error = new(WireFault.Truncated, field, _offset, length, Remaining);
            return default;
        }
        var bytes = _source.Slice(_offset, length);
        _offset += length;
        return bytes;
    }

    /// <summary>Everything that is left.</summary>
    public ReadOnlySpan<byte> Rest(string field) => Failed ? default : Bytes(field, Remaining);

    public byte UInt8(string field) => Bytes(field, sizeof(byte)) is { IsEmpty: false } bytes ? bytes[0] : (byte)0;

    public ushort UInt16LittleEndian(string field) =>
        Bytes(field, sizeof(ushort)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    public uint UInt32LittleEndian(string field) =>
        Bytes(field, sizeof(uint)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    public ulong UInt64LittleEndian(string field) =>
        Bytes(field, sizeof(ulong)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    public ushort UInt16BigEndian(string field) =>
        Bytes(field, sizeof(ushort)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint UInt32BigEndian(string field) =>
        Bytes(field, sizeof(uint)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    public ulong UInt64BigEndian(string field) =>
        Bytes(field, sizeof(ulong)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;

    /// <summary>Bytes that have one allowed value.</summary>
    public void Expect(string field, ReadOnlySpan<byte> value)
    {
        int start = _offset;
        var bytes = Bytes(field, value.Length);
        int matching = bytes.CommonPrefixLength(value);
        if (matching < bytes.Length)
        {
            _error = new(WireFault.WrongValue, field, start + matching, value[matching], bytes[matching]);
        }
    }

    /// <summary>Reserved bytes, which must be zero.</summary>
    public void Zeros(string field, int length)
    {
        int start = _offset;
        int dirty = Bytes(field, length).IndexOfAnyExcept((byte)0);
        if (dirty >= 0)
        {
            _error = new(WireFault.WrongValue, field, start + dirty, 0, _source[start + dirty]);
        }
    }

    /// <summary>Bytes behind a little-endian 32-bit length of at most <paramref name="max"/>.</summary>
    public ReadOnlySpan<byte> PrefixedBytes(string field, int max)
    {
        int start = _offset;
        uint length = UInt32LittleEndian(field);
        if (!Failed && length > max)
        {
            _error = new(WireFault.TooLong, field, start, max, length);
        }
        return Failed ? default : Bytes(field, (int)length);
    }

    /// <summary>Zero padding up to the end.</summary>
    public void ExpectZerosToEnd(string field)
    {
        int start = _offset;
        var padding = Rest(field);
        if (padding.ContainsAnyExcept((byte)0))
        {
            _error = new(WireFault.DirtyPadding, field, start, 0, padding.Length);
        }
    }

    /// <summary>Nothing may follow.</summary>
    public void ExpectEnd(string field)
    {
        if (!Failed && Remaining > 0)
        {
            _error = new(WireFault.TrailingBytes, field, _offset, 0, Remaining);
        }
    }

    /// <summary>Records a fault that only the caller can see, such as a value out of its range, at the current offset.</summary>
    public void Refuse(string field, long expected, long actual)
    {
        if (!Failed)
        {
            _error = new(WireFault.WrongValue, field, _offset, expected, actual);
        }
    }
}
