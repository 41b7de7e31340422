using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Wire;

/// <summary>Lower-case hexadecimal, in its one encoding: no prefix, no white space, no upper case.</summary>
public static class Hex
{
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>False where <paramref name="text"/> is not what <see cref="Encode"/> writes.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length % 2 != 0 || text.ContainsAnyInRange('A', 'F'))
        {
            return false;
        }

        var decoded = new byte[text.Length / 2];
        if (Convert.FromHexString(text, decoded, out _, out _) is not OperationStatus.Done)
        {
            return false;
        }
        bytes = decoded;
        return true;
    }
}
