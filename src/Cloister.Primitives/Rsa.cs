using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using BigInteger = Org.BouncyCastle.Math.BigInteger;

namespace Cloister.Primitives;

/// <summary>An RSA public key of 2,048 to 4,096 bits (RFC 8017). It verifies; nothing here signs.</summary>
public sealed class RsaPublicKey : IDisposable
{
    private const int MinBytes = 2048 / 8;
    private const int MaxBytes = 4096 / 8;
    private const int MaxExponentBytes = 4;

    private readonly int _size;
    private readonly RSA? _native;
    private readonly RsaKeyParameters? _managed;

    private RsaPublicKey(int size, RSA? native, RsaKeyParameters? managed) => (_size, _native, _managed) = (size, native, managed);

    /// <summary>False where the modulus is even or not of 2,048 to 4,096 bits, or the exponent is even, 1, or over 32 bits.</summary>
    /// <param name="modulus">Big-endian, without leading zeros.</param>
    /// <param name="exponent">Big-endian, without leading zeros.</param>
    public static bool TryImport(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent, [NotNullWhen(true)] out RsaPublicKey? key) =>
        TryImport(modulus, exponent, Backends.Default, out key);

    internal static bool TryImport(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent, Backend backend, [NotNullWhen(true)] out RsaPublicKey? key)
    {
        key = null;
        bool allowed = modulus.Length is >= MinBytes and <= MaxBytes && (modulus[0] & 0x80) != 0 && (modulus[^1] & 1) == 1
            && exponent.Length is >= 1 and <= MaxExponentBytes && exponent[0] != 0 && (exponent[^1] & 1) == 1 && !(exponent is [1]);
        if (!allowed)
        {
            return false;
        }

        try
        {
            key = backend.IsManaged()
                ? new(modulus.Length, null, new RsaKeyParameters(false, new BigInteger(1, modulus), new BigInteger(1, exponent)))
                : new(modulus.Length, RSA.Create(new RSAParameters { Modulus = modulus.ToArray(), Exponent = exponent.ToArray() }), null);
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false; // a modulus with a small factor, say
        }
    }

    /// <summary>RSASSA-PSS (section 8.1.2): MGF1 with the same hash, salt as long as the hash.</summary>
    public bool VerifyPss(ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature) => signature.Length == _size && (_managed is null
        ? _native!.VerifyData(message, signature, hash, RSASignaturePadding.Pss)
        : VerifyManaged(new PssSigner(new RsaBlindedEngine(), DigestOf(hash), DigestOf(hash).GetDigestSize()), message, signature));

    /// <summary>RSASSA-PKCS1-v1_5 (section 8.2.2).</summary>
    public bool VerifyPkcs1(ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature) => signature.Length == _size && (_managed is null
        ? _native!.VerifyData(message, signature, hash, RSASignaturePadding.Pkcs1)
        : VerifyManaged(new RsaDigestSigner(DigestOf(hash)), message, signature));

    public void Dispose() => _native?.Dispose();

    private bool VerifyManaged(ISigner signer, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        signer.Init(false, _managed);
        signer.BlockUpdate(message);
        try
        {
            return signer.VerifySignature(signature.ToArray());
        }
        catch (CryptoException)
        {
            return false; // a signature that is no less than the modulus, or opens to something too short
        }
    }

    private static IDigest DigestOf(HashAlgorithmName hash) => hash.Name switch
    {
        "SHA256" => new Sha256Digest(),
        "SHA384" => new Sha384Digest(),
        "SHA512" => new Sha512Digest(),
        _        => throw new ArgumentOutOfRangeException(nameof(hash)),
    };
}
