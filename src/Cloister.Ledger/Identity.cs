using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Ledger;

/// <summary>Sixteen bytes that name an item, an unlocker, a device, a conversation or an attachment (docs/spec/vault.md, section 1). Ordered as bytes are.</summary>
public readonly record struct Identity : IComparable<Identity>
{
    /// <summary>In bytes.</summary>
    public const int Size = 16;

    private readonly UInt128 _value;

    private Identity(UInt128 value) => _value = value;

    /// <summary>A new one, at random.</summary>
    public static Identity Generate() => Read(RandomNumberGenerator.GetBytes(Size));

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 16 bytes long.</exception>
    public static Identity Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"An identity has {Size} bytes.", nameof(bytes));
        }
        return new(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Reads base64url without padding, 22 letters, in its one encoding.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Identity identity)
    {
        identity = default;
        if (text is not { Length: 22 } || !Base64.TryDecodeUrl(text, out byte[]? bytes))
        {
            return false;
        }
        identity = Read(bytes);
        return true;
    }

    /// <summary>Bit <paramref name="depth"/> of the 128, counted from the highest.</summary>
    public bool Bit(int depth) => (_value >> (127 - depth) & UInt128.One) != UInt128.Zero;

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, _value);

    public byte[] ToArray()
    {
        byte[] bytes = new byte[Size];
        Write(bytes);
        return bytes;
    }

    public int CompareTo(Identity other) => _value.CompareTo(other._value);

    public static bool operator <(Identity left, Identity right) => left.CompareTo(right) < 0;

    public static bool operator >(Identity left, Identity right) => left.CompareTo(right) > 0;

    public static bool operator <=(Identity left, Identity right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Identity left, Identity right) => left.CompareTo(right) >= 0;

    /// <summary>Base64url without padding.</summary>
    public override string ToString() => Base64.EncodeUrl(ToArray());
}
