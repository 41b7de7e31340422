using System.Security.Cryptography;
using CsCheck;

namespace Cloister.Primitives.Tests;

public class KeyTests
{
    private static readonly Gen<byte[]> Bytes32 = Gen.Byte.Array[32];

    [Fact]
    public void Native_and_managed_agree_on_every_primitive() =>
        Gen.Select(Bytes32, Bytes32, Gen.Byte.Array[64], Gen.Byte.Array[0, 5000], Gen.Byte.Array[0, 40]).Sample((a, b, seed, message, aad) =>
        {
            Assert.Equal(Agree(a, b, Backend.Native), Agree(a, b, Backend.Managed));
            Assert.Equal(Encapsulate(seed, a, Backend.Native), Encapsulate(seed, a, Backend.Managed));
            Assert.Equal(Sign(a, message, Backend.Native), Sign(a, message, Backend.Managed));
            foreach (var (native, managed) in Aeads(a))
            {
                byte[] sealedBytes = new byte[message.Length + AeadKey.TagSize], opened = new byte[message.Length], nonce = b[..native.NonceSize];
                native.Seal(nonce, message, aad, sealedBytes);
                Assert.True(managed.TryOpen(nonce, sealedBytes, aad, opened));
                Assert.Equal(message, opened);
            }
        }, iter: 60);

    [Fact]
    public void A_flipped_bit_does_not_open() =>
        Gen.Select(Bytes32, Gen.Byte.Array[0, 4000], Gen.Int[0, int.MaxValue]).Sample((secret, message, at) =>
        {
            foreach (var key in Aeads(secret).SelectMany(pair => new[] { pair.Native, pair.Managed }))
            {
                byte[] sealedBytes = new byte[message.Length + AeadKey.TagSize], opened = new byte[message.Length], nonce = secret[..key.NonceSize];
                key.Seal(nonce, message, default, sealedBytes);
                sealedBytes[at % sealedBytes.Length] ^= (byte)(1 << at % 8);
                Assert.False(key.TryOpen(nonce, sealedBytes, default, opened));
                Assert.All(opened, one => Assert.Equal(0, one));
            }
        }, iter: 60);

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    [InlineData(5000)]
    public void Sealing_in_place_is_allowed(int length)
    {
        foreach (var key in Aeads(new byte[32]).SelectMany(pair => new[] { pair.Native, pair.Managed }))
        {
            byte[] message = RandomNumberGenerator.GetBytes(length), buffer = [.. message, .. new byte[AeadKey.TagSize]], nonce = new byte[key.NonceSize];
            key.Seal(nonce, buffer.AsSpan(0, length), default, buffer);
            Assert.True(key.TryOpen(nonce, buffer, default, buffer.AsSpan(0, length)));
            Assert.Equal(message, buffer[..length]);
        }
    }

    [Fact]
    public void A_replaced_key_is_another_key_for_short_and_for_long_messages()
    {
        foreach (int length in new[] { 10, 5000 })
        {
            using var key = ChaCha20Poly1305Key.Import(new byte[32]);
            byte[] nonce = new byte[12], sealedBytes = new byte[length + AeadKey.TagSize], opened = new byte[length];
            key.Seal(nonce, new byte[length], default, sealedBytes);
            key.Replace(Enumerable.Repeat((byte)7, 32).ToArray());
            Assert.False(key.TryOpen(nonce, sealedBytes, default, opened));

            using var other = ChaCha20Poly1305Key.Import(Enumerable.Repeat((byte)7, 32).ToArray());
            key.Seal(nonce, new byte[length], default, sealedBytes);
            Assert.True(other.TryOpen(nonce, sealedBytes, default, opened));
        }
    }

    [Fact]
    public void A_disposed_key_is_gone()
    {
        var agreement = X25519PrivateKey.Generate();
        agreement.Dispose();
        Assert.Throws<ObjectDisposedException>(() => agreement.TryAgree(new byte[32], new byte[32]));

        var kem = MlKem768PrivateKey.Generate();
        kem.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kem.Decapsulate(new byte[1088], new byte[32]));

        var signing = Ed25519PrivateKey.Generate();
        signing.Dispose();
        Assert.Throws<ObjectDisposedException>(() => signing.Sign([], new byte[64]));

        var aead = ChaCha20Poly1305Key.Import(new byte[32]);
        aead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => aead.Seal(new byte[12], [], [], new byte[16]));
    }

    [Fact]
    public void Wrong_sizes_are_our_mistake_and_throw()
    {
        Assert.Throws<ArgumentException>(() => new X25519PublicKey(new byte[31]));
        Assert.Throws<ArgumentException>(() => X25519PrivateKey.Import(new byte[33]));
        Assert.Throws<ArgumentException>(() => MlKem768PrivateKey.ImportSeed(new byte[32]));
        Assert.Throws<ArgumentException>(() => ChaCha20Poly1305Key.Import(new byte[16]));
        using var key = ChaCha20Poly1305Key.Import(new byte[32]);
        Assert.Throws<ArgumentException>(() => key.Seal(new byte[11], [], [], new byte[16]));
        Assert.Throws<ArgumentException>(() => key.Seal(new byte[12], [], [], new byte[15]));
    }

    [Fact]
    public void Sealing_and_opening_allocate_nothing()
    {
        using var key = ChaCha20Poly1305Key.Import(new byte[32]);
        using var agreement = X25519PrivateKey.Generate();
        byte[] nonce = new byte[12], sealedBytes = new byte[80], opened = new byte[64], secret = new byte[32], peer = agreement.PublicKey.Bytes.ToArray();
        void Work()
        {
            key.Seal(nonce, opened, default, sealedBytes);
            key.TryOpen(nonce, sealedBytes, default, opened);
            agreement.TryAgree(peer, secret);
        }

        Work();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Work();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static IEnumerable<(AeadKey Native, AeadKey Managed)> Aeads(byte[] key) =>
    [
        (ChaCha20Poly1305Key.Import(key, Backend.Native), ChaCha20Poly1305Key.Import(key, Backend.Managed)),
        (XChaCha20Poly1305Key.Import(key, Backend.Native), XChaCha20Poly1305Key.Import(key, Backend.Managed)),
        (Aes256GcmKey.Import(key, Backend.Native), Aes256GcmKey.Import(key, Backend.Managed)),
        (XAes256GcmKey.Import(key, Backend.Native), XAes256GcmKey.Import(key, Backend.Managed)),
    ];

    private static byte[] Agree(byte[] ours, byte[] theirs, Backend backend)
    {
        using var key = X25519PrivateKey.Import(ours, backend);
        using var peer = X25519PrivateKey.Import(theirs, backend);
        var secret = new byte[32];
        Assert.True(key.TryAgree(peer.PublicKey.Bytes, secret));
        return secret;
    }

    private static byte[] Encapsulate(byte[] seed, byte[] randomness, Backend backend)
    {
        using var key = MlKem768PrivateKey.ImportSeed(seed, backend);
        byte[] ciphertext = new byte[1088], sent = new byte[32], received = new byte[32];
        key.PublicKey.Encapsulate(randomness, ciphertext, sent);
        key.Decapsulate(ciphertext, received);
        Assert.Equal(sent, received);
        return [.. key.PublicKey.Bytes, .. ciphertext, .. sent];
    }

    private static byte[] Sign(byte[] seed, byte[] message, Backend backend)
    {
        using var key = Ed25519PrivateKey.ImportSeed(seed, backend);
        var signature = new byte[64];
        key.Sign(message, signature);
        Assert.True(key.PublicKey.Verify(message, signature));
        return [.. key.PublicKey.Bytes, .. signature];
    }
}
