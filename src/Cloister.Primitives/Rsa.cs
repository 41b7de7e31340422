using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using BigInteger = Org.BouncyCastle.Math.BigInteger;

namespace Cloister.Primitives;

/// <summary>An RSA public key of 2,048 to 4,096 bits (RFC 8017). It verifies; nothing here signs.</summary>
/// <remarks>The hash is SHA-256, SHA-384 or SHA-512.</remarks>
public sealed class RsaPublicKey : IDisposable
{
    private const int MinBytes = 2048 / 8;
    private const int MaxBytes = 4096 / 8;
    private const int MaxExponentBytes = 4;

    private readonly RSAParameters _numbers;
    private readonly RSA? _native;
    private readonly ManagedRsa? _managed;

    private RsaPublicKey(RSAParameters numbers, RSA? native, ManagedRsa? managed) => (_numbers, _native, _managed) = (numbers, native, managed);

    private int Size => _numbers.Modulus!.Length;

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
            var numbers = new RSAParameters { Modulus = modulus.ToArray(), Exponent = exponent.ToArray() };
            key = backend.IsManaged() ? new(numbers, null, new ManagedRsa(modulus, exponent)) : new(numbers, RSA.Create(numbers), null);
            return true;
        }
        catch (CryptographicException)
        {
            return false; // a platform may have bounds of its own
        }
    }

    /// <summary>RSASSA-PSS (section 8.1.2): MGF1 with the same hash, salt as long as the hash.</summary>
    public bool VerifyPss(ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature)
    {
        RequireSha2(hash);
        return signature.Length == Size && (AnswerTo(SignatureScheme.RsaPss, message, hash, signature)
            ?? _managed?.VerifyPss(message, hash, signature) ?? _native!.VerifyData(message, signature, hash, RSASignaturePadding.Pss));
    }

    /// <summary>RSASSA-PKCS1-v1_5 (section 8.2.2).</summary>
    public bool VerifyPkcs1(ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature)
    {
        RequireSha2(hash);
        return signature.Length == Size && (AnswerTo(SignatureScheme.RsaPkcs1, message, hash, signature)
            ?? VerifyPkcs1Hash(CryptographicOperations.HashData(hash, message), hash, signature));
    }

    /// <summary>The same where only the message's hash is at hand. It says as much as the caller knows of what was hashed.</summary>
    /// <param name="digest">As long as <paramref name="hash"/> makes it; of another length it is signed by nobody.</param>
    public bool VerifyPkcs1Hash(ReadOnlySpan<byte> digest, HashAlgorithmName hash, ReadOnlySpan<byte> signature)
    {
        RequireSha2(hash);
        return signature.Length == Size && digest.Length == (hash.Name is "SHA256" ? 32 : hash.Name is "SHA384" ? 48 : 64)
            && (_managed is null ? _native!.VerifyHash(digest, signature, hash, RSASignaturePadding.Pkcs1) : _managed.VerifyPkcs1(digest, hash, signature));
    }

    public void Dispose() => _native?.Dispose();

    private bool? AnswerTo(SignatureScheme scheme, ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature) =>
        SignatureRun.AnswerTo(scheme, hash, _numbers.Modulus, _numbers.Exponent, message, signature);

    private static void RequireSha2(HashAlgorithmName hash)
    {
        if (hash.Name is not ("SHA256" or "SHA384" or "SHA512"))
        {
            throw new ArgumentOutOfRangeException(nameof(hash), hash.Name, "SHA-256, SHA-384 or SHA-512.");
        }
    }

    /// <summary>
    /// RFC 8017 as written, over BouncyCastle's integers. Its own RSA would test at every import that the modulus is composite,
    /// 150 ms of native time for 4,096 bits, and would let a PKCS #1 encoding without the NULL of its algorithm pass.
    /// </summary>
    private sealed class ManagedRsa(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        private readonly int _size = modulus.Length;
        private readonly BigInteger _modulus = new(1, modulus);
        private readonly BigInteger _exponent = new(1, exponent);

        // Section 9.2: encode the message again and compare.
        public bool VerifyPkcs1(ReadOnlySpan<byte> digest, HashAlgorithmName hash, ReadOnlySpan<byte> signature)
        {
            byte[] digestInfo = [.. DigestInfoPrefix(hash), .. digest];
            byte[] expected = [0, 1, .. Enumerable.Repeat((byte)0xff, _size - digestInfo.Length - 3), 0, .. digestInfo];
            return TryRecover(signature, out byte[] encoded) && encoded.AsSpan().SequenceEqual(expected);
        }

        // Section 9.1.2: masked (zeros ‖ 01 ‖ salt) ‖ H ‖ bc, where H = Hash(eight zeros ‖ Hash(message) ‖ salt).
        public bool VerifyPss(ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature)
        {
            byte[] digest = CryptographicOperations.HashData(hash, message);
            if (!TryRecover(signature, out byte[] encoded) || encoded[^1] != 0xbc || (encoded[0] & 0x80) != 0)
            {
                return false;
            }

            var block = encoded.AsSpan(0, _size - digest.Length - 1);
            var seal = encoded.AsSpan(block.Length, digest.Length);
            Unmask(block, seal, hash);
            block[0] &= 0x7f;

            int zeros = block.Length - 1 - digest.Length;
            return !block[..zeros].ContainsAnyExcept((byte)0)
                && block[zeros] == 1
                && CryptographicOperations.HashData(hash, [.. new byte[8], .. digest, .. block[(zeros + 1)..]]).AsSpan().SequenceEqual(seal);
        }

        // Section 5.2.2, and 4.1: as many bytes as the modulus has.
        private bool TryRecover(ReadOnlySpan<byte> signature, out byte[] encoded)
        {
            var number = new BigInteger(1, signature);
            encoded = new byte[_size];
            if (number.CompareTo(_modulus) >= 0)
            {
                return false;
            }
            byte[] recovered = number.ModPow(_exponent, _modulus).ToByteArrayUnsigned();
            recovered.CopyTo(encoded, _size - recovered.Length);
            return true;
        }

        // MGF1, appendix B.2.1.
        private static void Unmask(Span<byte> block, ReadOnlySpan<byte> seed, HashAlgorithmName hash)
        {
            byte[] input = [.. seed, 0, 0, 0, 0];
            for (int counter = 0; !block.IsEmpty; counter++)
            {
                BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(seed.Length), counter);
                byte[] mask = CryptographicOperations.HashData(hash, input);
                int length = Math.Min(mask.Length, block.Length);
                for (int i = 0; i < length; i++)
                {
                    block[i] ^= mask[i];
                }
                block = block[length..];
            }
        }

        // Section 9.2, note 1: the DER of DigestInfo up to the hash itself.
        private static ReadOnlySpan<byte> DigestInfoPrefix(HashAlgorithmName hash) => hash.Name switch
        {
            "SHA256" => [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20],
            "SHA384" => [0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30],
            _        => [0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40],
        };
    }
}
