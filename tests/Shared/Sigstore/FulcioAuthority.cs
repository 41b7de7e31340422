using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.Testing;

/// <summary>What a leaf says. Null is an extension that is not there.</summary>
internal sealed record LeafParts
{
    public string? Subject { get; init; } = SigstoreAuthority.Identity;
    public string? Issuer { get; init; } = SigstoreAuthority.Issuer;
    public string? OldIssuer { get; init; } = SigstoreAuthority.Issuer;
    public string? OldRepository { get; init; } = SigstoreAuthority.Repository;
    public string? SourceRepository { get; init; } = $"https://github.com/{SigstoreAuthority.Repository}";
    public string? OldRef { get; init; } = SigstoreAuthority.Ref;
    public string? Ref { get; init; } = SigstoreAuthority.Ref;
    public string? BuildSigner { get; init; } = SigstoreAuthority.Identity;
    public string Purpose { get; init; } = "1.3.6.1.5.5.7.3.3";
    public bool Authority { get; init; }
    public bool CriticalStranger { get; init; }

    /// <summary>The certificate logs, by their number, that promise to show it.</summary>
    public int[] Logs { get; init; } = [0];

    /// <summary>What a promise carries besides.</summary>
    public byte[] TimestampExtensions { get; init; } = [];
}

/// <summary>A root, an intermediate that makes leaves, and two certificate logs.</summary>
internal sealed class FulcioAuthority : IDisposable
{
    private const string Arc = "1.3.6.1.4.1.57264.1.";

    private readonly ECDsa _root = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly ECDsa _intermediate = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly X500DistinguishedName _rootName = new("O=example,CN=root"), _intermediateName = new("O=example,CN=intermediate");

    public FulcioAuthority(DateTimeOffset now)
    {
        Root = Authority(_rootName, _root, _rootName, _root, now, 1);
        Intermediate = Authority(_intermediateName, _intermediate, _rootName, _root, now, 2);
    }

    public byte[] Root { get; }

    public byte[] Intermediate { get; }

    public ECDsa[] Logs { get; } = [SigstoreAuthority.P256(), SigstoreAuthority.P256()];

    public static byte[] LogId(ECDsa log) => SHA256.HashData(log.ExportSubjectPublicKeyInfo());

    /// <summary>A leaf for this key that is valid for ten minutes.</summary>
    public byte[] Leaf(ECDsa key, DateTimeOffset from, LeafParts parts)
    {
        byte[] certificate = Make(key, from, parts, null);
        if (parts.Logs.Length == 0)
        {
            return certificate;
        }
        // A log signs what is signed of the certificate, but for the promises.
        byte[] tbs = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();
        byte[] list = [.. parts.Logs.SelectMany(log => Prefixed(Promise(Logs[log], tbs, from, parts.TimestampExtensions)))];
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(Prefixed(list));
        return Make(key, from, parts, writer.Encode());
    }

    private byte[] Promise(ECDsa log, byte[] tbs, DateTimeOffset time, byte[] extensions)
    {
        byte[] millis = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(millis, time.ToUnixTimeMilliseconds());
        byte[] signed = [0, 0, .. millis, 0, 1, .. SHA256.HashData(_intermediate.ExportSubjectPublicKeyInfo()), (byte)(tbs.Length >> 16), (byte)(tbs.Length >> 8 & 255), (byte)(tbs.Length & 255), .. tbs, .. Prefixed(extensions)];
        return [0, .. LogId(log), .. millis, .. Prefixed(extensions), 4, 3, .. Prefixed(log.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))];
    }

    private byte[] Make(ECDsa key, DateTimeOffset from, LeafParts parts, byte[]? promises)
    {
        var request = new CertificateRequest(new X500DistinguishedName([0x30, 0]), key, HashAlgorithmName.SHA384);
        Add("2.5.29.15", critical: true, Der(writer => writer.WriteBitString(parts.Authority ? [0x04] : [0x80], parts.Authority ? 2 : 7)));
        Add("2.5.29.37", critical: false, Der(writer => { using (writer.PushSequence()) { writer.WriteObjectIdentifier(parts.Purpose); } }));
        if (parts.Authority)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        }
        if (parts.Subject is not null)
        {
            Add("2.5.29.17", critical: true, Der(writer => { using (writer.PushSequence()) { writer.WriteCharacterString(UniversalTagNumber.IA5String, parts.Subject, new Asn1Tag(TagClass.ContextSpecific, 6)); } }));
        }
        if (parts.CriticalStranger)
        {
            Add("1.2.3.4", critical: true, [5, 0]);
        }
        (int Number, string? Text, bool Old)[] says =
        [
            (1, parts.OldIssuer, true), (5, parts.OldRepository, true), (6, parts.OldRef, true), (8, parts.Issuer, false),
            (9, parts.BuildSigner, false), (12, parts.SourceRepository, false), (14, parts.Ref, false),
        ];
        foreach (var (number, text, old) in says.Where(one => one.Text is not null))
        {
            Add($"{Arc}{number}", critical: false, old ? Encoding.UTF8.GetBytes(text!) : Der(writer => writer.WriteCharacterString(UniversalTagNumber.UTF8String, text!)));
        }
        if (promises is not null)
        {
            Add("1.3.6.1.4.1.11129.2.4.2", critical: false, promises);
        }
        return request.Create(_intermediateName, X509SignatureGenerator.CreateForECDsa(_intermediate), from, from + TimeSpan.FromMinutes(10), [1, 2, 3]).RawData;

        void Add(string oid, bool critical, byte[] value) => request.CertificateExtensions.Add(new X509Extension(oid, value, critical));
    }

    internal static byte[] Authority(X500DistinguishedName name, ECDsa key, X500DistinguishedName issuer, ECDsa issuerKey, DateTimeOffset now, byte serial)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.Create(issuer, X509SignatureGenerator.CreateForECDsa(issuerKey), now - TimeSpan.FromDays(400), now + TimeSpan.FromDays(400), [serial]).RawData;
    }

    private static byte[] Prefixed(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)(bytes.Length & 255), .. bytes];

    internal static byte[] Der(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
        Array.ForEach(Logs, log => log.Dispose());
    }
}
