using System.Globalization;
using System.Text;

namespace Cloister.Transparency;

/// <summary>The rules of text that notes, checkpoints, proofs and witness requests share.</summary>
internal static class NoteText
{
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Not empty, no Unicode spaces, no plus (signed-note, Format).</summary>
    public static bool IsKeyName(string name) => name.Length > 0 && !name.Any(letter => char.IsWhiteSpace(letter) || letter is '+' or < ' ') && IsUtf16(name);

    /// <summary>Whether it has one other than a newline.</summary>
    public static bool HasControlCharacter(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\0', '\t') || text.ContainsAnyInRange('\v', '\x1f');

    /// <summary>A decimal number without sign and leading zeros, up to 2^63 − 1.</summary>
    public static bool TryReadNumber(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && (text[0] != '0' || text.Length == 1);

    public static bool TryDecode(ReadOnlySpan<byte> bytes, out string text)
    {
        try
        {
            text = StrictUtf8.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = "";
            return false;
        }
    }

    private static bool IsUtf16(string text)
    {
        try
        {
            return StrictUtf8.GetByteCount(text) > 0;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
