using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cloister.Attestation;

/// <summary>Zero is the failing value.</summary>
public enum OcspStatus : byte { Unknown, Good, Revoked }

/// <summary>An answer of an OCSP responder (RFC 6960, section 4.2): of a successful one the basic response, read strictly.</summary>
/// <remarks>It is read, not trusted. A nonce is passed over: the answers are stored, and their age says how fresh they are.</remarks>
public sealed class OcspResponse
{
    /// <summary>In bytes.</summary>
    public const int MaxSize = 16 * 1024;

    private const int MaxAnswers = 8;
    private const int MaxCertificates = 4;
    private const string Basic = "1.3.6.1.5.5.7.48.1.1";

    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly SignatureAlgorithm _algorithm;

    private OcspResponse(byte[] signed, SignatureAlgorithm algorithm, byte[] signature, DateTimeOffset producedAt, ImmutableArray<OcspAnswer> answers, ImmutableArray<byte[]> certificates)
    {
        (_signed, _algorithm, _signature) = (signed, algorithm, signature);
        (ProducedAt, Answers, Certificates) = (producedAt, answers, certificates);
    }

    public DateTimeOffset ProducedAt { get; }

    internal ImmutableArray<OcspAnswer> Answers { get; }

    /// <summary>In DER: the responder's, where it is not the issuer itself.</summary>
    internal ImmutableArray<byte[]> Certificates { get; }

    internal bool IsSignedBy(Certificate signer) => signer.Key.Verify(_algorithm, _signed, _signature);

    public static bool TryParse(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out OcspResponse? response)
    {
        response = null;
        if (der.Length > MaxSize)
        {
            return false;
        }
        try
        {
            response = Parse(der);
            return true;
        }
        catch (Exception e) when (e is AsnContentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    private static OcspResponse Parse(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var response = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        Certificate.Require(response.ReadEnumeratedBytes().Span is [0], "status");
        var tagged = response.ReadSequence(Tag(0));
        response.ThrowIfNotEmpty();
        var typed = tagged.ReadSequence();
        tagged.ThrowIfNotEmpty();
        Certificate.Require(typed.ReadObjectIdentifier() == Basic, "response type");
        byte[] encoded = typed.ReadOctetString();
        typed.ThrowIfNotEmpty();
        return ParseBasic(encoded);
    }

    private static OcspResponse ParseBasic(byte[] encoded)
    {
        var outer = new AsnReader(encoded, AsnEncodingRules.DER);
        var basic = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        byte[] signed = basic.PeekEncodedValue().ToArray();
        var data = basic.ReadSequence();
        var algorithm = Algorithms.ReadSignature(basic.ReadSequence());
        byte[] signature = Certificate.ReadBits(basic);
        var certificates = ReadCertificates(basic);
        basic.ThrowIfNotEmpty();

        // The version is absent: DER leaves the only one out.
        ReadResponder(data);
        var producedAt = data.ReadGeneralizedTime();
        var answers = ReadAnswers(data.ReadSequence());
        SkipExtensions(data, 1);
        data.ThrowIfNotEmpty();
        return new OcspResponse(signed, algorithm, signature, producedAt, answers, certificates);
    }

    // Who answered is found out by whose signature it is; the name only has to have its form.
    private static void ReadResponder(AsnReader data)
    {
        bool byName = data.PeekTag().HasSameClassAndValue(Tag(1));
        var responder = data.ReadSequence(Tag(byName ? 1 : 2));
        responder.ReadEncodedValue();
        responder.ThrowIfNotEmpty();
    }

    private static ImmutableArray<OcspAnswer> ReadAnswers(AsnReader list)
    {
        var answers = ImmutableArray.CreateBuilder<OcspAnswer>();
        while (list.HasData)
        {
            Certificate.Require(answers.Count < MaxAnswers, "responses");
            answers.Add(ReadAnswer(list.ReadSequence()));
        }
        return answers.ToImmutable();
    }

    private static OcspAnswer ReadAnswer(AsnReader single)
    {
        var id = single.ReadSequence();
        var algorithm = id.ReadSequence();
        var hash = algorithm.ReadObjectIdentifier() switch
        {
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            _                        => throw new AsnContentException("hash"),
        };
        if (algorithm.HasData)
        {
            algorithm.ReadNull();
            algorithm.ThrowIfNotEmpty();
        }
        byte[] name = id.ReadOctetString();
        byte[] key = id.ReadOctetString();
        byte[] serial = id.ReadIntegerBytes().ToArray();
        id.ThrowIfNotEmpty();

        var status = ReadStatus(single);
        var thisUpdate = single.ReadGeneralizedTime();
        DateTimeOffset? nextUpdate = null;
        if (single.HasData && single.PeekTag().HasSameClassAndValue(Tag(0)))
        {
            var tagged = single.ReadSequence(Tag(0));
            nextUpdate = tagged.ReadGeneralizedTime();
            tagged.ThrowIfNotEmpty();
        }
        SkipExtensions(single, 1);
        single.ThrowIfNotEmpty();
        return new OcspAnswer(hash, name, key, serial, status, thisUpdate, nextUpdate);
    }

    private static OcspStatus ReadStatus(AsnReader single)
    {
        var tag = single.PeekTag();
        Certificate.Require(tag.TagClass is TagClass.ContextSpecific && tag.TagValue <= 2, "status");
        switch (tag.TagValue)
        {
            case 0:
                single.ReadNull(new Asn1Tag(TagClass.ContextSpecific, 0));
                return OcspStatus.Good;
            case 1:
                single.ReadSequence(Tag(1)).ReadGeneralizedTime(); // and perhaps the reason: on hold is revoked
                return OcspStatus.Revoked;
            default:
                single.ReadNull(new Asn1Tag(TagClass.ContextSpecific, 2));
                return OcspStatus.Unknown;
        }
    }

    private static ImmutableArray<byte[]> ReadCertificates(AsnReader basic)
    {
        if (!basic.HasData)
        {
            return [];
        }
        var tagged = basic.ReadSequence(Tag(0));
        var list = tagged.ReadSequence();
        tagged.ThrowIfNotEmpty();
        var certificates = ImmutableArray.CreateBuilder<byte[]>();
        while (list.HasData)
        {
            Certificate.Require(certificates.Count < MaxCertificates, "certificates");
            certificates.Add(list.ReadEncodedValue().ToArray());
        }
        return certificates.ToImmutable();
    }

    private static void SkipExtensions(AsnReader reader, int tag)
    {
        if (reader.HasData)
        {
            var tagged = reader.ReadSequence(Tag(tag));
            Extension.SkipAll(tagged.ReadSequence());
            tagged.ThrowIfNotEmpty();
        }
    }

    private static Asn1Tag Tag(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);
}

/// <summary>What is said of one certificate, which is named by its issuer's hashes and its serial number.</summary>
internal sealed record OcspAnswer(HashAlgorithmName Hash, byte[] IssuerName, byte[] IssuerKey, byte[] Serial, OcspStatus Status, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate)
{
    public bool IsAbout(Certificate subject, Certificate issuer) =>
        subject.Serial.SequenceEqual(Serial)
        && CryptographicOperations.HashData(Hash, issuer.Subject).AsSpan().SequenceEqual(IssuerName)
        && CryptographicOperations.HashData(Hash, issuer.Key.Bits).AsSpan().SequenceEqual(IssuerKey);
}
