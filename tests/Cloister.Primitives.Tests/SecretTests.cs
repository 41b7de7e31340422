using System.Security.Cryptography;

namespace Cloister.Primitives.Tests;

public class SecretTests
{
    [Fact]
    public void A_wiped_secret_is_zero_where_it_was()
    {
        var secret = Secret.Random(32);
        byte[] memory = secret.Array;
        Assert.Contains(memory, one => one != 0);
        secret.Wipe();
        Assert.DoesNotContain(memory, one => one != 0);
        Assert.Throws<ObjectDisposedException>(() => secret.Bytes.Length);
        Assert.Throws<ObjectDisposedException>(() => secret.Array);
    }

    [Fact]
    public void No_key_says_what_it_is()
    {
        foreach (var type in typeof(AeadKey).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(IDisposable))))
        {
            Assert.Equal(typeof(object), type.GetMethod("ToString", [])!.DeclaringType);
        }
    }

    // XAES-256-GCM is not among them: the platform wants an object for each derived key.
    [Fact]
    public void What_a_conversation_does_over_and_over_allocates_nothing()
    {
        byte[] nonce = new byte[24], message = new byte[5000], sealedBytes = new byte[message.Length + AeadKey.TagSize], secret = new byte[32];
        using var chaCha = ChaCha20Poly1305Key.Import(new byte[32]);
        using var xChaCha = XChaCha20Poly1305Key.Import(new byte[32]);
        using var aes = Aes256GcmKey.Import(new byte[32]);
        using var agreement = X25519PrivateKey.Generate();
        using var kem = MlKem768PrivateKey.Generate();
        using var signing = Ed25519PrivateKey.Generate();
        byte[] ciphertext = new byte[MlKem768PrivateKey.CiphertextSize], signature = new byte[Ed25519PrivateKey.SignatureSize];

        AeadKey[] keys = [chaCha, xChaCha, aes];
        int[] lengths = [64, 5000];
        var work = (Action)(() =>
        {
            foreach (var key in keys)
            {
                foreach (int length in lengths)
                {
                    key.Seal(nonce.AsSpan(0, key.NonceSize), message.AsSpan(0, length), nonce, sealedBytes.AsSpan(0, length + AeadKey.TagSize));
                    key.TryOpen(nonce.AsSpan(0, key.NonceSize), sealedBytes.AsSpan(0, length + AeadKey.TagSize), nonce, message.AsSpan(0, length));
                }
            }
            agreement.TryAgree(agreement.PublicKey.Bytes, secret);
            kem.PublicKey.Encapsulate(ciphertext, secret);
            kem.Decapsulate(ciphertext, secret);
            signing.Sign(nonce, signature);
            signing.PublicKey.Verify(nonce, signature);
        });

        work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        work();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Noise's Split derives from an empty key, which the platform's HKDF does not take as a span: whoever writes HKDF by hand
    // out of HMAC must get what HKDF gives.
    [Fact]
    public void Hkdf_by_hmac_is_hkdf_and_takes_no_key_at_all()
    {
        byte[] salt = RandomNumberGenerator.GetBytes(32), input = RandomNumberGenerator.GetBytes(32);
        Assert.Equal(HKDF.Extract(HashAlgorithmName.SHA256, input, salt), HMACSHA256.HashData(salt, input));
        Assert.Equal(HKDF.Extract(HashAlgorithmName.SHA256, [], salt), HMACSHA256.HashData(salt, Array.Empty<byte>()));
    }
}
