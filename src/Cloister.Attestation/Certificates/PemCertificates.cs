using System.Collections.Immutable;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Certificates in the text form of RFC 7468, one behind the other and nothing else; zeros at the end, which Intel writes, are ignored.</summary>
public static class PemCertificates
{
    /// <summary>In bytes of text.</summary>
    public const int MaxSize = 64 * 1024;

    /// <summary>Ours to choose: more certificates in one text are refused. Real chains have three.</summary>
    public const int MaxCount = 4;

    private const string Begin = "-----BEGIN CERTIFICATE-----";
    private const string End = "-----END CERTIFICATE-----";

    /// <summary>False for any text that is not wholly certificates, and for one that cannot be read. An empty text is no certificates.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ImmutableArray<Certificate> certificates)
    {
        certificates = [];
        if (text.Length > MaxSize)
        {
            return false;
        }

        var found = ImmutableArray.CreateBuilder<Certificate>();
        var rest = Encoding.Latin1.GetString(text.TrimEnd((byte)0)).AsSpan().Trim("\r\n ");
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf(End, StringComparison.Ordinal);
            if (found.Count == MaxCount || end < 0 || !rest.StartsWith(Begin, StringComparison.Ordinal)
                || !TryReadOne(rest[Begin.Length..end], out var certificate))
            {
                return false;
            }
            found.Add(certificate);
            rest = rest[(end + End.Length)..].TrimStart("\r\n ");
        }
        certificates = found.ToImmutable();
        return true;
    }

    private static bool TryReadOne(ReadOnlySpan<char> body, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Certificate? certificate)
    {
        certificate = null;
        string text = body.ToString().Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        return Base64.TryDecode(text, out var der) && Certificate.TryParse(der, out certificate);
    }
}
