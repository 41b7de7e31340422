using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Testing;

/// <summary>A timestamp authority (RFC 3161): a root and a signer.</summary>
internal sealed class StampAuthority : IDisposable
{
    private const string TimestampInfo = "1.2.840.113549.1.9.16.1.4", Sha256 = "2.16.840.1.101.3.4.2.1";

    private static readonly Asn1Tag Tag0 = new(TagClass.ContextSpecific, 0);

    private readonly ECDsa _root = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly ECDsa _signer = SigstoreAuthority.P256();
    private readonly X500DistinguishedName _rootName = new("O=example,CN=stamps root");

    public StampAuthority(DateTimeOffset now)
    {
        Root = FulcioAuthority.Authority(_rootName, _root, _rootName, _root, now, 5);
        Signer = Certify(now, "1.3.6.1.5.5.7.3.8", critical: true);
    }

    public byte[] Root { get; }

    public byte[] Signer { get; }

    /// <summary>Another certificate for the signer's key, with the same serial number.</summary>
    public byte[] Certify(DateTimeOffset now, string purpose, bool critical)
    {
        var request = new CertificateRequest(new X500DistinguishedName("O=example,CN=stamps"), _signer, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509Extension("2.5.29.37", FulcioAuthority.Der(writer => { using (writer.PushSequence()) { writer.WriteObjectIdentifier(purpose); } }), critical));
        return request.Create(_rootName, X509SignatureGenerator.CreateForECDsa(_root), now - TimeSpan.FromDays(300), now + TimeSpan.FromDays(300), [6]).RawData;
    }

    /// <param name="spoilInfo">Changes the signed content after its hash was taken.</param>
    public byte[] Stamp(byte[] message, DateTimeOffset time, bool withCertificate = true, int status = 0, Action<byte[]>? spoilInfo = null, string contentType = TimestampInfo, byte[]? named = null, int version = 1, byte[]? extension = null)
    {
        byte[] info = FulcioAuthority.Der(writer =>
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(version);
                writer.WriteObjectIdentifier("1.2.3");
                using (writer.PushSequence())
                {
                    Algorithm(writer, Sha256);
                    writer.WriteOctetString(SHA256.HashData(message));
                }
                writer.WriteInteger(1);
                writer.WriteGeneralizedTime(time, omitFractionalSeconds: true);
                writer.WriteInteger(99);
                if (extension is not null)
                {
                    writer.WriteEncodedValue(extension);
                }
            }
        });
        byte[] attributes = FulcioAuthority.Der(writer =>
        {
            using (writer.PushSetOf())
            {
                Attribute(writer, "1.2.840.113549.1.9.3", () => writer.WriteObjectIdentifier(contentType));
                Attribute(writer, "1.2.840.113549.1.9.4", () => writer.WriteOctetString(SHA256.HashData(info)));
                Attribute(writer, "1.2.840.113549.1.9.16.2.47", () =>
                {
                    using (writer.PushSequence())
                    using (writer.PushSequence())
                    using (writer.PushSequence())
                    {
                        writer.WriteOctetString(SHA256.HashData(named ?? Signer));
                    }
                });
            }
        });
        byte[] signature = _signer.SignData(attributes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        attributes[0] = 0xa0;
        spoilInfo?.Invoke(info);

        return FulcioAuthority.Der(writer =>
        {
            using (writer.PushSequence())
            {
                using (writer.PushSequence())
                {
                    writer.WriteInteger(status);
                }
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.2.840.113549.1.7.2");
                    using (writer.PushSequence(Tag0))
                    using (writer.PushSequence())
                    {
                        writer.WriteInteger(3);
                        using (writer.PushSetOf())
                        {
                            Algorithm(writer, Sha256);
                        }
                        using (writer.PushSequence())
                        {
                            writer.WriteObjectIdentifier(TimestampInfo);
                            using (writer.PushSequence(Tag0))
                            {
                                writer.WriteOctetString(info);
                            }
                        }
                        if (withCertificate)
                        {
                            using (writer.PushSetOf(Tag0))
                            {
                                writer.WriteEncodedValue(Signer);
                            }
                        }
                        using (writer.PushSetOf())
                        using (writer.PushSequence())
                        {
                            writer.WriteInteger(1);
                            using (writer.PushSequence())
                            {
                                writer.WriteEncodedValue(_rootName.RawData);
                                writer.WriteInteger(6);
                            }
                            Algorithm(writer, Sha256);
                            writer.WriteEncodedValue(attributes);
                            Algorithm(writer, "1.2.840.10045.4.3.2");
                            writer.WriteOctetString(signature);
                        }
                    }
                }
            }
        });
    }

    private static void Algorithm(AsnWriter writer, string oid)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
        }
    }

    private static void Attribute(AsnWriter writer, string oid, Action value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            using (writer.PushSetOf())
            {
                value();
            }
        }
    }

    public void Dispose()
    {
        _root.Dispose();
        _signer.Dispose();
    }
}
