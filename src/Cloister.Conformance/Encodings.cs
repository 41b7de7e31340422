using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Attestation;

namespace Cloister.Conformance;

/// <summary>The contract's encodings. What is not one is malformed input: a <see cref="FormatException"/>.</summary>
internal static class Encodings
{
    public static byte[] Base64(string text) => Convert.FromBase64String(text);

    /// <summary>In either case; null for null.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static byte[]? Hex(string? text) => text is null ? null : Convert.FromHexString(text);

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>Seconds since 1970, to the end of the year 9999.</summary>
    public static DateTimeOffset Time(long seconds) =>
        seconds is >= 0 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw new FormatException();

    /// <summary>The first certificate of a PEM text. False where there is none, or it is none that can be read.</summary>
    public static bool TryReadPem(string text, [NotNullWhen(true)] out Certificate? certificate) => TryReadPem(text, out certificate, out _);

    /// <summary>The same, with its DER encoding.</summary>
    public static bool TryReadPem(string text, [NotNullWhen(true)] out Certificate? certificate, out byte[] der)
    {
        (certificate, der) = (null, []);
        if (PemEncoding.TryFind(text, out var fields) && text[fields.Label] == "CERTIFICATE")
        {
            der = Convert.FromBase64String(text[fields.Base64Data]);
            _ = Certificate.TryParse(der, out certificate);
        }
        return certificate is not null;
    }
}
