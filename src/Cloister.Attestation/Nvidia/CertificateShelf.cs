using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Attestation;

/// <summary>The certificates of one verification: each is read once, and each signature verified once, however many devices share it.</summary>
/// <remarks>Reading one imports its key, which costs as much as verifying a signature with it.</remarks>
internal sealed class CertificateShelf
{
    private readonly Dictionary<string, Certificate?> _read = [];
    private readonly Dictionary<(Certificate Subject, Certificate Issuer), bool> _signed = [];

    /// <summary>Null where one of them is no certificate.</summary>
    public CertificateChain? Read(ImmutableArray<byte[]> encoded)
    {
        var certificates = ImmutableArray.CreateBuilder<Certificate>(encoded.Length);
        foreach (byte[] der in encoded)
        {
            if (!TryRead(der, out var certificate))
            {
                return null;
            }
            certificates.Add(certificate);
        }
        return new CertificateChain(certificates.ToImmutable());
    }

    public bool TryRead(byte[] der, [NotNullWhen(true)] out Certificate? certificate)
    {
        string name = Convert.ToHexStringLower(SHA256.HashData(der));
        if (!_read.TryGetValue(name, out certificate))
        {
            _read[name] = certificate = Certificate.TryParse(der, out var parsed) ? parsed : null;
        }
        return certificate is not null;
    }

    /// <summary>As <see cref="Certificate.IsSignedBy"/>.</summary>
    public bool IsSigned(Certificate subject, Certificate issuer)
    {
        if (!_signed.TryGetValue((subject, issuer), out bool signed))
        {
            _signed[(subject, issuer)] = signed = subject.IsSignedBy(issuer);
        }
        return signed;
    }
}
