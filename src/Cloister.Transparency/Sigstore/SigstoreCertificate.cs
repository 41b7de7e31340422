using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Cloister.Transparency;

/// <summary>An X.509 v3 certificate (RFC 5280) of Fulcio's or of a timestamp authority, read strictly: DER, no trailing bytes, no repeated extension.</summary>
/// <remarks>It is read, not trusted. A key or algorithm that is not known makes no certificate unreadable: it verifies nothing.</remarks>
internal sealed class SigstoreCertificate
{
    /// <summary>In bytes. A leaf under a 4,096-bit root has some 2.6 KiB.</summary>
    public const int MaxSize = 16 * 1024;

    private const int MaxExtensions = 64;
    private const string BasicConstraints = "2.5.29.19";
    private const string KeyUsage = "2.5.29.15";
    private const string ExtendedKeyUsage = "2.5.29.37";
    private const string AnyPurpose = "2.5.29.37.0";
    private const int DigitalSignature = 0x80, CertificateSigning = 0x04;

    private static readonly FrozenSet<string> Understood = [BasicConstraints, KeyUsage, ExtendedKeyUsage, SubjectAlternativeName];

    private readonly byte[] _tbs;
    private readonly byte[] _signature;
    private readonly SignatureScheme? _scheme;
    private readonly FrozenDictionary<string, Extension> _extensions;

    private SigstoreCertificate(byte[] encoded, byte[] tbs, SignatureScheme? scheme, byte[] signature, Fields fields)
    {
        (Encoded, _tbs, _scheme, _signature, _extensions) = (encoded, tbs, scheme, signature, fields.Extensions);
        (Serial, Issuer, Subject, NotBefore, NotAfter, EncodedKey) = (fields.Serial, fields.Issuer, fields.Subject, fields.NotBefore, fields.NotAfter, fields.EncodedKey);
        Key = SigstoreKey.TryRead(EncodedKey, out var key) ? key : null;
    }

    public const string SubjectAlternativeName = "2.5.29.17";

    private sealed record Extension(bool Critical, byte[] Value);

    private sealed record Fields(
        byte[] Serial, byte[] Issuer, byte[] Subject, DateTimeOffset NotBefore, DateTimeOffset NotAfter, byte[] EncodedKey, FrozenDictionary<string, Extension> Extensions);

    public byte[] Encoded { get; }
    public byte[] Serial { get; }
    public byte[] Issuer { get; }
    public byte[] Subject { get; }
    public DateTimeOffset NotBefore { get; }
    public DateTimeOffset NotAfter { get; }

    /// <summary>The SubjectPublicKeyInfo.</summary>
    public byte[] EncodedKey { get; }

    /// <summary>Null where it is of another kind than those that are known.</summary>
    public SigstoreKey? Key { get; }

    public bool IsSelfIssued => Issuer.AsSpan().SequenceEqual(Subject);

    public bool IsValidAt(DateTimeOffset time) => NotBefore <= time && time <= NotAfter;

    public bool IsSignedBy(SigstoreCertificate issuer) =>
        Issuer.AsSpan().SequenceEqual(issuer.Subject) && issuer.Key is { } key && _scheme?.Verify(key, _tbs, _signature) is true;

    public bool TryGetExtension(string oid, [NotNullWhen(true)] out byte[]? value)
    {
        value = _extensions.TryGetValue(oid, out var extension) ? extension.Value : null;
        return value is not null;
    }

    /// <summary>Whether a critical extension is there that nothing here looks at: whoever made it wanted it heeded (section 4.2).</summary>
    public bool HasUnknownCriticalExtension => _extensions.Any(one => one.Value.Critical && !Understood.Contains(one.Key));

    /// <summary>Whether it may stand above so many other authorities of a path (sections 4.2.1.3 and 4.2.1.9).</summary>
    public bool IsAuthorityOver(int authorities) => !HasUnknownCriticalExtension && Allows(CertificateSigning) && ReadConstraints() is { } limit && authorities <= limit;

    public bool IsAuthority => ReadConstraints() is not null;

    /// <summary>Whether it is no authority, may sign, and is for this purpose (section 4.2.1.12).</summary>
    public bool IsFor(string purpose, bool critical) =>
        !HasUnknownCriticalExtension && !IsAuthority && Allows(DigitalSignature)
        && _extensions.TryGetValue(ExtendedKeyUsage, out var usage) && (usage.Critical || !critical) && ReadPurposes(usage.Value) is { } purposes
        && purposes.Contains(purpose) && (!critical || purposes.Count == 1);

    /// <summary>Whether an authority may stand above certificates for this purpose: it says nothing of purposes, or names it.</summary>
    public bool MayIssueFor(string purpose) =>
        !_extensions.TryGetValue(ExtendedKeyUsage, out var usage) || (ReadPurposes(usage.Value) is { } purposes && (purposes.Contains(purpose) || purposes.Contains(AnyPurpose)));

    public static bool TryParse(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out SigstoreCertificate? certificate)
    {
        certificate = null;
        if (der.Length > MaxSize)
        {
            return false;
        }
        try
        {
            certificate = Parse(der.ToArray());
            return true;
        }
        catch (Exception e) when (e is AsnContentException or FormatException or OverflowException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>The signed part without one extension: what a CT log signed of a certificate that was not made yet (RFC 6962, section 3.2).</summary>
    public byte[] SignedPartWithout(string oid)
    {
        var tbs = new AsnReader(_tbs, AsnEncodingRules.DER).ReadSequence();
        var extensionsTag = new Asn1Tag(TagClass.ContextSpecific, 3);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            while (tbs.HasData)
            {
                if (tbs.PeekTag().HasSameClassAndValue(extensionsTag))
                {
                    var list = tbs.ReadSequence(extensionsTag).ReadSequence();
                    using (writer.PushSequence(extensionsTag))
                    using (writer.PushSequence())
                    {
                        while (list.HasData)
                        {
                            var extension = list.ReadEncodedValue();
                            if (new AsnReader(extension, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier() != oid)
                            {
                                writer.WriteEncodedValue(extension.Span);
                            }
                        }
                    }
                }
                else
                {
                    writer.WriteEncodedValue(tbs.ReadEncodedValue().Span);
                }
            }
        }
        return writer.Encode();
    }

    // RFC 5280, section 4.1.
    private static SigstoreCertificate Parse(byte[] der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var certificate = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        byte[] signed = certificate.PeekEncodedValue().ToArray();
        var tbs = certificate.ReadSequence();
        byte[] algorithm = certificate.ReadEncodedValue().ToArray();
        byte[] signature = ReadBits(certificate);
        certificate.ThrowIfNotEmpty();

        var version = tbs.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        Require(version.TryReadInt32(out int number) && number == 2);
        version.ThrowIfNotEmpty();
        byte[] serial = tbs.ReadIntegerBytes().ToArray();
        Require(tbs.ReadEncodedValue().Span.SequenceEqual(algorithm));
        byte[] issuer = ReadName(tbs);
        var validity = tbs.ReadSequence();
        var (notBefore, notAfter) = (ReadTime(validity), ReadTime(validity));
        validity.ThrowIfNotEmpty();
        byte[] subject = ReadName(tbs);
        byte[] key = tbs.PeekEncodedValue().ToArray();
        tbs.ReadSequence();
        var extensions = ReadExtensions(tbs);
        tbs.ThrowIfNotEmpty();
        return new(der, signed, SignatureScheme.Read(algorithm), signature, new(serial, issuer, subject, notBefore, notAfter, key, extensions));
    }

    private static FrozenDictionary<string, Extension> ReadExtensions(AsnReader tbs)
    {
        var extensions = new Dictionary<string, Extension>(StringComparer.Ordinal);
        if (tbs.HasData)
        {
            var tagged = tbs.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3));
            var list = tagged.ReadSequence();
            tagged.ThrowIfNotEmpty();
            while (list.HasData)
            {
                var extension = list.ReadSequence();
                string oid = extension.ReadObjectIdentifier();
                bool critical = extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean();
                byte[] value = extension.ReadOctetString();
                extension.ThrowIfNotEmpty();
                Require(extensions.Count < MaxExtensions && extensions.TryAdd(oid, new(critical, value)));
            }
        }
        return extensions.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private bool Allows(int use)
    {
        if (!_extensions.TryGetValue(KeyUsage, out var usage))
        {
            return true;
        }
        return Read(usage.Value, reader => reader.ReadBitString(out _)) is { Length: > 0 } bits && (bits[0] & use) != 0;
    }

    // Null where it is no authority; the number of authorities that may stand under it.
    private int? ReadConstraints()
    {
        if (!_extensions.TryGetValue(BasicConstraints, out var extension))
        {
            return null;
        }
        int limit = -1;
        _ = Read(extension.Value, reader =>
        {
            var constraints = reader.ReadSequence();
            bool authority = constraints.HasData && constraints.PeekTag() == Asn1Tag.Boolean && constraints.ReadBoolean();
            int under = int.MaxValue;
            Require(!constraints.HasData || (constraints.TryReadInt32(out under) && under >= 0));
            constraints.ThrowIfNotEmpty();
            limit = authority ? under : -1;
            return Array.Empty<byte>();
        });
        return limit < 0 ? null : limit;
    }

    private static HashSet<string>? ReadPurposes(byte[] value)
    {
        var purposes = new HashSet<string>(StringComparer.Ordinal);
        return Read(value, reader =>
        {
            var list = reader.ReadSequence();
            while (list.HasData)
            {
                purposes.Add(list.ReadObjectIdentifier());
            }
            return Array.Empty<byte>();
        }) is null ? null : purposes;
    }

    private static byte[]? Read(byte[] value, Func<AsnReader, byte[]> read)
    {
        try
        {
            var reader = new AsnReader(value, AsnEncodingRules.DER);
            byte[] result = read(reader);
            reader.ThrowIfNotEmpty();
            return result;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static byte[] ReadName(AsnReader reader)
    {
        byte[] name = reader.PeekEncodedValue().ToArray();
        reader.ReadSequence();
        return name;
    }

    private static byte[] ReadBits(AsnReader reader)
    {
        byte[] bits = reader.ReadBitString(out int unused);
        Require(unused == 0);
        return bits;
    }

    private static DateTimeOffset ReadTime(AsnReader reader) => reader.PeekTag() == Asn1Tag.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw new AsnContentException();
        }
    }
}
