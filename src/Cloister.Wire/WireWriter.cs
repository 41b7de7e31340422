using System.Buffers.Binary;

namespace Cloister.Wire;

/// <summary>Writes fields in order into a span of known size. Running out of room is our mistake and throws.</summary>
public ref struct WireWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;
    private int _offset;

    public readonly int Offset => _offset;

    public readonly ReadOnlySpan<byte> Written => _destination[.._offset];

    /// <summary>The next <paramref name="length"/> bytes, for the caller to fill.</summary>
    public Span<byte> Take(int length)
    {
        var taken = _destination.Slice(_offset, length);
        _offset += length;
        return taken;
    }

    public void Bytes(scoped ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Zeros(int length) => Take(length).Clear();

    public void UInt8(byte value) => Take(sizeof(byte))[0] = value;

    public void UInt16LittleEndian(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), value);

    public void UInt32LittleEndian(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(sizeof(uint)), value);

    public void UInt64LittleEndian(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(sizeof(ulong)), value);

    public void UInt16BigEndian(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(sizeof(ushort)), value);

    public void UInt32BigEndian(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(uint)), value);

    public void UInt64BigEndian(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(sizeof(ulong)), value);
}
