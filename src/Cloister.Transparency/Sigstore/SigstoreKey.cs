using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>A public key that Sigstore's parties use: ECDSA on P-256 or P-384, RSA with PKCS #1 v1.5, Ed25519.</summary>
internal sealed class SigstoreKey
{
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";
    private const string Ed25519 = "1.3.101.112";
    private const int MaxPem = 16 * 1024;

    private readonly EcdsaPublicKey? _ecdsa;
    private readonly RsaPublicKey? _rsa;
    private readonly Ed25519PublicKey? _ed25519;

    private SigstoreKey(byte[] encoded, EcdsaPublicKey? ecdsa, RsaPublicKey? rsa, Ed25519PublicKey? ed25519, HashAlgorithmName hash) =>
        (Encoded, _ecdsa, _rsa, _ed25519, Hash) = (encoded, ecdsa, rsa, ed25519, hash);

    /// <summary>The SubjectPublicKeyInfo, or what stood in its place.</summary>
    public byte[] Encoded { get; }

    /// <summary>The hash that goes with the key where nothing else says which: as long as the curve is wide.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>Ed25519 signs the message itself: there is no verifying it from a hash.</summary>
    public bool SignsHashes => _ed25519 is null;

    public bool IsEcdsa => _ecdsa is not null;

    public bool IsRsa => _rsa is not null;

    /// <summary>The 32 bytes, where it is such a key.</summary>
    public ReadOnlySpan<byte> Ed25519Bytes => _ed25519 is null ? default : _ed25519.Bytes;

    /// <summary>ECDSA signatures are in DER. Ed25519 takes no notice of the hash.</summary>
    public bool Verify(HashAlgorithmName hash, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        _ed25519?.Verify(message, signature) ?? VerifyHash(hash, CryptographicOperations.HashData(hash, message), signature);

    /// <summary>False for Ed25519.</summary>
    public bool VerifyHash(HashAlgorithmName hash, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature) =>
        _ecdsa?.VerifyHash(digest, signature, EcdsaSignatureFormat.Der) ?? _rsa?.VerifyPkcs1Hash(digest, hash, signature) ?? false;

    /// <summary>Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), or a bare RSAPublicKey, which old trusted roots have.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out SigstoreKey? key)
    {
        try
        {
            var outer = new AsnReader(encoded, AsnEncodingRules.DER);
            var spki = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            key = spki.PeekTag() == Asn1Tag.Integer ? ReadRsa(encoded.ToArray(), encoded) : Read(encoded.ToArray(), spki);
        }
        catch (AsnContentException)
        {
            key = null;
        }
        return key is not null;
    }

    /// <summary>Reads a text with one key in PEM (RFC 7468) and nothing else.</summary>
    public static bool TryReadPem(ReadOnlySpan<byte> pem, [NotNullWhen(true)] out SigstoreKey? key)
    {
        key = null;
        return TryReadPem(pem, "PUBLIC KEY", out var der) && TryRead(der, out key);
    }

    /// <summary>The bytes of a PEM text with this label and nothing around it.</summary>
    internal static bool TryReadPem(ReadOnlySpan<byte> pem, string label, [NotNullWhen(true)] out byte[]? der)
    {
        der = null;
        string text = pem.Length > MaxPem ? "" : Encoding.Latin1.GetString(pem).Trim('\n', '\r', ' ');
        string begin = $"-----BEGIN {label}-----", end = $"-----END {label}-----";
        return text.Length > begin.Length + end.Length && text.StartsWith(begin, StringComparison.Ordinal) && text.EndsWith(end, StringComparison.Ordinal)
            && Base64.TryDecode(text[begin.Length..^end.Length].Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal), out der);
    }

    private static SigstoreKey? Read(byte[] encoded, AsnReader spki)
    {
        var algorithm = spki.ReadSequence();
        string name = algorithm.ReadObjectIdentifier();
        byte[] bits = spki.ReadBitString(out int unused);
        spki.ThrowIfNotEmpty();
        if (unused != 0)
        {
            return null;
        }
        switch (name)
        {
            case RsaEncryption:
                algorithm.ReadNull();
                algorithm.ThrowIfNotEmpty();
                return ReadRsa(encoded, bits);
            case EcPublicKey:
                string curve = algorithm.ReadObjectIdentifier();
                algorithm.ThrowIfNotEmpty();
                return curve is P256 or P384 && EcdsaPublicKey.TryImport(curve is P256 ? EcdsaCurve.P256 : EcdsaCurve.P384, bits, out var ecdsa)
                    ? new(encoded, ecdsa, null, null, curve is P256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384) : null;
            case Ed25519:
                algorithm.ThrowIfNotEmpty();
                return bits.Length == Ed25519PublicKey.Size ? new(encoded, null, null, new Ed25519PublicKey(bits), HashAlgorithmName.SHA512) : null;
            default:
                return null;
        }
    }

    // RFC 8017, appendix A.1.1.
    private static SigstoreKey? ReadRsa(byte[] encoded, ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var numbers = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var modulus = numbers.ReadIntegerBytes().Span.TrimStart((byte)0);
        var exponent = numbers.ReadIntegerBytes().Span.TrimStart((byte)0);
        numbers.ThrowIfNotEmpty();
        return RsaPublicKey.TryImport(modulus, exponent, out var rsa) ? new(encoded, null, rsa, null, HashAlgorithmName.SHA256) : null;
    }
}
