using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace Cloister.Primitives;

/// <summary>An ML-DSA-44 public key (FIPS 204): signatures that quantum computers do not forge.</summary>
/// <remarks>Managed code does it everywhere: the platform's needs OpenSSL 3.5, and libsodium has none. One implementation, one answer.</remarks>
public sealed class MlDsa44PublicKey : IEquatable<MlDsa44PublicKey>
{
    /// <summary>In bytes.</summary>
    public const int Size = 1312;

    private readonly byte[] _bytes;
    private readonly MLDsaPublicKeyParameters _key;

    /// <summary>Takes any 1,312 bytes: every one of them is a key.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 1,312 bytes long.</exception>
    public MlDsa44PublicKey(ReadOnlySpan<byte> bytes)
    {
        Sizes.Require(bytes.Length, Size, nameof(bytes));
        _bytes = bytes.ToArray();
        _key = MLDsaPublicKeyParameters.FromEncoding(MLDsaParameters.ml_dsa_44, _bytes);
    }

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>FIPS 204, algorithm 3, with the empty context. False for a signature of any other length, key or message.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != MlDsa44PrivateKey.SignatureSize)
        {
            return false;
        }

        var verifier = new MLDsaSigner(MLDsaParameters.ml_dsa_44, deterministic: true);
        verifier.Init(false, _key);
        verifier.BlockUpdate(message);
        return verifier.VerifySignature(signature.ToArray());
    }

    public bool Equals(MlDsa44PublicKey? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as MlDsa44PublicKey);

    public override int GetHashCode() => BitConverter.ToInt32(_bytes);
}

/// <summary>An ML-DSA-44 private key, held as its seed. Wiped by <see cref="Dispose"/>; using it afterwards throws.</summary>
/// <remarks>The managed code expands the seed into arrays of its own, which cannot be wiped: sign where nobody else reads memory.</remarks>
public sealed class MlDsa44PrivateKey : IDisposable
{
    /// <summary>In bytes.</summary>
    public const int SeedSize = 32;

    /// <summary>In bytes.</summary>
    public const int SignatureSize = 2420;

    private readonly Secret _seed;

    private MlDsa44PrivateKey(Secret seed)
    {
        _seed = seed;
        PublicKey = new MlDsa44PublicKey(Expand().GetPublicKey().GetEncoded());
    }

    public MlDsa44PublicKey PublicKey { get; }

    public static MlDsa44PrivateKey Generate() => new(Secret.Random(SeedSize));

    /// <summary>FIPS 204, algorithm 6: the key pair that the seed ξ stands for.</summary>
    /// <exception cref="ArgumentException"><paramref name="seed"/> is not 32 bytes long.</exception>
    public static MlDsa44PrivateKey ImportSeed(ReadOnlySpan<byte> seed)
    {
        Sizes.Require(seed.Length, SeedSize, nameof(seed));
        return new(Secret.Of(seed));
    }

    /// <summary>FIPS 204, algorithm 2, its deterministic variant, with the empty context.</summary>
    /// <param name="signature">2,420 bytes.</param>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Sizes.Require(signature.Length, SignatureSize, nameof(signature));
        var signer = new MLDsaSigner(MLDsaParameters.ml_dsa_44, deterministic: true);
        signer.Init(true, Expand());
        signer.BlockUpdate(message);
        signer.GenerateSignature().CopyTo(signature);
    }

    public void Dispose() => _seed.Wipe();

    private MLDsaPrivateKeyParameters Expand() => MLDsaPrivateKeyParameters.FromSeed(MLDsaParameters.ml_dsa_44, _seed.Array);
}
