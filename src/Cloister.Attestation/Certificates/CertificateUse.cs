using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>What a certificate's key may sign (RFC 5280, sections 4.2.1.3 and 4.2.1.9).</summary>
/// <param name="IsAuthority">The basic constraints say so.</param>
/// <param name="PathLength">How many authorities may stand between it and the end of the chain; null where it does not say.</param>
/// <param name="HasUsage">It has a key usage; without one, the rest is false.</param>
/// <param name="SignsCertificates">The key usage names it.</param>
/// <param name="SignsDocuments">The key usage names digital signatures.</param>
/// <param name="SignsLists">The key usage names lists of revoked certificates.</param>
internal sealed record CertificateUse(bool IsAuthority, int? PathLength, bool HasUsage, bool SignsCertificates, bool SignsDocuments, bool SignsLists)
{
    public const string BasicConstraints = "2.5.29.19", KeyUsage = "2.5.29.15";

    private const byte DigitalSignature = 0x80, KeyCertSign = 0x04, CrlSign = 0x02;

    /// <summary>False where an extension is there and not well-formed. What is not there grants nothing.</summary>
    public static bool TryRead(Certificate certificate, [NotNullWhen(true)] out CertificateUse? use)
    {
        try
        {
            var (authority, length) = certificate.TryGetExtension(BasicConstraints, out var constraints) ? ReadConstraints(constraints) : (false, null);
            byte? usage = certificate.TryGetExtension(KeyUsage, out var bits) ? ReadUsage(bits) : null;
            use = new CertificateUse(authority, length, usage is not null, (usage & KeyCertSign) > 0, (usage & DigitalSignature) > 0, (usage & CrlSign) > 0);
            return true;
        }
        catch (AsnContentException)
        {
            use = null;
            return false;
        }
    }

    private static (bool, int?) ReadConstraints(byte[] value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var constraints = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        bool authority = constraints.HasData && constraints.PeekTag() == Asn1Tag.Boolean && constraints.ReadBoolean();
        int? length = null;
        if (constraints.HasData)
        {
            Certificate.Require(constraints.TryReadInt32(out int number) && number >= 0 && authority, "path length");
            length = number;
        }
        constraints.ThrowIfNotEmpty();
        return (authority, length);
    }

    // The first octet holds every use that is asked for here.
    private static byte ReadUsage(byte[] value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        byte[] bits = reader.ReadBitString(out _);
        reader.ThrowIfNotEmpty();
        return bits is [var first, ..] ? first : (byte)0;
    }
}
