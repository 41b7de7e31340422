using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>How a certificate or revocation list is signed: the algorithms that the makers of processors and TPMs use, and no others.</summary>
public enum SignatureAlgorithm : byte { None, RsaPssSha384, EcdsaSha256, EcdsaSha384, RsaPkcs1Sha256, RsaPkcs1Sha384 }

/// <summary>An X.509 v3 certificate (RFC 5280), read strictly: DER, no trailing bytes, no repeated extension.</summary>
/// <remarks>
/// It is read, not trusted: nothing is verified until <see cref="IsSignedBy"/> is asked, and an extension that nobody knows, critical or not, is kept from nobody.
/// Whether certificates may stand above one another, and whether one demands something that nothing looks at, the verification of each platform
/// asks; path building and name constraints are not here, because chains come whole, with pinned ends.
/// </remarks>
public sealed class Certificate
{
    /// <summary>In bytes. AMD's and Intel's certificates are under 2 KiB.</summary>
    public const int MaxSize = 8 * 1024;

    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly SignatureAlgorithm _algorithm;

    private Certificate(byte[] signed, SignatureAlgorithm algorithm, byte[] signature, Fields fields) =>
        (_signed, _algorithm, _signature, Content) = (signed, algorithm, signature, fields);

    internal sealed record Fields(
        byte[] Serial, byte[] Issuer, byte[] Subject, DateTimeOffset NotBefore, DateTimeOffset NotAfter, PublicKey Key, Dictionary<string, Extension> Extensions);

    internal Fields Content { get; }

    /// <summary>The first moment at which it is valid.</summary>
    public DateTimeOffset NotBefore => Content.NotBefore;

    /// <summary>The last moment at which it is valid.</summary>
    public DateTimeOffset NotAfter => Content.NotAfter;

    /// <summary>The serial number's content octets.</summary>
    public ReadOnlySpan<byte> Serial => Content.Serial;

    /// <summary>The subject's name, in DER.</summary>
    public ReadOnlySpan<byte> Subject => Content.Subject;

    /// <summary>The subject's key.</summary>
    public PublicKey Key => Content.Key;

    /// <summary>The value of an extension, as it stands inside its OCTET STRING.</summary>
    public bool TryGetExtension(string oid, [NotNullWhen(true)] out byte[]? value)
    {
        value = Content.Extensions.GetValueOrDefault(oid)?.Value;
        return value is not null;
    }

    /// <summary>True where <paramref name="issuer"/>'s subject is this one's issuer and its key made this one's signature. Says nothing of time.</summary>
    public bool IsSignedBy(Certificate issuer) =>
        IsNamedBy(issuer) && issuer.Key.Verify(_algorithm, _signed, _signature);

    /// <summary>True where <paramref name="issuer"/>'s subject is this one's issuer. Proves nothing: see <see cref="IsSignedBy"/>.</summary>
    internal bool IsNamedBy(Certificate issuer) => Content.Issuer.AsSpan().SequenceEqual(issuer.Content.Subject);

    /// <summary>Reads one certificate and nothing behind it.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out Certificate? certificate)
    {
        certificate = null;
        if (der.Length > MaxSize)
        {
            return false;
        }
        try
        {
            certificate = Parse(der);
            return true;
        }
        catch (Exception e) when (e is AsnContentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    // RFC 5280, section 4.1.
    private static Certificate Parse(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var certificate = outer.ReadSequence();
        outer.ThrowIfNotEmpty();

        byte[] signed = certificate.PeekEncodedValue().ToArray();
        var tbs = certificate.ReadSequence();
        byte[] outerAlgorithm = certificate.PeekEncodedValue().ToArray();
        var algorithm = Algorithms.ReadSignature(certificate.ReadSequence());
        byte[] signature = ReadBits(certificate);
        certificate.ThrowIfNotEmpty();

        var version = tbs.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        Require(version.TryReadInt32(out int number) && number == 2, "version");
        byte[] serial = tbs.ReadIntegerBytes().ToArray();
        Require(tbs.ReadEncodedValue().Span.SequenceEqual(outerAlgorithm), "signature algorithm");
        byte[] issuer = tbs.ReadEncodedValue().ToArray();
        var validity = tbs.ReadSequence();
        var (notBefore, notAfter) = (ReadTime(validity), ReadTime(validity));
        validity.ThrowIfNotEmpty();
        byte[] subject = tbs.ReadEncodedValue().ToArray();
        var key = PublicKey.Read(tbs.ReadEncodedValue());
        var extensions = ReadExtensions(tbs);
        tbs.ThrowIfNotEmpty();

        return new Certificate(signed, algorithm, signature, new Fields(serial, issuer, subject, notBefore, notAfter, key, extensions));
    }

    private static Dictionary<string, Extension> ReadExtensions(AsnReader tbs)
    {
        if (!tbs.HasData)
        {
            return [];
        }
        var tagged = tbs.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3));
        var list = tagged.ReadSequence();
        tagged.ThrowIfNotEmpty();
        return Extension.ReadAll(list);
    }

    internal static byte[] ReadBits(AsnReader reader)
    {
        byte[] bits = reader.ReadBitString(out int unused);
        Require(unused == 0, "bit string");
        return bits;
    }

    internal static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag() == Asn1Tag.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    internal static void Require(bool holds, string field)
    {
        if (!holds)
        {
            throw new AsnContentException(field);
        }
    }
}
