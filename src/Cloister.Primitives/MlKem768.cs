using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Kems;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;

namespace Cloister.Primitives;

/// <summary>An ML-KEM-768 encapsulation key (FIPS 203) that passed the modulus check of section 7.2.</summary>
public sealed class MlKem768PublicKey
{
    /// <summary>In bytes.</summary>
    public const int Size = 1184;

    private const int CoefficientBytes = Size - 32;
    private const int Modulus = 3329;
    private const int SeedSize = 32;

    private readonly byte[] _bytes;
    private readonly Backend _backend;

    private MlKem768PublicKey(byte[] bytes, Backend backend) => (_bytes, _backend) = (bytes, backend);

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>False where the length is wrong or a coefficient is not reduced.</summary>
    public static bool TryImport(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MlKem768PublicKey? key) => TryImport(bytes, Backends.Default, out key);

    internal static bool TryImport(ReadOnlySpan<byte> bytes, Backend backend, [NotNullWhen(true)] out MlKem768PublicKey? key)
    {
        bool valid = bytes.Length == Size && IsReduced(bytes[..CoefficientBytes]);
        key = valid ? new(bytes.ToArray(), backend) : null;
        return valid;
    }

    internal static MlKem768PublicKey Own(byte[] bytes, Backend backend) => new(bytes, backend);

    /// <summary>FIPS 203, section 7.2, with fresh randomness.</summary>
    /// <param name="ciphertext">1,088 bytes, to be sent.</param>
    /// <param name="secret">32 bytes, uniform.</param>
    public void Encapsulate(Span<byte> ciphertext, Span<byte> secret)
    {
        Span<byte> seed = stackalloc byte[SeedSize];
        RandomNumberGenerator.Fill(seed);
        Encapsulate(seed, ciphertext, secret);
        CryptographicOperations.ZeroMemory(seed);
    }

    // Section 6.2, with given randomness: for test vectors, which fix it.
    internal unsafe void Encapsulate(ReadOnlySpan<byte> seed, Span<byte> ciphertext, Span<byte> secret)
    {
        Sizes.Require(seed.Length, SeedSize, nameof(seed));
        Sizes.Require(ciphertext.Length, MlKem768PrivateKey.CiphertextSize, nameof(ciphertext));
        Sizes.Require(secret.Length, MlKem768PrivateKey.SecretSize, nameof(secret));

        if (_backend.IsManaged())
        {
            var encapsulator = new MLKemEncapsulator(MLKemParameters.ml_kem_768);
            encapsulator.Init(new ParametersWithRandom(MLKemPublicKeyParameters.FromEncoding(MLKemParameters.ml_kem_768, _bytes), new FixedRandom(seed)));
            encapsulator.Encapsulate(ciphertext, secret);
            return;
        }

        Sodium.Initialise();
        fixed (byte* c = ciphertext, k = secret, pk = _bytes, m = seed)
        {
            if (Sodium.crypto_kem_mlkem768_enc_deterministic(c, k, pk, m) != 0)
            {
                throw new CryptographicException("Encapsulation failed.");
            }
        }
    }

    // Two 12-bit coefficients in three bytes, little-endian.
    private static bool IsReduced(ReadOnlySpan<byte> packed)
    {
        for (int i = 0; i < packed.Length; i += 3)
        {
            int first = packed[i] | (packed[i + 1] & 0x0f) << 8;
            int second = packed[i + 1] >> 4 | packed[i + 2] << 4;
            if (first >= Modulus || second >= Modulus)
            {
                return false;
            }
        }
        return true;
    }

    // Gives the managed encapsulator exactly the 32 bytes m that it asks for.
    private sealed class FixedRandom(ReadOnlySpan<byte> seed) : SecureRandom(null)
    {
        private readonly byte[] _seed = seed.ToArray();

        public override void NextBytes(byte[] buf) => _seed.CopyTo(buf, 0);

        public override void NextBytes(byte[] buf, int off, int len) => Array.Copy(_seed, 0, buf, off, len);

        public override void NextBytes(Span<byte> buffer) => _seed.CopyTo(buffer);
    }
}

/// <summary>An ML-KEM-768 decapsulation key. Wiped by <see cref="Dispose"/>; using it afterwards throws.</summary>
public sealed class MlKem768PrivateKey : IDisposable
{
    /// <summary>The seed d ‖ z, in bytes.</summary>
    public const int SeedSize = 64;

    /// <summary>In bytes.</summary>
    public const int CiphertextSize = 1088;

    /// <summary>In bytes.</summary>
    public const int SecretSize = 32;

    private const int ExpandedSize = 2400;

    private readonly Secret _key;
    private readonly Backend _backend;

    private MlKem768PrivateKey(Secret key, MlKem768PublicKey publicKey, Backend backend) =>
        (_key, PublicKey, _backend) = (key, publicKey, backend);

    public MlKem768PublicKey PublicKey { get; }

    public static MlKem768PrivateKey Generate() => Generate(Backends.Default);

    /// <summary>FIPS 203, section 6.1: the key pair of a seed d ‖ z.</summary>
    /// <exception cref="ArgumentException"><paramref name="seed"/> is not 64 bytes long.</exception>
    public static MlKem768PrivateKey ImportSeed(ReadOnlySpan<byte> seed) => ImportSeed(seed, Backends.Default);

    internal static MlKem768PrivateKey Generate(Backend backend)
    {
        Span<byte> seed = stackalloc byte[SeedSize];
        RandomNumberGenerator.Fill(seed);
        var key = ImportSeed(seed, backend);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }

    internal static unsafe MlKem768PrivateKey ImportSeed(ReadOnlySpan<byte> seed, Backend backend)
    {
        Sizes.Require(seed.Length, SeedSize, nameof(seed));
        if (backend.IsManaged())
        {
            var managed = MLKemPrivateKeyParameters.FromSeed(MLKemParameters.ml_kem_768, seed.ToArray());
            return new(Secret.Of(seed), MlKem768PublicKey.Own(managed.GetPublicKeyEncoded(), backend), backend);
        }

        Sodium.Initialise();
        var publicKey = new byte[MlKem768PublicKey.Size];
        var expanded = new Secret(ExpandedSize);
        fixed (byte* pk = publicKey, sk = expanded.Bytes, d = seed)
        {
            _ = Sodium.crypto_kem_mlkem768_seed_keypair(pk, sk, d);
        }
        return new(expanded, MlKem768PublicKey.Own(publicKey, backend), backend);
    }

    /// <summary>FIPS 203, section 7.3. A ciphertext made for another key gives an unrelated secret (implicit rejection), not an error.</summary>
    /// <param name="ciphertext">1,088 bytes.</param>
    /// <param name="secret">32 bytes.</param>
    public unsafe void Decapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> secret)
    {
        Sizes.Require(ciphertext.Length, CiphertextSize, nameof(ciphertext));
        Sizes.Require(secret.Length, SecretSize, nameof(secret));

        if (_backend.IsManaged())
        {
            var decapsulator = new MLKemDecapsulator(MLKemParameters.ml_kem_768);
            decapsulator.Init(MLKemPrivateKeyParameters.FromSeed(MLKemParameters.ml_kem_768, _key.Array));
            decapsulator.Decapsulate(ciphertext, secret);
            return;
        }

        fixed (byte* k = secret, c = ciphertext, sk = _key.Bytes)
        {
            _ = Sodium.crypto_kem_mlkem768_dec(k, c, sk);
        }
    }

    public void Dispose() => _key.Wipe();
}
