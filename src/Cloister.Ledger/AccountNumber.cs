using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Ledger;

/// <summary>Ten random bytes that name an account (docs/spec/vault.md, section 1). It is no secret, and says nothing about anybody.</summary>
public readonly record struct AccountNumber
{
    /// <summary>In bytes.</summary>
    public const int Size = 10;

    private readonly UInt128 _value;

    private AccountNumber(UInt128 value) => _value = value;

    /// <summary>A new one, at random.</summary>
    public static AccountNumber Generate() => Read(RandomNumberGenerator.GetBytes(Size));

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 10 bytes long.</exception>
    public static AccountNumber Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"An account number has {Size} bytes.", nameof(bytes));
        }
        return new(new UInt128(BinaryPrimitives.ReadUInt16BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[2..])));
    }

    /// <summary>Reads what a person typed; see <see cref="CrockfordBase32"/>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out AccountNumber number)
    {
        Span<byte> bytes = stackalloc byte[Size];
        bool parsed = text is { Length: <= 64 } && CrockfordBase32.TryDecode(text, bytes);
        number = parsed ? Read(bytes) : default;
        return parsed;
    }

    /// <summary>Writes the 10 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(_value >> 64));
        BinaryPrimitives.WriteUInt64BigEndian(destination[2..Size], (ulong)(_value & ulong.MaxValue));
    }

    public byte[] ToArray()
    {
        byte[] bytes = new byte[Size];
        Write(bytes);
        return bytes;
    }

    /// <summary>As a person reads it: <c>7KQ2-M9XA-0000-0000</c>.</summary>
    public override string ToString() => CrockfordBase32.Encode(ToArray());
}
