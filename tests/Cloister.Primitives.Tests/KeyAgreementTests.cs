using CsCheck;

namespace Cloister.Primitives.Tests;

public class KeyAgreementTests
{
    private static readonly Gen<byte[]> Bytes32 = Gen.Byte.Array[32];

    [Fact]
    public void X25519_agrees_between_two_parties_and_between_implementations() =>
        Gen.Select(Bytes32, Bytes32).Sample((a, b) =>
        {
            byte[] native = Agree(a, b, Backend.Native), managed = Agree(a, b, Backend.Managed);
            Assert.Equal(native, managed);
            Assert.Equal(native, Agree(b, a, Backend.Native));
        }, iter: 200);

    // Any 32 bytes are a public key, and both must make the same of each.
    [Fact]
    public void X25519_makes_the_same_of_any_bytes() =>
        Gen.Select(Bytes32, Bytes32).Sample((a, point) =>
        {
            using var native = X25519PrivateKey.Import(a, Backend.Native);
            using var managed = X25519PrivateKey.Import(a, Backend.Managed);
            byte[] one = new byte[32], other = new byte[32];
            Assert.Equal(native.TryAgree(point, one), managed.TryAgree(point, other));
            Assert.Equal(one, other);
        }, iter: 200);

    [Fact]
    public void X25519_refuses_a_point_of_low_order_and_leaves_no_secret()
    {
        foreach (var backend in Enum.GetValues<Backend>())
        {
            using var key = X25519PrivateKey.Generate(backend);
            byte[] secret = Enumerable.Repeat((byte)1, 32).ToArray(), one = [1, .. new byte[31]];
            Assert.False(key.TryAgree(one, secret));
            Assert.Equal(new byte[32], secret);
        }
    }

    [Fact]
    public void MlKem768_agrees_between_two_parties_and_between_implementations() =>
        Gen.Select(Gen.Byte.Array[64], Bytes32, Gen.Int[0, MlKem768PrivateKey.CiphertextSize - 1]).Sample((seed, randomness, at) =>
        {
            using var native = MlKem768PrivateKey.ImportSeed(seed, Backend.Native);
            using var managed = MlKem768PrivateKey.ImportSeed(seed, Backend.Managed);
            Assert.Equal(native.PublicKey.Bytes, managed.PublicKey.Bytes);

            byte[] ciphertext = new byte[MlKem768PrivateKey.CiphertextSize], again = new byte[ciphertext.Length], sent = new byte[32], sentAgain = new byte[32];
            native.PublicKey.Encapsulate(randomness, ciphertext, sent);
            managed.PublicKey.Encapsulate(randomness, again, sentAgain);
            Assert.Equal(ciphertext, again);
            Assert.Equal(sent, sentAgain);
            Assert.Equal(sent, Decapsulate(native, ciphertext));
            Assert.Equal(sent, Decapsulate(managed, ciphertext));

            // FIPS 203, implicit rejection: a secret all the same, the same in both, and not the one that was sent.
            ciphertext[at] ^= 1;
            Assert.NotEqual(sent, Decapsulate(native, ciphertext));
            Assert.Equal(Decapsulate(native, ciphertext), Decapsulate(managed, ciphertext));
        }, iter: 40);

    [Fact]
    public void MlKem768_encapsulates_with_fresh_randomness()
    {
        foreach (var backend in Enum.GetValues<Backend>())
        {
            using var key = MlKem768PrivateKey.Generate(backend);
            byte[] one = new byte[MlKem768PrivateKey.CiphertextSize], other = new byte[one.Length], sent = new byte[32];
            key.PublicKey.Encapsulate(other, sent);
            key.PublicKey.Encapsulate(one, sent);
            Assert.NotEqual(one, other);
            Assert.Equal(sent, Decapsulate(key, one));
        }
    }

    [Theory]
    [InlineData(MlKem768PublicKey.Size - 1)]
    [InlineData(MlKem768PublicKey.Size + 1)]
    [InlineData(0)]
    public void MlKem768_refuses_a_public_key_of_another_length(int length) => Assert.False(MlKem768PublicKey.TryImport(new byte[length], out _));

    // 3329 = q is the first number that is not a coefficient. Twelve bits, two of them in three bytes, little-endian.
    [Theory]
    [InlineData(0x00, 0x0d, 0x00, true)]
    [InlineData(0x01, 0x0d, 0x00, false)]
    [InlineData(0x00, 0x00, 0xd0, true)]
    [InlineData(0x00, 0x10, 0xd0, false)]
    [InlineData(0xff, 0x0f, 0x00, false)]
    [InlineData(0x00, 0xf0, 0xff, false)]
    public void MlKem768_refuses_a_coefficient_that_is_not_reduced(byte first, byte second, byte third, bool accepted)
    {
        foreach (int at in new[] { 0, 3 * 200, 1152 - 3 })
        {
            var key = new byte[MlKem768PublicKey.Size];
            (key[at], key[at + 1], key[at + 2]) = (first, second, third);
            Assert.Equal(accepted, MlKem768PublicKey.TryImport(key, out _));
        }
    }

    [Fact]
    public void A_disposed_key_is_gone_and_its_public_half_stays()
    {
        foreach (var backend in Enum.GetValues<Backend>())
        {
            var agreement = X25519PrivateKey.Generate(backend);
            agreement.Dispose();
            Assert.Throws<ObjectDisposedException>(() => agreement.TryAgree(agreement.PublicKey.Bytes, new byte[32]));

            var kem = MlKem768PrivateKey.Generate(backend);
            var ciphertext = new byte[MlKem768PrivateKey.CiphertextSize];
            kem.Dispose();
            kem.PublicKey.Encapsulate(ciphertext, new byte[32]);
            Assert.Throws<ObjectDisposedException>(() => kem.Decapsulate(ciphertext, new byte[32]));
        }
    }

    [Fact]
    public void Wrong_sizes_are_our_mistake_and_throw()
    {
        Assert.Throws<ArgumentException>(() => new X25519PublicKey(new byte[31]));
        Assert.Throws<ArgumentException>(() => X25519PrivateKey.Import(new byte[33]));
        Assert.Throws<ArgumentException>(() => MlKem768PrivateKey.ImportSeed(new byte[32]));
        using var agreement = X25519PrivateKey.Generate();
        Assert.Throws<ArgumentException>(() => agreement.TryAgree(new byte[31], new byte[32]));
        Assert.Throws<ArgumentException>(() => agreement.TryAgree(new byte[32], new byte[31]));
        using var kem = MlKem768PrivateKey.Generate();
        Assert.Throws<ArgumentException>(() => kem.Decapsulate(new byte[MlKem768PrivateKey.CiphertextSize - 1], new byte[32]));
        Assert.Throws<ArgumentException>(() => kem.Decapsulate(new byte[MlKem768PrivateKey.CiphertextSize], new byte[33]));
        Assert.Throws<ArgumentException>(() => kem.PublicKey.Encapsulate(new byte[MlKem768PrivateKey.CiphertextSize + 1], new byte[32]));
        Assert.Throws<ArgumentException>(() => kem.PublicKey.Encapsulate(new byte[MlKem768PrivateKey.CiphertextSize], new byte[31]));
    }

    [Fact]
    public void Public_keys_are_equal_by_value()
    {
        byte[] bytes = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
        Assert.Equal(new X25519PublicKey(bytes), new X25519PublicKey(bytes));
        Assert.Equal(new X25519PublicKey(bytes).GetHashCode(), new X25519PublicKey(bytes).GetHashCode());
        Assert.NotEqual(new X25519PublicKey(bytes), new X25519PublicKey(new byte[32]));
    }

    private static byte[] Agree(byte[] ours, byte[] theirs, Backend backend)
    {
        using var key = X25519PrivateKey.Import(ours, backend);
        using var peer = X25519PrivateKey.Import(theirs, backend);
        var secret = new byte[32];
        Assert.True(key.TryAgree(peer.PublicKey.Bytes, secret));
        return secret;
    }

    private static byte[] Decapsulate(MlKem768PrivateKey key, byte[] ciphertext)
    {
        var secret = new byte[32];
        key.Decapsulate(ciphertext, secret);
        return secret;
    }
}
