using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Cli.Collateral;

/// <summary>Questions to a responder, and as much of its answers as says when they expire (RFC 6960, section 4). Who signed an answer is for the clients to verify.</summary>
internal static class Ocsp
{
    // What NVIDIA's own verifier names certificates by.
    private const string Sha384 = "2.16.840.1.101.3.4.2.2";
    private const string BasicResponse = "1.3.6.1.5.5.7.48.1.1";

    /// <summary>Asks for one certificate, without a nonce: an answer that can be kept is the point.</summary>
    public static byte[] Request(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())           // OCSPRequest
        using (writer.PushSequence())           // TBSRequest
        using (writer.PushSequence())           // requestList
        using (writer.PushSequence())           // Request
        using (writer.PushSequence())           // CertID
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Sha384);
                writer.WriteNull();
            }
            writer.WriteOctetString(SHA384.HashData(issuer.SubjectName.RawData));
            writer.WriteOctetString(SHA384.HashData(issuer.PublicKey.EncodedKeyValue.RawData));
            writer.WriteInteger(certificate.SerialNumberBytes.Span);
        }
        return writer.Encode();
    }

    /// <summary>When a successful answer over one certificate expires; null where it is not one, or is about another certificate.</summary>
    /// <param name="request">What was asked.</param>
    public static DateTimeOffset? Expiry(byte[] response, byte[] request)
    {
        try
        {
            var outer = new AsnReader(response, AsnEncodingRules.DER);
            var answer = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            if (!answer.ReadEnumeratedBytes().Span.SequenceEqual((ReadOnlySpan<byte>)[0]))
            {
                return null;
            }
            var basic = answer.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
            if (basic.ReadObjectIdentifier() != BasicResponse)
            {
                return null;
            }
            var data = new AsnReader(basic.ReadOctetString(), AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (data.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                data.ReadEncodedValue();        // version
            }
            data.ReadEncodedValue();            // responderID
            data.ReadEncodedValue();            // producedAt
            var single = data.ReadSequence().ReadSequence();
            return single.ReadEncodedValue().Span.SequenceEqual(CertId(request)) ? NextUpdate(single) : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static DateTimeOffset NextUpdate(AsnReader single)
    {
        single.ReadEncodedValue();              // certStatus
        var thisUpdate = single.ReadGeneralizedTime();
        var next = new Asn1Tag(TagClass.ContextSpecific, 0);

        // Without a next one, newer information is always there (section 2.4): a day is ours to choose.
        return single.HasData && single.PeekTag().HasSameClassAndValue(next) ? single.ReadSequence(next).ReadGeneralizedTime() : thisUpdate + TimeSpan.FromDays(1);
    }

    private static ReadOnlySpan<byte> CertId(byte[] request) =>
        new AsnReader(request, AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadSequence().ReadSequence().ReadEncodedValue().Span;
}
