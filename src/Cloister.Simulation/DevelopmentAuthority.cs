using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Simulation;

/// <summary>A stand-in for a processor's maker and for one of its chips: ARK → ASK → VCEK with the real extensions, made on this machine.</summary>
/// <remarks>
/// What it signs has the real format and is protected by nothing. Only a policy of the development profile that names this
/// authority's root accepts it. The keys of the root and of the intermediate are forgotten as soon as the chip's certificate is made.
/// </remarks>
public sealed class DevelopmentAuthority : IDisposable
{
    private const string Arc = "1.3.6.1.4.1.3704.1.";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(10 * 365);

    private readonly ECDsa _chipKey;
    private readonly Saved _saved;

    private DevelopmentAuthority(Saved saved)
    {
        _saved = saved;
        _chipKey = ECDsa.Create();
        _chipKey.ImportPkcs8PrivateKey(Convert.FromBase64String(saved.ChipKey), out _);
        ChipId = Convert.FromHexString(saved.ChipId);
        (RootFingerprint, Expires) = Certificate.TryParse(Convert.FromBase64String(saved.Certificates[^1]), out var root)
            ? (root.Key.Fingerprint, root.NotAfter)
            : throw new CryptographicException("The development root is not readable.");
    }

    /// <summary>SHA-256 of the root's public key, lower-case hex: what a development policy pins.</summary>
    public string RootFingerprint { get; }

    /// <summary>When the root's certificate does.</summary>
    public DateTimeOffset Expires { get; }

    /// <summary>The simulated chip's identity, 64 bytes.</summary>
    public ReadOnlyMemory<byte> ChipId { get; }

    /// <summary>Makes a new root and a new chip. Takes some seconds: the root's keys are RSA of 4,096 bits, as the real ones are.</summary>
    /// <param name="now">The certificates are valid from a day before.</param>
    public static DevelopmentAuthority Create(DateTimeOffset now)
    {
        using var rootKey = RSA.Create(4096);
        return Create(now, rootKey);
    }

    /// <summary>The same under a root key that the caller keeps, for tests that sign with it.</summary>
    internal static DevelopmentAuthority Create(DateTimeOffset now, RSA rootKey)
    {
        var (notBefore, notAfter) = (now - TimeSpan.FromDays(1), now + Lifetime);
        byte[] chipId = RandomNumberGenerator.GetBytes(64);
        using var intermediateKey = RSA.Create(4096);
        using var chipKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        using var root = RequestFor("ARK-Development (simulated)", rootKey, authority: true).CreateSelfSigned(notBefore, notAfter);
        using var intermediate = RequestFor("SEV-Development (simulated)", intermediateKey, authority: true)
            .Create(root.SubjectName, X509SignatureGenerator.CreateForRSA(rootKey, RSASignaturePadding.Pss), notBefore, notAfter, [2]);
        var request = new CertificateRequest(NameOf("SEV-VCEK (simulated)"), chipKey, HashAlgorithmName.SHA384);
        foreach (var extension in ChipExtensions(chipId))
        {
            request.CertificateExtensions.Add(extension);
        }
        using var chip = request.Create(intermediate.SubjectName, X509SignatureGenerator.CreateForRSA(intermediateKey, RSASignaturePadding.Pss), notBefore, notAfter, [3]);

        return new DevelopmentAuthority(new Saved
        {
            Certificates = [.. new[] { chip, intermediate, root }.Select(certificate => Convert.ToBase64String(certificate.RawData))],
            RevocationList = Convert.ToBase64String(MakeRevocationList(root, rootKey, notBefore, notAfter, [])),
            ChipId = Convert.ToHexStringLower(chipId),
            ChipKey = Convert.ToBase64String(chipKey.ExportPkcs8PrivateKey()),
        });
    }

    /// <summary>What <see cref="Save"/> wrote.</summary>
    /// <exception cref="JsonException">The bytes are something else.</exception>
    public static DevelopmentAuthority Load(ReadOnlySpan<byte> saved) => new(JsonSerializer.Deserialize<Saved>(saved) ?? throw new JsonException());

    /// <summary>Certificates and the chip's private key, to be kept from other users of the machine.</summary>
    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(_saved);

    /// <summary>A signed report with its endorsements.</summary>
    public SnpEvidence Attest(SimulatedReport report) => new()
    {
        Report = Base64.Encode(Sign(report.ToBytes(ChipId.Span))),
        Certificates = [.. _saved.Certificates],
        RevocationList = _saved.RevocationList,
    };

    /// <summary>Fills in the signature of a report's bytes, as the chip would.</summary>
    public byte[] Sign(byte[] report)
    {
        byte[] signature = _chipKey.SignData(report.AsSpan(0, SnpReport.SignedSize), HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        for (int number = 0; number < 2; number++)
        {
            // AMD writes r and s as little-endian numbers of 72 bytes.
            var littleEndian = report.AsSpan(SnpReport.SignedSize + number * 72, 48);
            signature.AsSpan(number * 48, 48).CopyTo(littleEndian);
            littleEndian.Reverse();
        }
        return report;
    }

    public void Dispose() => _chipKey.Dispose();

    private static CertificateRequest RequestFor(string name, RSA key, bool authority)
    {
        var request = new CertificateRequest(NameOf(name), key, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request;
    }

    private static X500DistinguishedName NameOf(string name) => new($"CN={name}, O=Cloister Development");

    // AMD 57230, table 8.
    private static IEnumerable<X509Extension> ChipExtensions(byte[] chipId)
    {
        yield return new X509Extension(Arc + "1", Integer(0), false);
        var product = new AsnWriter(AsnEncodingRules.DER);
        product.WriteCharacterString(UniversalTagNumber.IA5String, "Genoa");
        yield return new X509Extension(Arc + "2", product.Encode(), false);

        var tcb = SimulatedReport.Tcb;
        (string, byte)[] parts = [("3.1", tcb.BootLoader), ("3.2", tcb.Tee), ("3.4", 0), ("3.5", 0), ("3.6", 0), ("3.7", 0), ("3.3", tcb.Snp), ("3.8", tcb.Microcode)];
        foreach (var (oid, value) in parts)
        {
            yield return new X509Extension(Arc + oid, Integer(value), false);
        }
        yield return new X509Extension(Arc + "4", chipId, false);
    }

    private static byte[] Integer(int value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteInteger(value);
        return writer.Encode();
    }

    internal static byte[] MakeRevocationList(X509Certificate2 root, RSA rootKey, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, X509Certificate2[] revoked)
    {
        var generator = X509SignatureGenerator.CreateForRSA(rootKey, RSASignaturePadding.Pss);
        byte[] algorithm = generator.GetSignatureAlgorithmIdentifier(HashAlgorithmName.SHA384);

        var list = new AsnWriter(AsnEncodingRules.DER);
        using (list.PushSequence())
        {
            list.WriteInteger(1);
            list.WriteEncodedValue(algorithm);
            list.WriteEncodedValue(root.SubjectName.RawData);
            WriteTime(list, thisUpdate);
            WriteTime(list, nextUpdate);
            if (revoked.Length > 0)
            {
                WriteRevoked(list, thisUpdate, revoked);
            }
        }
        byte[] signed = list.Encode();

        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue(signed);
            whole.WriteEncodedValue(algorithm);
            whole.WriteBitString(generator.SignData(signed, HashAlgorithmName.SHA384));
        }
        return whole.Encode();
    }

    private static void WriteRevoked(AsnWriter list, DateTimeOffset time, X509Certificate2[] revoked)
    {
        using (list.PushSequence())
        {
            foreach (var certificate in revoked)
            {
                using (list.PushSequence())
                {
                    list.WriteInteger(certificate.SerialNumberBytes.Span);
                    WriteTime(list, time);
                }
            }
        }
    }

    // RFC 5280, section 5.1.2.4: UTCTime through the year 2049.
    private static void WriteTime(AsnWriter writer, DateTimeOffset time)
    {
        if (time.Year < 2050)
        {
            writer.WriteUtcTime(time, 2049);
        }
        else
        {
            writer.WriteGeneralizedTime(time, omitFractionalSeconds: true);
        }
    }

    private sealed record Saved
    {
        public required string[] Certificates { get; init; }
        public required string RevocationList { get; init; }
        public required string ChipId { get; init; }
        public required string ChipKey { get; init; }
    }
}
