using System.Security.Cryptography;
using CsCheck;

namespace Cloister.Primitives.Tests;

public class AeadTests
{
    private static readonly Gen<byte[]> Key = Gen.Byte.Array[AeadKey.Size];

    [Fact]
    public void What_one_implementation_seals_the_other_opens() =>
        Gen.Select(Key, Key, Gen.Byte.Array[0, 5000], Gen.Byte.Array[0, 40]).Sample((secret, nonces, message, aad) =>
        {
            foreach (var (native, managed) in Pairs(secret))
            {
                using (native)
                using (managed)
                {
                    byte[] nonce = nonces[..native.NonceSize], one = Sealed(native, nonce, message, aad), other = Sealed(managed, nonce, message, aad);
                    Assert.Equal(one, other);
                    Assert.Equal(message, Opened(native, nonce, other, aad));
                    Assert.Equal(message, Opened(managed, nonce, one, aad));
                }
            }
        }, iter: 60);

    // Every length around every block, vector and switch between implementations, against a third that has none of them.
    [Fact]
    public void Short_and_long_messages_are_sealed_as_the_platform_does()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(32), nonce = RandomNumberGenerator.GetBytes(12);
        using var key = ChaCha20Poly1305Key.Import(secret);
        using var platform = new ChaCha20Poly1305(secret);
        for (int length = 0; length < 4200; length += length < 600 ? 1 : 61)
        {
            byte[] message = RandomNumberGenerator.GetBytes(length), aad = RandomNumberGenerator.GetBytes(length % 35), expected = new byte[length + AeadKey.TagSize];
            platform.Encrypt(nonce, message, expected.AsSpan(0, length), expected.AsSpan(length), aad);
            Assert.Equal(expected, Sealed(key, nonce, message, aad));
            Assert.Equal(message, Opened(key, nonce, expected, aad));
        }
    }

    [Fact]
    public void One_flipped_bit_of_anything_does_not_open() =>
        Gen.Select(Key, Gen.Byte.Array[0, 4000], Gen.Byte.Array[1, 40], Gen.Int[0, int.MaxValue]).Sample((secret, message, aad, at) =>
        {
            foreach (var key in All(secret))
            {
                using (key)
                {
                    byte[] nonce = secret[..key.NonceSize], sealedBytes = Sealed(key, nonce, message, aad);
                    Assert.Null(Opened(key, nonce, Flipped(sealedBytes, at), aad));
                    Assert.Null(Opened(key, nonce, sealedBytes, Flipped(aad, at)));
                    Assert.Null(Opened(key, Flipped(nonce, at), sealedBytes, aad));
                }
            }
        }, iter: 20);

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    [InlineData(300)]
    [InlineData(5000)]
    public void Sealing_and_opening_in_place_is_allowed(int length)
    {
        foreach (var key in All(new byte[32]))
        {
            using (key)
            {
                byte[] message = RandomNumberGenerator.GetBytes(length), buffer = [.. message, .. new byte[AeadKey.TagSize]], nonce = new byte[key.NonceSize];
                key.Seal(nonce, buffer.AsSpan(0, length), default, buffer);
                Assert.Equal(Sealed(key, nonce, message, []), buffer);
                Assert.True(key.TryOpen(nonce, buffer, default, buffer.AsSpan(0, length)));
                Assert.Equal(message, buffer[..length]);
            }
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(5000)]
    public void A_replaced_key_is_the_other_key(int length)
    {
        byte[] second = RandomNumberGenerator.GetBytes(32), message = RandomNumberGenerator.GetBytes(length);
        foreach (var (key, expected) in All(new byte[32]).Zip(All(second)))
        {
            using (key)
            using (expected)
            {
                var nonce = new byte[key.NonceSize];
                var before = Sealed(key, nonce, message, []);
                key.Replace(second);
                Assert.Null(Opened(key, nonce, before, []));
                Assert.Equal(Sealed(expected, nonce, message, []), Sealed(key, nonce, message, []));
            }
        }
    }

    [Fact]
    public void Less_than_a_tag_does_not_open()
    {
        foreach (var key in All(new byte[32]))
        {
            using (key)
            {
                Assert.False(key.TryOpen(new byte[key.NonceSize], new byte[AeadKey.TagSize - 1], default, []));
            }
        }
    }

    [Fact]
    public void Wrong_sizes_are_our_mistake_and_throw()
    {
        Assert.Throws<ArgumentException>(() => ChaCha20Poly1305Key.Import(new byte[31]));
        Assert.Throws<ArgumentException>(() => XChaCha20Poly1305Key.Import(new byte[33]));
        Assert.Throws<ArgumentException>(() => Aes256GcmKey.Import(new byte[16]));
        Assert.Throws<ArgumentException>(() => XAes256GcmKey.Import([]));
        foreach (var key in All(new byte[32]))
        {
            using (key)
            {
                byte[] nonce = new byte[key.NonceSize], tag = new byte[AeadKey.TagSize];
                Assert.Throws<ArgumentException>(() => key.Seal(nonce.AsSpan(1), [], [], tag));
                Assert.Throws<ArgumentException>(() => key.Seal(nonce, [], [], tag.AsSpan(1)));
                Assert.Throws<ArgumentException>(() => key.TryOpen(nonce.AsSpan(1), tag, [], []));
                Assert.Throws<ArgumentException>(() => key.TryOpen(nonce, tag, [], new byte[1]));
                Assert.Throws<ArgumentException>(() => key.Replace(new byte[31]));
            }
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(5000)]
    public void A_disposed_key_is_gone(int length)
    {
        foreach (var key in All(new byte[32]))
        {
            byte[] nonce = new byte[key.NonceSize], sealedBytes = Sealed(key, nonce, new byte[length], []);
            key.Dispose();
            key.Dispose();
            Assert.Throws<ObjectDisposedException>(() => key.Seal(nonce, new byte[length], default, new byte[length + AeadKey.TagSize]));
            Assert.Throws<ObjectDisposedException>(() => key.TryOpen(nonce, sealedBytes, default, new byte[length]));
            Assert.Throws<ObjectDisposedException>(() => key.Replace(new byte[32]));
        }
    }

    private static (AeadKey Native, AeadKey Managed)[] Pairs(byte[] key) =>
    [
        (ChaCha20Poly1305Key.Import(key, Backend.Native), ChaCha20Poly1305Key.Import(key, Backend.Managed)),
        (XChaCha20Poly1305Key.Import(key, Backend.Native), XChaCha20Poly1305Key.Import(key, Backend.Managed)),
        (Aes256GcmKey.Import(key, Backend.Native), Aes256GcmKey.Import(key, Backend.Managed)),
        (XAes256GcmKey.Import(key, Backend.Native), XAes256GcmKey.Import(key, Backend.Managed)),
    ];

    private static AeadKey[] All(byte[] key) => [.. Pairs(key).SelectMany(pair => (AeadKey[])[pair.Native, pair.Managed])];

    private static byte[] Sealed(AeadKey key, byte[] nonce, byte[] message, byte[] aad)
    {
        var sealedBytes = new byte[message.Length + AeadKey.TagSize];
        key.Seal(nonce, message, aad, sealedBytes);
        return sealedBytes;
    }

    private static byte[]? Opened(AeadKey key, byte[] nonce, byte[] sealedBytes, byte[] aad)
    {
        var message = RandomNumberGenerator.GetBytes(sealedBytes.Length - AeadKey.TagSize);
        if (key.TryOpen(nonce, sealedBytes, aad, message))
        {
            return message;
        }
        Assert.False(message.AsSpan().ContainsAnyExcept((byte)0), "What did not open must be zero.");
        return null;
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        byte[] flipped = [.. bytes];
        flipped[at % bytes.Length] ^= (byte)(1 << at % 8);
        return flipped;
    }
}
