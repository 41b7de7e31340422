using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Certificates in the text form of RFC 7468, one behind the other and nothing else; zeros at the end, which Intel writes, are ignored.</summary>
public static class PemCertificates
{
    /// <summary>In bytes of text.</summary>
    public const int MaxSize = 64 * 1024;

    /// <summary>Ours to choose: more certificates in one text are refused. Real chains have three (Intel's) or five (NVIDIA's).</summary>
    public const int MaxCount = 8;

    private const string Begin = "-----BEGIN CERTIFICATE-----";
    private const string End = "-----END CERTIFICATE-----";

    /// <summary>False for any text that is not wholly certificates, and for one that cannot be read. An empty text is no certificates.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ImmutableArray<Certificate> certificates)
    {
        certificates = [];
        if (!TrySplit(text, out var encoded))
        {
            return false;
        }

        var found = ImmutableArray.CreateBuilder<Certificate>();
        foreach (byte[] der in encoded)
        {
            if (!Certificate.TryParse(der, out var certificate))
            {
                return false;
            }
            found.Add(certificate);
        }
        certificates = found.ToImmutable();
        return true;
    }

    /// <summary>The encodings, each in DER if it is a certificate at all: for who meets the same certificate many times and reads it once.</summary>
    internal static bool TrySplit(ReadOnlySpan<byte> text, out ImmutableArray<byte[]> encoded)
    {
        encoded = [];
        if (text.Length > MaxSize)
        {
            return false;
        }

        var found = ImmutableArray.CreateBuilder<byte[]>();
        var rest = Encoding.Latin1.GetString(text.TrimEnd((byte)0)).AsSpan().Trim("\r\n ");
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf(End, StringComparison.Ordinal);
            if (found.Count == MaxCount || end < Begin.Length || !rest.StartsWith(Begin, StringComparison.Ordinal) || !TryDecode(rest[Begin.Length..end], out byte[]? der))
            {
                return false;
            }
            found.Add(der);
            rest = rest[(end + End.Length)..].TrimStart("\r\n ");
        }
        encoded = found.ToImmutable();
        return true;
    }

    private static bool TryDecode(ReadOnlySpan<char> body, [NotNullWhen(true)] out byte[]? der) =>
        Base64.TryDecode(body.ToString().Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal), out der);
}
