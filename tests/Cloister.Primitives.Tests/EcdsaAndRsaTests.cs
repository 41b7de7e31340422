using System.Numerics;
using System.Security.Cryptography;

namespace Cloister.Primitives.Tests;

public class EcdsaAndRsaTests
{
    private static readonly byte[] Message = "the same words"u8.ToArray();

    public static TheoryData<string, string, bool> Ecdsa
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (string curve in Enum.GetNames<EcdsaCurve>())
            {
                foreach (string hash in new[] { "SHA256", "SHA384", "SHA512" })
                {
                    data.Add(curve, hash, true);
                    data.Add(curve, hash, false);
                }
            }
            return data;
        }
    }

    // Also where the hash is longer or shorter than the curve's order.
    [Theory, MemberData(nameof(Ecdsa))]
    public void Ecdsa_of_the_platform_verifies_in_both_formats(string curveName, string hashName, bool native)
    {
        var (curve, hash) = (Enum.Parse<EcdsaCurve>(curveName), new HashAlgorithmName(hashName));
        using var signer = ECDsa.Create(curve is EcdsaCurve.P256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
        var q = signer.ExportParameters(false).Q;
        Assert.True(EcdsaPublicKey.TryImport(curve, [4, .. q.X!, .. q.Y!], native ? Backend.Native : Backend.Managed, out var key));

        byte[] der = signer.SignData(Message, hash, DSASignatureFormat.Rfc3279DerSequence), fixedSize = signer.SignData(Message, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        Assert.True(key.Verify(Message, hash, der, EcdsaSignatureFormat.Der));
        Assert.True(key.Verify(Message, hash, fixedSize, EcdsaSignatureFormat.P1363));

        byte[] digest = CryptographicOperations.HashData(hash, Message);
        Assert.True(key.VerifyHash(digest, der, EcdsaSignatureFormat.Der));
        Assert.False(key.VerifyHash(Message, der, EcdsaSignatureFormat.Der));
        digest[0] ^= 1;
        Assert.False(key.VerifyHash(digest, der, EcdsaSignatureFormat.Der));

        Assert.False(key.Verify(Message, hash, fixedSize, EcdsaSignatureFormat.Der));
        Assert.False(key.Verify(Message, hash, der, EcdsaSignatureFormat.P1363));
        Assert.False(key.Verify(Message, hash, [.. der, 0], EcdsaSignatureFormat.Der));
        Assert.False(key.Verify(Message, hash, [.. fixedSize, 0], EcdsaSignatureFormat.P1363));
        Assert.False(key.Verify(Message, hash, new byte[fixedSize.Length], EcdsaSignatureFormat.P1363));
        Assert.False(key.Verify(Message, hash, [], EcdsaSignatureFormat.Der));
        Assert.False(key.Verify([.. Message, 0], hash, der, EcdsaSignatureFormat.Der));
    }

    // The same point with p added to a coordinate, which the field does not see and the bytes have room for.
    [Theory]
    [InlineData("P256", "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")]
    [InlineData("P384", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff", "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef")]
    public void Ecdsa_refuses_a_coordinate_that_is_not_below_the_prime(string curveName, string prime, string constant)
    {
        var curve = Enum.Parse<EcdsaCurve>(curveName);
        var (p, b) = (new BigInteger(Convert.FromHexString(prime), true, true), new BigInteger(Convert.FromHexString(constant), true, true));
        var x = BigInteger.One;
        BigInteger y;
        for (; ; x++)
        {
            var square = (((x * x * x) - (3 * x) + b) % p + p) % p;
            y = BigInteger.ModPow(square, (p + 1) / 4, p);
            if (y * y % p == square)
            {
                break;
            }
        }
        byte[] Fixed(BigInteger number) => [.. new byte[prime.Length / 2 - number.GetByteCount(true)], .. number.ToByteArray(true, true)];
        foreach (var backend in Enum.GetValues<Backend>())
        {
            Assert.True(EcdsaPublicKey.TryImport(curve, [4, .. Fixed(x), .. Fixed(y)], backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(curve, [4, .. Fixed(x + p), .. Fixed(y)], backend, out _));
        }
    }

    [Fact]
    public void Ecdsa_refuses_what_is_not_an_uncompressed_point_of_the_curve()
    {
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = signer.ExportParameters(false).Q;
        byte[] point = [4, .. q.X!, .. q.Y!];
        foreach (var backend in Enum.GetValues<Backend>())
        {
            Assert.True(EcdsaPublicKey.TryImport(EcdsaCurve.P256, point, backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P384, point, backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, [2, .. q.X!], backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, [6, .. q.X!, .. q.Y!], backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, [.. point, 0], backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, [0], backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, [4, .. new byte[64]], backend, out _));
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, [4, .. Enumerable.Repeat((byte)0xff, 64)], backend, out _));
            point[^1] ^= 1;
            Assert.False(EcdsaPublicKey.TryImport(EcdsaCurve.P256, point, backend, out _));
            point[^1] ^= 1;
        }
    }

    [Theory]
    [InlineData("SHA256")]
    [InlineData("SHA384")]
    [InlineData("SHA512")]
    public void Rsa_of_the_platform_verifies_with_both_paddings(string hashName)
    {
        var hash = new HashAlgorithmName(hashName);
        using var signer = RSA.Create(2048);
        byte[] pss = signer.SignData(Message, hash, RSASignaturePadding.Pss), pkcs1 = signer.SignData(Message, hash, RSASignaturePadding.Pkcs1);
        foreach (var key in Keys(signer))
        {
            Assert.True(key.VerifyPss(Message, hash, pss));
            Assert.True(key.VerifyPkcs1(Message, hash, pkcs1));

            Assert.False(key.VerifyPss(Message, hash, pkcs1));
            Assert.False(key.VerifyPkcs1(Message, hash, pss));
            foreach (byte[] spoiled in new byte[][] { [], [.. pss, 0], pss[1..], new byte[256], [.. Enumerable.Repeat((byte)0xff, 256)] })
            {
                Assert.False(key.VerifyPss(Message, hash, spoiled));
                Assert.False(key.VerifyPkcs1(Message, hash, spoiled));
            }
            Assert.False(key.VerifyPss([.. Message, 0], hash, pss));
            Assert.False(key.VerifyPkcs1([.. Message, 0], hash, pkcs1));
            byte[] digest = CryptographicOperations.HashData(hash, Message);
            Assert.True(key.VerifyPkcs1Hash(digest, hash, pkcs1));
            Assert.False(key.VerifyPkcs1Hash(digest.AsSpan(1), hash, pkcs1));
            Assert.False(key.VerifyPkcs1Hash([.. digest, 0], hash, pkcs1));
            digest[0] ^= 1;
            Assert.False(key.VerifyPkcs1Hash(digest, hash, pkcs1));
        }
    }

    // Signatures that parse but are not the one encoding: no NULL, short padding with something behind, another first byte.
    [Fact]
    public void Rsa_refuses_every_other_encoding_of_pkcs1()
    {
        using var signer = RSA.Create(2048);
        byte[] digest = SHA256.HashData(Message);
        byte[] right = [.. Convert.FromHexString("3031300d060960864801650304020105000420"), .. digest], withoutNull = [.. Convert.FromHexString("302f300b0609608648016503040201" + "0420"), .. digest];
        foreach (var key in Keys(signer))
        {
            Assert.True(key.VerifyPkcs1(Message, HashAlgorithmName.SHA256, RawSign(signer, Padded(1, right))));
            Assert.False(key.VerifyPkcs1(Message, HashAlgorithmName.SHA256, RawSign(signer, Padded(1, withoutNull))));
            Assert.False(key.VerifyPkcs1(Message, HashAlgorithmName.SHA256, RawSign(signer, Padded(2, right))));
            Assert.False(key.VerifyPkcs1(Message, HashAlgorithmName.SHA256, RawSign(signer, [0, 1, .. Enumerable.Repeat((byte)0xff, 8), 0, .. right, .. new byte[256 - 11 - right.Length]])));
        }
    }

    [Fact]
    public void Rsa_refuses_keys_out_of_bounds()
    {
        byte[] modulus = new byte[256], exponent = [1, 0, 1];
        using (var signer = RSA.Create(2048))
        {
            modulus = signer.ExportParameters(false).Modulus!;
        }
        foreach (var backend in Enum.GetValues<Backend>())
        {
            Assert.True(RsaPublicKey.TryImport(modulus, exponent, backend, out _));
            Assert.False(RsaPublicKey.TryImport(modulus.AsSpan(1), exponent, backend, out _));
            Assert.False(RsaPublicKey.TryImport([0, .. modulus], exponent, backend, out _));
            Assert.False(RsaPublicKey.TryImport([.. modulus, .. new byte[256], 1], exponent, backend, out _));
            Assert.False(RsaPublicKey.TryImport([.. modulus[..^1], 2], exponent, backend, out _));
            Assert.False(RsaPublicKey.TryImport([], exponent, backend, out _));
            foreach (byte[] wrong in new byte[][] { [], [0], [1], [2], [0, 1, 0, 1], [1, 0, 0, 0, 1] })
            {
                Assert.False(RsaPublicKey.TryImport(modulus, wrong, backend, out _));
            }
        }
    }

    private static RsaPublicKey[] Keys(RSA signer) => [.. Enum.GetValues<Backend>().Select(backend =>
    {
        var parameters = signer.ExportParameters(false);
        Assert.True(RsaPublicKey.TryImport(parameters.Modulus, parameters.Exponent, backend, out var key));
        return key;
    })];

    private static byte[] Padded(byte type, byte[] digestInfo) => [0, type, .. Enumerable.Repeat((byte)0xff, 256 - 3 - digestInfo.Length), 0, .. digestInfo];

    private static byte[] RawSign(RSA signer, byte[] encoded)
    {
        var parameters = signer.ExportParameters(true);
        var number = BigInteger.ModPow(Number(encoded), Number(parameters.D!), Number(parameters.Modulus!));
        byte[] bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[256 - bytes.Length], .. bytes];

        static BigInteger Number(byte[] bigEndian) => new(bigEndian, isUnsigned: true, isBigEndian: true);
    }
}
