using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloister.Testing;

namespace Cloister.Primitives.Tests;

/// <summary>Every published case, through the native implementation and through the managed one.</summary>
public class WycheproofTests
{
    public static TheoryData<int> Backends => [(int)Backend.Native, (int)Backend.Managed];

    [Theory, MemberData(nameof(Backends))]
    public void X25519(int backend) => Wycheproof.Check("x25519.json",
        (_, test) =>
        {
            using var key = X25519PrivateKey.Import(test.Hex("private"), (Backend)backend);
            var secret = new byte[32];
            return key.TryAgree(test.Hex("public"), secret) && secret.AsSpan().SequenceEqual(test.Hex("shared"));
        },
        // "Acceptable" there means that protocols differ. Ours refuse what gives a secret known to anyone, and nothing else.
        wanted: test => !test.HasFlag("ZeroSharedSecret"));

    [Theory, MemberData(nameof(Backends))]
    public void ChaCha20Poly1305(int backend) => CheckAead("chacha20_poly1305.json", key => ChaCha20Poly1305Key.Import(key, (Backend)backend));

    [Theory, MemberData(nameof(Backends))]
    public void XChaCha20Poly1305(int backend) => CheckAead("xchacha20_poly1305.json", key => XChaCha20Poly1305Key.Import(key, (Backend)backend));

    [Theory, MemberData(nameof(Backends))]
    public void Aes256Gcm(int backend) => CheckAead("aes_gcm.json", key => Aes256GcmKey.Import(key, (Backend)backend));

    [Theory, MemberData(nameof(Backends))]
    public void XAes256Gcm(int backend)
    {
        using var document = JsonDocument.Parse(Repository.Vector("primitives/xaes_256_gcm.json"));
        int ran = 0;
        foreach (var vector in document.RootElement.GetProperty("vectors").EnumerateArray())
        {
            byte[] Ascii(string member) => Encoding.ASCII.GetBytes(vector.GetProperty(member).GetString()!);

            using var key = XAes256GcmKey.Import(vector.Hex("key"), (Backend)backend);
            byte[] plaintext = Ascii("plaintext"), expected = vector.Hex("ciphertext");
            var sealedBytes = new byte[plaintext.Length + AeadKey.TagSize];
            key.Seal(Ascii("nonce"), plaintext, Ascii("aad"), sealedBytes);
            Assert.Equal(expected, sealedBytes);
            ran++;
        }
        Assert.True(ran >= 2);
    }

    [Theory, MemberData(nameof(Backends))]
    public void Ed25519(int backend) => Wycheproof.Check("ed25519.json",
        (group, test) => new Ed25519PublicKey(group.GetProperty("publicKey").Hex("pk"), (Backend)backend).Verify(test.Hex("msg"), test.Hex("sig")));

    [Theory, MemberData(nameof(Backends))]
    public void EcdsaP256(int backend) => CheckEcdsa("ecdsa_secp256r1_sha256.json", EcdsaCurve.P256, HashAlgorithmName.SHA256, (Backend)backend);

    [Theory, MemberData(nameof(Backends))]
    public void EcdsaP384(int backend) => CheckEcdsa("ecdsa_secp384r1_sha384.json", EcdsaCurve.P384, HashAlgorithmName.SHA384, (Backend)backend);

    [Theory, MemberData(nameof(Backends))]
    public void RsaPss2048(int backend) => CheckRsaPss("rsa_pss_2048_sha384_mgf1_48.json", (Backend)backend);

    [Theory, MemberData(nameof(Backends))]
    public void RsaPss4096(int backend) => CheckRsaPss("rsa_pss_4096_sha384_mgf1_48.json", (Backend)backend);

    [Theory, MemberData(nameof(Backends))]
    public void MlKem768Decapsulation(int backend) => Wycheproof.Check("mlkem_768.json", (_, test) =>
    {
        byte[] seed = test.Hex("seed"), ciphertext = test.Hex("c");
        if (seed.Length != MlKem768PrivateKey.SeedSize || ciphertext.Length != MlKem768PrivateKey.CiphertextSize)
        {
            return false;
        }

        using var key = MlKem768PrivateKey.ImportSeed(seed, (Backend)backend);
        var secret = new byte[32];
        key.Decapsulate(ciphertext, secret);
        return key.PublicKey.Bytes.SequenceEqual(test.Hex("ek")) && secret.AsSpan().SequenceEqual(test.Hex("K"));
    });

    [Theory, MemberData(nameof(Backends))]
    public void MlKem768Encapsulation(int backend) => Wycheproof.Check("mlkem_768_encaps.json", (_, test) =>
    {
        if (!MlKem768PublicKey.TryImport(test.Hex("ek"), (Backend)backend, out var key))
        {
            return false;
        }

        byte[] ciphertext = new byte[MlKem768PrivateKey.CiphertextSize], secret = new byte[32];
        key.Encapsulate(test.Hex("m"), ciphertext, secret);
        return ciphertext.AsSpan().SequenceEqual(test.Hex("c")) && secret.AsSpan().SequenceEqual(test.Hex("K"));
    });

    // HKDF is the platform's own in both: this checks that it is the one of RFC 5869.
    [Fact]
    public void HkdfSha256() => Wycheproof.Check("hkdf_sha256.json", (_, test) =>
    {
        int size = test.GetProperty("size").GetInt32();
        return size <= 255 * 32
            && HKDF.DeriveKey(HashAlgorithmName.SHA256, test.Hex("ikm"), size, test.Hex("salt"), test.Hex("info")).AsSpan().SequenceEqual(test.Hex("okm"));
    });

    private static void CheckAead(string file, Func<byte[], AeadKey> import) => Wycheproof.Check(file,
        (_, test) =>
        {
            byte[] message = test.Hex("msg"), sealedBytes = [.. test.Hex("ct"), .. test.Hex("tag")];
            using var key = import(test.Hex("key"));
            if (test.Hex("iv").Length != key.NonceSize)
            {
                Assert.Throws<ArgumentException>(() => key.TryOpen(test.Hex("iv"), sealedBytes, test.Hex("aad"), new byte[message.Length]));
                return false;
            }

            var opened = new byte[sealedBytes.Length - AeadKey.TagSize];
            if (!key.TryOpen(test.Hex("iv"), sealedBytes, test.Hex("aad"), opened))
            {
                return false;
            }

            var again = new byte[sealedBytes.Length];
            key.Seal(test.Hex("iv"), message, test.Hex("aad"), again);
            return opened.AsSpan().SequenceEqual(message) && again.AsSpan().SequenceEqual(sealedBytes);
        },
        // GCM is also defined for other nonces, and for shorter keys and tags. We have one size of each.
        wanted: test => Wycheproof.IsValid(test) && test.GetProperty("iv").GetString()!.Length == (file.StartsWith('x') ? 48 : 24),
        only: group => group.GetProperty("keySize").GetInt32() == 256 && group.GetProperty("tagSize").GetInt32() == 128);

    private static void CheckEcdsa(string file, EcdsaCurve curve, HashAlgorithmName hash, Backend backend) => Wycheproof.Check(file, (group, test) =>
        EcdsaPublicKey.TryImport(curve, group.GetProperty("publicKey").Hex("uncompressed"), backend, out var key)
        && key.Verify(test.Hex("msg"), hash, test.Hex("sig"), EcdsaSignatureFormat.Der));

    private static void CheckRsaPss(string file, Backend backend) => Wycheproof.Check(file, (group, test) =>
    {
        var publicKey = group.GetProperty("publicKey");
        byte[] modulus = publicKey.Hex("modulus"), exponent = publicKey.Hex("publicExponent");
        return RsaPublicKey.TryImport(modulus.AsSpan().TrimStart((byte)0), exponent, backend, out var key)
            && key.VerifyPss(test.Hex("msg"), HashAlgorithmName.SHA384, test.Hex("sig"));
    });
}
