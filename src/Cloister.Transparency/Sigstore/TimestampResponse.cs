using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cloister.Transparency;

/// <summary>A timestamp authority's answer (RFC 3161, section 2.4.2): a signed statement that a hash was there at a time.</summary>
/// <remarks>DER throughout; only the order within sets is not looked at. One signer, with signed attributes.</remarks>
internal sealed class TimestampResponse
{
    /// <summary>In bytes. With its certificates an answer has some kilobytes.</summary>
    public const int MaxSize = 64 * 1024;

    private const string SignedData = "1.2.840.113549.1.7.2";
    private const string TimestampInfo = "1.2.840.113549.1.9.16.1.4";
    private const string ContentType = "1.2.840.113549.1.9.3";
    private const string MessageDigest = "1.2.840.113549.1.9.4";
    private const string SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";
    private const string TimeStamping = "1.3.6.1.5.5.7.3.8";
    private const int MaxCertificates = 8, MaxAttributes = 16;

    private static readonly Asn1Tag Tag0 = new(TagClass.ContextSpecific, 0);
    private static readonly Asn1Tag Tag1 = new(TagClass.ContextSpecific, 1);

    private readonly List<SigstoreCertificate> _certificates = [];
    private byte[] _content = [];
    private HashAlgorithmName? _imprintHash;
    private byte[] _imprint = [];
    private byte[] _signerIssuer = [];
    private byte[] _signerSerial = [];
    private HashAlgorithmName? _digestHash;
    private SignatureScheme? _scheme;
    private byte[] _attributes = [];
    private byte[] _signature = [];
    private byte[]? _signedDigest;
    private bool _isOfTimestamp;
    private byte[]? _certificateHash;
    private HashAlgorithmName? _certificateHashName;

    private TimestampResponse() { }

    /// <summary>When the authority says it was. It means nothing before <see cref="IsBy"/>.</summary>
    public DateTimeOffset Time { get; private set; }

    public static bool TryParse(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out TimestampResponse? response)
    {
        response = null;
        if (der.Length > MaxSize)
        {
            return false;
        }
        try
        {
            var read = new TimestampResponse();
            read.ReadResponse(new AsnReader(der, AsnEncodingRules.DER));
            response = read;
        }
        catch (Exception e) when (e is AsnContentException or FormatException or OverflowException or ArgumentException)
        {
            // Whatever it is, it is no timestamp.
        }
        return response is not null;
    }

    /// <summary>Whether it is of these bytes.</summary>
    public bool IsOf(ReadOnlySpan<byte> message) => _imprintHash is { } hash && CryptographicOperations.HashData(hash, message).AsSpan().SequenceEqual(_imprint);

    /// <summary>Whether this authority made it, with a certificate for timestamps alone that was valid then.</summary>
    public bool IsBy(TrustedAuthority authority)
    {
        // The trusted root names the signer, or it names only who is above; then the answer must bring the signer's certificate.
        var trusted = authority.Certificates.Where(one => !one.IsAuthority).ToList();
        var signers = trusted.Count > 0 ? trusted : _certificates;
        return authority.ValidFor.Contains(Time) && signers.Any(signer => IsNamed(signer) && IsSignedBy(signer)
            && signer.IsFor(TimeStamping, critical: true) && signer.IsValidAt(Time) && authority.FindIssuer(signer, TimeStamping, Time) is not null);
    }

    private bool IsNamed(SigstoreCertificate signer) => signer.Issuer.AsSpan().SequenceEqual(_signerIssuer) && signer.Serial.AsSpan().SequenceEqual(_signerSerial)
        && (_certificateHash is null || (_certificateHashName is { } hash && CryptographicOperations.HashData(hash, signer.Encoded).AsSpan().SequenceEqual(_certificateHash)));

    // RFC 5652, section 5.4: the signature is over the attributes as a SET, and one of them is the content's hash.
    private bool IsSignedBy(SigstoreCertificate signer) => _isOfTimestamp && signer.Key is { } key && _scheme is not null
        && _digestHash is { } hash && _signedDigest is { } digest && CryptographicOperations.HashData(hash, _content).AsSpan().SequenceEqual(digest)
        && _scheme.Verify(key, _attributes, _signature);

    private void ReadResponse(AsnReader outer)
    {
        var response = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var status = response.ReadSequence();
        Require(status.TryReadInt32(out int granted) && granted is 0 or 1); // granted, or granted with changes; what may follow is text for people
        var token = response.ReadSequence();
        response.ThrowIfNotEmpty();
        Require(token.ReadObjectIdentifier() == SignedData);
        var wrapped = token.ReadSequence(Tag0);
        token.ThrowIfNotEmpty();
        ReadSignedData(wrapped.ReadSequence());
        wrapped.ThrowIfNotEmpty();
    }

    // RFC 5652, section 5.1.
    private void ReadSignedData(AsnReader data)
    {
        Require(data.TryReadInt32(out int version) && version == 3);
        data.ReadSetOf(skipSortOrderValidation: true);
        var content = data.ReadSequence();
        Require(content.ReadObjectIdentifier() == TimestampInfo);
        var wrapped = content.ReadSequence(Tag0);
        content.ThrowIfNotEmpty();
        _content = wrapped.ReadOctetString();
        wrapped.ThrowIfNotEmpty();
        if (data.HasData && data.PeekTag().HasSameClassAndValue(Tag0))
        {
            var certificates = data.ReadSetOf(skipSortOrderValidation: true, Tag0);
            while (certificates.HasData)
            {
                Require(_certificates.Count < MaxCertificates && SigstoreCertificate.TryParse(certificates.ReadEncodedValue(), out var certificate) && Keep(certificate));
            }
        }
        if (data.HasData && data.PeekTag().HasSameClassAndValue(Tag1))
        {
            data.ReadSetOf(skipSortOrderValidation: true, Tag1); // revocation lists, which nothing here asks
        }
        var signers = data.ReadSetOf(skipSortOrderValidation: true);
        data.ThrowIfNotEmpty();
        ReadSigner(signers.ReadSequence());
        signers.ThrowIfNotEmpty();
        ReadInfo(_content);
    }

    private bool Keep(SigstoreCertificate certificate)
    {
        _certificates.Add(certificate);
        return true;
    }

    // Section 5.3.
    private void ReadSigner(AsnReader signer)
    {
        Require(signer.TryReadInt32(out int version) && version == 1);
        var named = signer.ReadSequence();
        _signerIssuer = named.ReadEncodedValue().ToArray();
        _signerSerial = named.ReadIntegerBytes().ToArray();
        named.ThrowIfNotEmpty();
        _digestHash = ReadHash(signer.ReadSequence());
        byte[] attributes = signer.PeekEncodedValue().ToArray();
        ReadAttributes(signer.ReadSetOf(skipSortOrderValidation: true, Tag0));
        attributes[0] = 0x31;
        _attributes = attributes;
        var algorithm = signer.ReadEncodedValue();
        _scheme = SignatureScheme.Read(algorithm, _digestHash ?? HashAlgorithmName.SHA256);
        _signature = signer.ReadOctetString();
        if (signer.HasData)
        {
            signer.ReadSetOf(skipSortOrderValidation: true, Tag1); // unsigned, and so nobody's word
        }
        signer.ThrowIfNotEmpty();
    }

    private void ReadAttributes(AsnReader attributes)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (attributes.HasData)
        {
            var attribute = attributes.ReadSequence();
            string name = attribute.ReadObjectIdentifier();
            var values = attribute.ReadSetOf(skipSortOrderValidation: true);
            attribute.ThrowIfNotEmpty();
            Require(seen.Count < MaxAttributes && seen.Add(name));
            switch (name)
            {
                case ContentType:
                    _isOfTimestamp = values.ReadObjectIdentifier() == TimestampInfo;
                    values.ThrowIfNotEmpty();
                    break;
                case MessageDigest:
                    _signedDigest = values.ReadOctetString();
                    values.ThrowIfNotEmpty();
                    break;
                case SigningCertificateV2:
                    ReadSigningCertificate(values.ReadSequence());
                    values.ThrowIfNotEmpty();
                    break;
            }
        }
    }

    // RFC 5816, section 2.2.1, and RFC 5035, section 3: the first names the signer.
    private void ReadSigningCertificate(AsnReader signing)
    {
        var first = signing.ReadSequence().ReadSequence();
        _certificateHashName = first.PeekTag() == Asn1Tag.Sequence ? ReadHash(first.ReadSequence()) : HashAlgorithmName.SHA256;
        _certificateHash = first.ReadOctetString();
    }

    // RFC 3161, section 2.4.2.
    private void ReadInfo(byte[] content)
    {
        var outer = new AsnReader(content, AsnEncodingRules.DER);
        var info = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        Require(info.TryReadInt32(out int version) && version == 1);
        info.ReadObjectIdentifier();
        var imprint = info.ReadSequence();
        _imprintHash = ReadHash(imprint.ReadSequence());
        _imprint = imprint.ReadOctetString();
        imprint.ThrowIfNotEmpty();
        info.ReadIntegerBytes();
        Time = info.ReadGeneralizedTime();

        // What may follow, each at most once and in this order: accuracy, ordering, nonce, the authority's name, extensions.
        Skip(info, Asn1Tag.Sequence);
        Skip(info, Asn1Tag.Boolean);
        Skip(info, Asn1Tag.Integer);
        Skip(info, Tag0);
        if (info.HasData && info.PeekTag().HasSameClassAndValue(Tag1))
        {
            ReadExtensions(info.ReadSequence(Tag1));
        }
        info.ThrowIfNotEmpty();
    }

    // None is known, so a critical one is one too many.
    private static void ReadExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            extension.ReadObjectIdentifier();
            Require(extension.PeekTag() != Asn1Tag.Boolean || !extension.ReadBoolean());
        }
    }

    private static void Skip(AsnReader reader, Asn1Tag tag)
    {
        if (reader.HasData && reader.PeekTag().HasSameClassAndValue(tag))
        {
            reader.ReadEncodedValue();
        }
    }

    // Null where it is another hash: then nothing is of it.
    private static HashAlgorithmName? ReadHash(AsnReader algorithm) => HashNames.Read(algorithm.ReadObjectIdentifier());

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw new AsnContentException();
        }
    }
}
