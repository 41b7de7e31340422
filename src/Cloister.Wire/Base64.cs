using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Wire;

/// <summary>RFC 4648 base64 in its one canonical encoding.</summary>
/// <remarks>
/// The framework's decoders skip white space, and some accept set bits behind the last byte: two texts for one value, and a
/// signature over the text then covers less than it seems to. Here a text is accepted only if encoding its bytes gives it back.
/// </remarks>
public static class Base64
{
    /// <summary>Section 4: the standard alphabet, with padding.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes);

    /// <summary>Section 5: the URL and file name alphabet, without padding.</summary>
    public static string EncodeUrl(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>Decodes what <see cref="Encode"/> writes and nothing else.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        int padding = text.EndsWith("==") ? 2 : text.EndsWith("=") ? 1 : 0;
        var buffer = new byte[Math.Max(0, text.Length / 4 * 3 - padding)];
        bool decoded = text.Length % 4 == 0 && Convert.TryFromBase64Chars(text, buffer, out int length) && length == buffer.Length
            && text.EndsWith(Encode(LastGroup(buffer)));
        bytes = decoded ? buffer : null;
        return decoded;
    }

    /// <summary>Decodes what <see cref="EncodeUrl"/> writes and nothing else.</summary>
    public static bool TryDecodeUrl(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        var buffer = new byte[(int)(text.Length * 3L / 4)];
        bool decoded = text.Length % 4 != 1 && Base64Url.DecodeFromChars(text, buffer, out _, out int length) is OperationStatus.Done && length == buffer.Length
            && text.EndsWith(EncodeUrl(LastGroup(buffer)));
        bytes = decoded ? buffer : null;
        return decoded;
    }

    // Once no character was skipped, only the last group of three bytes has more than one text.
    private static ReadOnlySpan<byte> LastGroup(byte[] bytes) => bytes.AsSpan(bytes.Length / 3 * 3);
}
