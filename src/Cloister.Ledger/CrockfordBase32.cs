using System.Text;

namespace Cloister.Ledger;

/// <summary>Douglas Crockford's base 32, for what people read aloud and type: no padding, groups of four with hyphens, no check letter.</summary>
/// <remarks>Read without regard to case, hyphens and spaces, with O as 0 and I, L as 1. Bits left over at the end must be zero, so that bytes have one meaning.</remarks>
public static class CrockfordBase32
{
    private const string Letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int BitsPerLetter = 5;

    /// <summary>In groups of four letters.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        int letters = ((bytes.Length * 8) + BitsPerLetter - 1) / BitsPerLetter;
        for (int letter = 0; letter < letters; letter++)
        {
            if (letter > 0 && letter % 4 == 0)
            {
                text.Append('-');
            }
            int value = 0;
            for (int bit = letter * BitsPerLetter; bit < (letter + 1) * BitsPerLetter; bit++)
            {
                value = (value << 1) | (bit < bytes.Length * 8 ? (bytes[bit / 8] >> (7 - (bit % 8))) & 1 : 0);
            }
            text.Append(Letters[value]);
        }
        return text.ToString();
    }

    /// <summary>Fills <paramref name="bytes"/> exactly. False for a letter that is none, too few or too many, and left-over bits that are not zero.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        bytes.Clear();
        int bits = 0;
        foreach (char letter in text)
        {
            if (letter is '-' or ' ')
            {
                continue;
            }
            int value = Letters.IndexOf(char.ToUpperInvariant(letter) switch { 'O' => '0', 'I' or 'L' => '1', char other => other }, StringComparison.Ordinal);
            if (value < 0)
            {
                return false;
            }
            for (int bit = BitsPerLetter - 1; bit >= 0; bit--, bits++)
            {
                int one = (value >> bit) & 1;
                if (bits < bytes.Length * 8)
                {
                    bytes[bits / 8] |= (byte)(one << (7 - (bits % 8)));
                }
                else if (one != 0)
                {
                    return false;
                }
            }
        }
        return bits >= bytes.Length * 8 && bits - (bytes.Length * 8) < BitsPerLetter;
    }
}
