using System.Collections.Immutable;
using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>The answers about revocation of one verification (docs/spec/nvidia.md, section 7): each signature is verified once.</summary>
internal sealed class OcspJudgement
{
    /// <summary>Ours to choose: of more responses none is read.</summary>
    public const int MaxResponses = 128;

    private const string ExtendedKeyUsage = "2.5.29.37";
    private const string OcspSigning = "1.3.6.1.5.5.7.3.9";
    private const string NotAsked = "the policy does not ask about revocation here";

    private readonly ImmutableArray<OcspResponse> _responses;
    private readonly Dictionary<(OcspResponse, Certificate), bool> _genuine = [];
    private readonly CertificateShelf _shelf;
    private readonly NvidiaFindings _findings;
    private readonly DateTimeOffset _now;

    public OcspJudgement(ImmutableArray<ReadOnlyMemory<byte>> encoded, CertificateShelf shelf, NvidiaFindings findings, DateTimeOffset now)
    {
        (_shelf, _findings, _now) = (shelf, findings, now);
        var responses = ImmutableArray.CreateBuilder<OcspResponse>();
        if (!encoded.IsDefault && encoded.Length <= MaxResponses)
        {
            foreach (var der in encoded)
            {
                if (OcspResponse.TryParse(der, out var response))
                {
                    responses.Add(response);
                }
            }
        }
        _responses = responses.ToImmutable();
    }

    /// <summary>Asks about every certificate from <paramref name="first"/> up to the root, which nobody but itself could revoke.</summary>
    public void Judge(CertificateChain chain, int first, bool asked, TimeSpan maximumAge, (NvidiaCheck Known, NvidiaCheck Age, NvidiaCheck Status) names)
    {
        var (unknown, old, bad) = (0, 0, 0);
        for (int i = first; i < chain.Certificates.Length - 1; i++)
        {
            var (newest, revoked) = Find(chain.Certificates[i], chain.Certificates[i + 1]);
            unknown += newest is null ? 1 : 0;
            old += newest is not null && !IsCurrent(newest, maximumAge) ? 1 : 0;
            bad += revoked || newest is { Status: not OcspStatus.Good } ? 1 : 0;
        }

        if (asked)
        {
            _findings.That(names.Known, unknown == 0, "a genuine answer about each certificate", unknown == 0 ? "answered" : $"none about {unknown}");
            if (unknown == 0)
            {
                _findings.That(names.Age, old == 0, $"none older than {maximumAge.TotalHours:0} hours, none out of date", old == 0 ? "current" : $"{old} too old");
            }
        }
        else
        {
            _findings.Waive(names.Known, NotAsked);
            _findings.Waive(names.Age, NotAsked);
        }

        // An answer that nobody asked for is no less true.
        if (bad > 0 || (asked && unknown == 0))
        {
            _findings.That(names.Status, bad == 0, "none revoked", bad == 0 ? "none" : $"{bad} revoked or not known to their issuer");
        }
        else if (!asked)
        {
            _findings.Waive(names.Status, NotAsked);
        }
    }

    private (OcspAnswer? Newest, bool Revoked) Find(Certificate subject, Certificate issuer)
    {
        OcspAnswer? newest = null;
        bool revoked = false;
        foreach (var response in _responses)
        {
            foreach (var answer in response.Answers)
            {
                if (answer.IsAbout(subject, issuer) && IsGenuine(response, issuer))
                {
                    newest = newest is null || newest.ThisUpdate < answer.ThisUpdate ? answer : newest;
                    revoked |= answer.Status is OcspStatus.Revoked;
                }
            }
        }
        return (newest, revoked);
    }

    private bool IsCurrent(OcspAnswer answer, TimeSpan maximumAge) =>
        answer.ThisUpdate <= _now && _now - answer.ThisUpdate <= maximumAge && (answer.NextUpdate is not { } next || _now <= next);

    // RFC 6960, section 4.2.2.2: the issuer itself, or whom it has named for this directly.
    private bool IsGenuine(OcspResponse response, Certificate issuer)
    {
        if (!_genuine.TryGetValue((response, issuer), out bool genuine))
        {
            _genuine[(response, issuer)] = genuine = response.ProducedAt <= _now && response.IsSignedBy(Responder(response, issuer) ?? issuer);
        }
        return genuine;
    }

    private Certificate? Responder(OcspResponse response, Certificate issuer)
    {
        foreach (byte[] der in response.Certificates)
        {
            if (_shelf.TryRead(der, out var certificate) && IsForResponses(certificate) && CertificatePath.FindFault([certificate], usageDemanded: false, ExtendedKeyUsage) is null
                && certificate.NotBefore <= _now && _now <= certificate.NotAfter && _shelf.IsSigned(certificate, issuer))
            {
                return certificate;
            }
        }
        return null;
    }

    private static bool IsForResponses(Certificate certificate)
    {
        try
        {
            if (certificate.TryGetExtension(ExtendedKeyUsage, out var value))
            {
                var purposes = new AsnReader(value, AsnEncodingRules.DER).ReadSequence();
                while (purposes.HasData)
                {
                    if (purposes.ReadObjectIdentifier() == OcspSigning)
                    {
                        return true;
                    }
                }
            }
        }
        catch (AsnContentException)
        {
            // No list of purposes.
        }
        return false;
    }
}
