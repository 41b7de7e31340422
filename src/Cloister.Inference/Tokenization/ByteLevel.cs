using System.Text;

namespace Cloister.Inference.Tokenization;

/// <summary>GPT-2's printable stand-in for each byte, with which byte-level vocabularies are written.</summary>
internal static class ByteLevel
{
    private static readonly char[] Symbols = MakeSymbols();
    private static readonly Dictionary<char, byte> Bytes = Enumerable.Range(0, 256).ToDictionary(one => Symbols[one], one => (byte)one);

    public static string Write(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(one => Symbols[one]));

    /// <summary>The bytes of a token. A character that stands for no byte is itself.</summary>
    public static byte[] Read(string token) => [.. token.EnumerateRunes().SelectMany(rune => rune.IsBmp && Bytes.TryGetValue((char)rune.Value, out byte one) ? [one] : Encoding.UTF8.GetBytes(rune.ToString()))];

    private static char[] MakeSymbols()
    {
        var symbols = new char[256];
        int extra = 0;
        for (int one = 0; one < 256; one++)
        {
            bool isPrintable = one is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            symbols[one] = (char)(isPrintable ? one : 0x100 + extra++);
        }
        return symbols;
    }
}
