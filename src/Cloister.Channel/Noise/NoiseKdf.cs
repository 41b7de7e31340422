using System.Security.Cryptography;

namespace Cloister.Channel.Noise;

/// <summary>HKDF as Noise rev 34, section 4.3, writes it, with SHA-256: no info, and two or three outputs.</summary>
/// <remarks>Not the framework's: that one refuses the empty key material which <c>Split</c> needs.</remarks>
internal static class NoiseKdf
{
    public const int HashSize = SHA256.HashSizeInBytes;

    /// <summary>Outputs may overlap <paramref name="chainingKey"/>: they are written last.</summary>
    public static void Derive(ReadOnlySpan<byte> chainingKey, ReadOnlySpan<byte> material, Span<byte> first, Span<byte> second) =>
        Derive(chainingKey, material, first, second, []);

    /// <summary>The same with a third output, or none where <paramref name="third"/> is empty.</summary>
    public static void Derive(ReadOnlySpan<byte> chainingKey, ReadOnlySpan<byte> material, Span<byte> first, Span<byte> second, Span<byte> third)
    {
        Span<byte> temporary = stackalloc byte[HashSize];
        Span<byte> block = stackalloc byte[HashSize + 1];

        HMACSHA256.HashData(chainingKey, material, temporary);

        block[0] = 1;
        HMACSHA256.HashData(temporary, block[..1], first);

        first.CopyTo(block);
        block[HashSize] = 2;
        HMACSHA256.HashData(temporary, block, second);

        if (!third.IsEmpty)
        {
            second.CopyTo(block);
            block[HashSize] = 3;
            HMACSHA256.HashData(temporary, block, third);
        }

        CryptographicOperations.ZeroMemory(temporary);
        CryptographicOperations.ZeroMemory(block);
    }
}
