using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>The adversary's bytes and text as they may stand on a screen.</summary>
internal static class Shown
{
    private const int DigestPart = 8, MaxText = 32;

    /// <summary>The beginning of a digest; "zero" where there is nothing in it.</summary>
    public static string Digest(ReadOnlySpan<byte> bytes) =>
        !bytes.ContainsAnyExcept((byte)0) ? "zero" : bytes.Length <= DigestPart ? Hex.Encode(bytes) : $"{Hex.Encode(bytes[..DigestPart])}…";

    /// <summary>In whole seconds; below zero where it is of the future.</summary>
    public static string Age(TimeSpan age) => $"{(long)age.TotalSeconds} s old";

    /// <summary>Short, and printable ASCII only.</summary>
    public static string Text(string text)
    {
        char[] shown = text[..Math.Min(text.Length, MaxText)].ToCharArray();
        foreach (ref char character in shown.AsSpan())
        {
            character = character is >= ' ' and < '\x7f' ? character : '?';
        }
        return new(shown);
    }
}
