using Cloister.Transparency;
using static Cloister.Fuzz.Targets;

namespace Cloister.Fuzz;

/// <summary>What comes with a Sigstore bundle. Nothing that the search makes is signed, so nothing is accepted.</summary>
internal static class SigstoreTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Bundle(ReadOnlySpan<byte> input)
    {
        if (SigstoreBundle.TryParse(input.ToArray(), out var bundle))
        {
            var result = SigstoreVerification.Verify(bundle, SigstoreTrustedRoot.PublicGood, SigstoreArtifact.Of(input.ToArray()), new SigstorePolicy { Repository = "owner/name" }, Now);
            Require(!result.IsAccepted && result.FirstFailure is not null && result.Findings.Length == Enum.GetValues<SigstoreCheck>().Length);
        }
    }

    public static void TrustedRoot(ReadOnlySpan<byte> input)
    {
        if (SigstoreTrustedRoot.TryParse(input.ToArray(), out var root))
        {
            Require(root.Logs.All(log => log.Id.Length >= 4) && root.CertificateAuthorities.All(authority => !authority.Certificates.IsEmpty));
        }
    }

    public static void Timestamp(ReadOnlySpan<byte> input)
    {
        if (TimestampResponse.TryParse(input.ToArray(), out var response))
        {
            Require(!response.IsBy(SigstoreTrustedRoot.PublicGood.TimestampAuthorities[0]));
        }
    }

    public static void CertificateTimestamps(ReadOnlySpan<byte> input) => Require(!Transparency.CertificateTimestamps.TryParse(input.ToArray(), out var timestamps) || timestamps.All(one => one.LogId.Length == 32));

    public static void Certificate(ReadOnlySpan<byte> input)
    {
        if (SigstoreCertificate.TryParse(input.ToArray(), out var certificate))
        {
            _ = FulcioIdentity.Read(certificate);
            _ = certificate.IsFor("1.3.6.1.5.5.7.3.3", critical: false) || certificate.IsAuthorityOver(0);
            Require(certificate.SignedPartWithout(Transparency.CertificateTimestamps.Oid).Length < input.Length);
        }
    }

    public static void Statement(ReadOnlySpan<byte> input)
    {
        if (InTotoStatement.TryParse(input.ToArray(), out var statement))
        {
            Require(MeasurementPredicate.TryRead(statement, out var registers) || registers.IsEmpty);
        }
    }
}
