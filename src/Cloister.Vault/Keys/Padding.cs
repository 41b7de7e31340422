using System.Buffers.Binary;
using System.Numerics;

namespace Cloister.Vault.Keys;

/// <summary>The padded plaintext of an item (docs/spec/vault.md, section 5): <c>length(u32) ‖ content ‖ zeros</c> up to Padmé's length, and at least 256 bytes.</summary>
internal static class Padding
{
    // The specification's.
    private const int Least = 256;
    private const int LengthSize = sizeof(uint);

    /// <summary>Of a content of <paramref name="length"/> bytes, once padded.</summary>
    public static int PaddedLength(int length) => (int)Padme(Math.Max(Least, LengthSize + (long)length));

    /// <summary>Padmé: the last S bits of a length of E bits are zero, so that a length says O(log log L) bits about its content.</summary>
    public static long Padme(long length)
    {
        if (length < 2)
        {
            return length;
        }
        int e = BitOperations.Log2((ulong)length);
        int s = BitOperations.Log2((uint)e) + 1;
        long mask = (1L << (e - s)) - 1;
        return (length + mask) & ~mask;
    }

    /// <summary>Fills <paramref name="padded"/>, which has <see cref="PaddedLength"/>.</summary>
    public static void Pad(ReadOnlySpan<byte> content, Span<byte> padded)
    {
        BinaryPrimitives.WriteUInt32BigEndian(padded, (uint)content.Length);
        content.CopyTo(padded[LengthSize..]);
        padded[(LengthSize + content.Length)..].Clear();
    }

    /// <summary>False where the length is not this content's, or a byte of padding is not zero: what was sealed has one form.</summary>
    public static bool TryUnpad(ReadOnlySpan<byte> padded, out int length)
    {
        length = 0;
        if (padded.Length < Least)
        {
            return false;
        }
        uint said = BinaryPrimitives.ReadUInt32BigEndian(padded);
        if (said > (uint)(padded.Length - LengthSize) || PaddedLength((int)said) != padded.Length || padded[(LengthSize + (int)said)..].ContainsAnyExcept((byte)0))
        {
            return false;
        }
        length = (int)said;
        return true;
    }

    /// <summary>Where the content begins.</summary>
    public static int Offset => LengthSize;
}
