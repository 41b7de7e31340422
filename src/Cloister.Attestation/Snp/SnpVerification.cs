using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Attestation;

/// <summary>Each check of <see cref="SnpVerification"/>, in the order in which they are made.</summary>
public enum SnpCheck
{
    /// <summary>1,184 bytes.</summary>
    Length,
    Version,

    /// <summary>The signature's algorithm, and zeros where the table wants them.</summary>
    Form,
    RootTrust,
    IntermediateTrust,

    /// <summary>The chip's certificate is one, of the report's product, signed by the intermediate.</summary>
    Chain,

    /// <summary>All three certificates are valid now.</summary>
    Validity,
    HardwareId,
    EndorsedTcb,
    Signature,
    MinimumTcb,
    Debug,
    MigrationAgent,
    SingleSocket,
    PolicyReserved,
    PlatformInfo,

    /// <summary>The chip's own key signed (VCEK), the chip's name is not masked, reserved bits are zero.</summary>
    SignerInfo,
    Measurement,
    HostData,
    ReportData,
    IdKeyDigest,
    AuthorKeyDigest,
}

/// <summary>An SEV-SNP report and the certificate of its chip, verified by themselves (docs/spec/appraisal.md, section 4). A pure function.</summary>
public static class SnpVerification
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    /// <summary>Makes every check that can be made; one that fails does not stop those that do not stand on it.</summary>
    /// <param name="report">From the adversary.</param>
    /// <param name="chip">The VCEK in DER, from the adversary.</param>
    /// <returns>What failed, in the order of <see cref="SnpCheck"/>; empty where the report is accepted. Nothing is thrown.</returns>
    public static ImmutableArray<SnpCheck> Verify(ReadOnlySpan<byte> report, ReadOnlyMemory<byte> chip, SnpReportPolicy policy, DateTimeOffset now)
    {
        var failed = ImmutableArray.CreateBuilder<SnpCheck>();
        if (FormFault(report, out var read) is { } malformed)
        {
            return [malformed];
        }

        var certificate = JudgeChain(failed, read, chip, policy, now);
        if (certificate is not null)
        {
            JudgeEndorsement(failed, read, certificate);
        }
        JudgeFirmware(failed, read, certificate, policy);
        if (policy.SpecificationDefaults)
        {
            JudgeBits(failed, read);
        }
        JudgeValues(failed, read, policy);
        return failed.ToImmutable();
    }

    /// <summary>The report's product: what its processor says, and for version 2, which does not say, what the certificate's issuer tells.</summary>
    public static SnpProduct ProductOf(SnpReport report, Certificate? chip) => report.Product is not SnpProduct.Unknown ? report.Product
        : chip is null ? SnpProduct.Unknown
        : SnpAuthority.Amd.FirstOrDefault(authority => authority.Value.Intermediate.Subject.SequenceEqual(chip.Content.Issuer)) is { Value: not null } known ? known.Key
        : SnpEndorsement.Read(chip, SigningKey.Vlek)?.Product ?? SnpProduct.Unknown;

    private static SnpCheck? FormFault(ReadOnlySpan<byte> source, out SnpReport report)
    {
        if (SnpReport.TryParse(source, out report, out _))
        {
            return null;
        }
        if (source.Length < SnpReport.Size)
        {
            return SnpCheck.Length;
        }
        uint version = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(source);
        return version is < SnpReport.MinVersion or > SnpReport.MaxVersion ? SnpCheck.Version : SnpCheck.Form;
    }

    private static Certificate? JudgeChain(ImmutableArray<SnpCheck>.Builder failed, SnpReport report, ReadOnlyMemory<byte> der, SnpReportPolicy policy, DateTimeOffset now)
    {
        bool read = Certificate.TryParse(der, out var chip);
        var product = ProductOf(report, chip);
        SnpAuthority.Amd.TryGetValue(product, out var pinned);
        var (root, intermediate) = (policy.Root ?? pinned?.Root, policy.Intermediate ?? pinned?.Intermediate);
        if (!read || root is null || intermediate is null)
        {
            failed.Add(SnpCheck.Chain);
            return chip;
        }

        // Whose fault it is that the two do not belong together: of the one that is not pinned.
        bool belong = intermediate.IsSignedBy(root);
        Require(failed, SnpCheck.RootTrust, root.IsSignedBy(root) && (belong || policy.Intermediate is not null));
        Require(failed, SnpCheck.IntermediateTrust, policy.Intermediate is null || (belong && (policy.Root is not null || intermediate.Key.Fingerprint == pinned!.Intermediate.Key.Fingerprint)));

        // Sealed with the wrong product's name it would be read by the wrong product's table.
        var endorsed = SnpEndorsement.Read(chip!, SigningKey.Vcek);
        Require(failed, SnpCheck.Chain, chip!.IsSignedBy(intermediate) && endorsed is not null && endorsed.Product == product);
        Require(failed, SnpCheck.Validity, new[] { chip, intermediate, root }.All(one => one.NotBefore <= now + ClockSkew && now <= one.NotAfter));
        return chip;
    }

    private static void JudgeEndorsement(ImmutableArray<SnpCheck>.Builder failed, SnpReport report, Certificate chip)
    {
        if (SnpEndorsement.Read(chip, SigningKey.Vcek) is { } endorsed)
        {
            byte[] id = endorsed.HardwareId;
            Require(failed, SnpCheck.HardwareId, report.ChipId[..id.Length].SequenceEqual(id) && !report.ChipId[id.Length..].ContainsAnyExcept((byte)0));
            Require(failed, SnpCheck.EndorsedTcb, endorsed.Tcb == TcbVersion.Read(report.ReportedTcb, endorsed.Product));
        }
        Span<byte> signature = stackalloc byte[96];
        Require(failed, SnpCheck.Signature, report.TryGetSignature(signature) && chip.Key.P384 is { } key && key.Verify(report.Signed, HashAlgorithmName.SHA384, signature, EcdsaSignatureFormat.P1363));
    }

    private static void JudgeFirmware(ImmutableArray<SnpCheck>.Builder failed, SnpReport report, Certificate? chip, SnpReportPolicy policy) =>
        Require(failed, SnpCheck.MinimumTcb, TcbVersion.Read(report.ReportedTcb, ProductOf(report, chip)).IsAtLeast(policy.MinimumTcb));

    private static void JudgeBits(ImmutableArray<SnpCheck>.Builder failed, SnpReport report)
    {
        var guest = report.Policy;
        Require(failed, SnpCheck.Debug, !guest.DebugAllowed);
        Require(failed, SnpCheck.MigrationAgent, !guest.MigrationAgentAllowed);
        Require(failed, SnpCheck.SingleSocket, !guest.SingleSocketRequired);
        Require(failed, SnpCheck.PolicyReserved, guest.ReservedAsSpecified);
        Require(failed, SnpCheck.PlatformInfo, report.PlatformInfo.ReservedAsSpecified);
        Require(failed, SnpCheck.SignerInfo, report.Signer is { Key: SigningKey.Vcek, ChipKeyMasked: false, ReservedAsSpecified: true });
    }

    private static void JudgeValues(ImmutableArray<SnpCheck>.Builder failed, SnpReport report, SnpReportPolicy policy)
    {
        Require(failed, SnpCheck.Measurement, IsWanted(policy.Measurement, report.Measurement));
        Require(failed, SnpCheck.HostData, IsWanted(policy.HostData, report.HostData));
        Require(failed, SnpCheck.ReportData, IsWanted(policy.ReportData, report.ReportData));
        Require(failed, SnpCheck.IdKeyDigest, IsWanted(policy.IdKeyDigest, report.IdKeyDigest));
        Require(failed, SnpCheck.AuthorKeyDigest, IsWanted(policy.AuthorKeyDigest, report.AuthorKeyDigest));
    }

    private static bool IsWanted(byte[]? wanted, ReadOnlySpan<byte> found) => wanted is null || found.SequenceEqual(wanted);

    private static void Require(ImmutableArray<SnpCheck>.Builder failed, SnpCheck check, bool holds)
    {
        if (!holds)
        {
            failed.Add(check);
        }
    }
}
