using System.Formats.Asn1;
using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Attestation;

/// <summary>A SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) with an RSA, P-256 or P-384 key.</summary>
public sealed class PublicKey
{
    private readonly RsaPublicKey? _rsa;
    private readonly EcdsaPublicKey? _ecdsa;
    private readonly EcdsaCurve _curve;

    private PublicKey(ReadOnlyMemory<byte> encoded, byte[] bits, RsaPublicKey? rsa, EcdsaPublicKey? ecdsa, EcdsaCurve curve)
    {
        (Bits, _rsa, _ecdsa, _curve) = (bits, rsa, ecdsa, curve);
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(encoded.Span));
    }

    /// <summary>SHA-256 of the DER encoding, in lower-case hex: what pins a root.</summary>
    public string Fingerprint { get; }

    /// <summary>The subjectPublicKey without tag, length and unused bits: what RFC 6960 hashes into a certificate's identity.</summary>
    internal byte[] Bits { get; }

    /// <summary>The ECDSA key on P-384, or null where it is another kind of key.</summary>
    internal EcdsaPublicKey? P384 => _curve is EcdsaCurve.P384 ? _ecdsa : null;

    /// <summary>The ECDSA key on P-256, or null where it is another kind of key.</summary>
    internal EcdsaPublicKey? P256 => _curve is EcdsaCurve.P256 ? _ecdsa : null;

    internal bool Verify(SignatureAlgorithm algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => (algorithm, _curve) switch
    {
        (SignatureAlgorithm.RsaPssSha384, _)               => _rsa?.VerifyPss(message, HashAlgorithmName.SHA384, signature) ?? false,
        (SignatureAlgorithm.RsaPkcs1Sha256, _)             => _rsa?.VerifyPkcs1(message, HashAlgorithmName.SHA256, signature) ?? false,
        (SignatureAlgorithm.RsaPkcs1Sha384, _)             => _rsa?.VerifyPkcs1(message, HashAlgorithmName.SHA384, signature) ?? false,
        (SignatureAlgorithm.EcdsaSha256, EcdsaCurve.P256)  => _ecdsa?.Verify(message, HashAlgorithmName.SHA256, signature, EcdsaSignatureFormat.Der) ?? false,
        (SignatureAlgorithm.EcdsaSha384, EcdsaCurve.P384)  => _ecdsa?.Verify(message, HashAlgorithmName.SHA384, signature, EcdsaSignatureFormat.Der) ?? false,
        _                                                  => false,
    };

    internal static PublicKey Read(ReadOnlyMemory<byte> encoded)
    {
        var spki = new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence();
        var algorithm = spki.ReadSequence();
        byte[] bits = Certificate.ReadBits(spki);
        spki.ThrowIfNotEmpty();

        switch (algorithm.ReadObjectIdentifier())
        {
            case Algorithms.RsaEncryption:
                algorithm.ReadNull();
                algorithm.ThrowIfNotEmpty();
                var outer = new AsnReader(bits, AsnEncodingRules.DER);
                var rsa = outer.ReadSequence();
                outer.ThrowIfNotEmpty();
                var modulus = rsa.ReadIntegerBytes().Span.TrimStart((byte)0);
                var exponent = rsa.ReadIntegerBytes().Span.TrimStart((byte)0);
                rsa.ThrowIfNotEmpty();
                Certificate.Require(RsaPublicKey.TryImport(modulus, exponent, out var rsaKey), "RSA key");
                return new PublicKey(encoded, bits, rsaKey, null, default);

            case Algorithms.EcPublicKey:
                string name = algorithm.ReadObjectIdentifier();
                algorithm.ThrowIfNotEmpty();
                Certificate.Require(name is Algorithms.P256 or Algorithms.P384, "curve");
                var curve = name is Algorithms.P256 ? EcdsaCurve.P256 : EcdsaCurve.P384;
                Certificate.Require(EcdsaPublicKey.TryImport(curve, bits, out var ecdsaKey), "EC key");
                return new PublicKey(encoded, bits, null, ecdsaKey, curve);

            default:
                throw new AsnContentException("key algorithm");
        }
    }
}

internal static class Algorithms
{
    public const string RsaEncryption = "1.2.840.113549.1.1.1";
    public const string EcPublicKey = "1.2.840.10045.2.1";
    public const string P256 = "1.2.840.10045.3.1.7";
    public const string P384 = "1.3.132.0.34";

    private const string RsaPss = "1.2.840.113549.1.1.10";
    private const string Mgf1 = "1.2.840.113549.1.1.8";
    private const string Sha384 = "2.16.840.1.101.3.4.2.2";
    private const string Sha256WithRsa = "1.2.840.113549.1.1.11";
    private const string Sha384WithRsa = "1.2.840.113549.1.1.12";
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";
    private const string EcdsaWithSha384 = "1.2.840.10045.4.3.3";

    public static SignatureAlgorithm ReadSignature(AsnReader algorithm)
    {
        string oid = algorithm.ReadObjectIdentifier();
        switch (oid)
        {
            case RsaPss:
                RequireSha384Parameters(algorithm.ReadSequence());
                algorithm.ThrowIfNotEmpty();
                return SignatureAlgorithm.RsaPssSha384;
            case Sha256WithRsa or Sha384WithRsa: // RFC 4055, section 5: the parameters are NULL
                algorithm.ReadNull();
                algorithm.ThrowIfNotEmpty();
                return oid is Sha256WithRsa ? SignatureAlgorithm.RsaPkcs1Sha256 : SignatureAlgorithm.RsaPkcs1Sha384;
            case EcdsaWithSha256 or EcdsaWithSha384:
                algorithm.ThrowIfNotEmpty();
                return oid is EcdsaWithSha256 ? SignatureAlgorithm.EcdsaSha256 : SignatureAlgorithm.EcdsaSha384;
            default:
                throw new AsnContentException("signature algorithm");
        }
    }

    // RFC 4055, section 3.1. Other parameters would be other algorithms: a weaker hash or a shorter salt, chosen by whoever made the file.
    private static void RequireSha384Parameters(AsnReader parameters)
    {
        RequireHash(Tagged(parameters, 0).ReadSequence());
        var mask = Tagged(parameters, 1).ReadSequence();
        Certificate.Require(mask.ReadObjectIdentifier() == Mgf1, "mask generation");
        RequireHash(mask.ReadSequence());
        Certificate.Require(Tagged(parameters, 2).TryReadInt32(out int salt) && salt == 48, "salt length");
        if (parameters.HasData)
        {
            // The default value, which DER omits; AMD's certificates carry it.
            Certificate.Require(Tagged(parameters, 3).TryReadInt32(out int trailer) && trailer == 1, "trailer field");
        }
        parameters.ThrowIfNotEmpty();
    }

    private static void RequireHash(AsnReader hash)
    {
        Certificate.Require(hash.ReadObjectIdentifier() == Sha384, "hash");
        if (hash.HasData)
        {
            hash.ReadNull();
        }
        hash.ThrowIfNotEmpty();
    }

    private static AsnReader Tagged(AsnReader reader, int tag) => reader.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, tag));
}
