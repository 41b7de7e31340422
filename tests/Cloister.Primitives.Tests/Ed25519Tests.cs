using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;

namespace Cloister.Primitives.Tests;

public partial class Ed25519Tests
{
    // The order of the base point, and a point of order 8.
    private static readonly BigInteger Order = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", null);
    private static readonly byte[] Torsion = Convert.FromHexString("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");

    // All points of small order, then their other encodings.
    public static TheoryData<string> SmallOrder =>
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    [Fact]
    public void Both_sign_the_same_and_verify_each_other() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[0, 300], Gen.Int[0, 511]).Sample((seed, message, bit) =>
        {
            using var native = Ed25519PrivateKey.ImportSeed(seed, Backend.Native);
            using var managed = Ed25519PrivateKey.ImportSeed(seed, Backend.Managed);
            byte[] one = new byte[64], other = new byte[64];
            native.Sign(message, one);
            managed.Sign(message, other);
            Assert.Equal(one, other);
            Assert.Equal(native.PublicKey, managed.PublicKey);
            Assert.True(native.PublicKey.Verify(message, one));
            Assert.True(managed.PublicKey.Verify(message, one));

            one[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(native.PublicKey.Verify(message, one));
            Assert.False(managed.PublicKey.Verify(message, one));
            Assert.False(native.PublicKey.Verify([.. message, 0], other));
            Assert.False(managed.PublicKey.Verify([.. message, 0], other));
        }, iter: 60);

    // What only a dishonest signer makes: with A = aB + T or R = rB + T, T of order 8, the equation holds up to T, and exactly
    // for one message in eight. Libraries differ on which they accept; ours accept none.
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_part_of_small_order_is_refused_by_both(bool inKey, bool inSignature)
    {
        BigInteger a = 123456789, r = 987654321;
        byte[] key = Times(a), nonce = Times(r);
        key = inKey ? Add(key, Torsion) : key;
        nonce = inSignature ? Add(nonce, Torsion) : nonce;
        for (byte i = 0; i < 40; i++)
        {
            Assert.False(Verify(key, nonce, r + Challenge(nonce, key, [i]) * a, [i]));
        }
    }

    [Fact]
    public void The_same_without_it_is_accepted_by_both()
    {
        BigInteger a = 123456789, r = 987654321;
        byte[] key = Times(a), nonce = Times(r), message = [1];
        var s = r + Challenge(nonce, key, message) * a;
        Assert.True(Verify(key, nonce, s, message));
        Assert.False(Verify(key, nonce, s, message, addOrder: true)); // S is not canonical
    }

    [Theory, MemberData(nameof(SmallOrder))]
    public void A_key_of_small_order_verifies_nothing(string key)
    {
        BigInteger r = 987654321;
        for (byte i = 0; i < 40; i++)
        {
            Assert.False(Verify(Convert.FromHexString(key), Times(r), r, [i]));
        }
    }

    [Theory, MemberData(nameof(SmallOrder))]
    public void A_signature_with_R_of_small_order_is_refused(string nonce)
    {
        BigInteger a = 123456789;
        byte[] key = Times(a), message = [1], point = Convert.FromHexString(nonce);
        Assert.False(Verify(key, point, Challenge(point, key, message) * a, message));
    }

    [Fact]
    public void Any_bytes_are_accepted_as_a_key_and_agreed_on() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[64]).Sample((key, signature) =>
        {
            Assert.False(new Ed25519PublicKey(key, Backend.Native).Verify([], signature));
            Assert.False(new Ed25519PublicKey(key, Backend.Managed).Verify([], signature));
        }, iter: 200);

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(65)]
    public void A_signature_of_another_length_is_refused(int length)
    {
        using var key = Ed25519PrivateKey.Generate();
        Assert.False(key.PublicKey.Verify([], new byte[length]));
    }

    [Fact]
    public void Misuse_throws()
    {
        Assert.Throws<ArgumentException>(() => new Ed25519PublicKey(new byte[33]));
        Assert.Throws<ArgumentException>(() => Ed25519PrivateKey.ImportSeed(new byte[31]));
        foreach (var backend in Enum.GetValues<Backend>())
        {
            var key = Ed25519PrivateKey.ImportSeed(new byte[32], backend);
            Assert.Throws<ArgumentException>(() => key.Sign([], new byte[63]));
            key.Dispose();
            Assert.Throws<ObjectDisposedException>(() => key.Sign([], new byte[64]));
        }
    }

    // Both implementations' answer, which must be one.
    private static bool Verify(byte[] key, byte[] nonce, BigInteger s, byte[] message, bool addOrder = false)
    {
        byte[] signature = [.. nonce, .. Bytes(s % Order + (addOrder ? Order : 0))];
        bool accepted = new Ed25519PublicKey(key, Backend.Native).Verify(message, signature);
        Assert.Equal(accepted, new Ed25519PublicKey(key, Backend.Managed).Verify(message, signature));
        return accepted;
    }

    private static BigInteger Challenge(byte[] nonce, byte[] key, byte[] message) =>
        new BigInteger(SHA512.HashData([.. nonce, .. key, .. message]), isUnsigned: true) % Order;

    private static byte[] Bytes(BigInteger number)
    {
        var bytes = new byte[32];
        Assert.True(number.TryWriteBytes(bytes, out _, isUnsigned: true));
        return bytes;
    }

    private static byte[] Times(BigInteger scalar)
    {
        var point = new byte[32];
        Assert.Equal(0, crypto_scalarmult_ed25519_base_noclamp(point, Bytes(scalar)));
        return point;
    }

    private static byte[] Add(byte[] p, byte[] q)
    {
        var sum = new byte[32];
        Assert.Equal(0, crypto_core_ed25519_add(sum, p, q));
        return sum;
    }

    [LibraryImport("libsodium")]
    private static partial int crypto_scalarmult_ed25519_base_noclamp(byte[] point, byte[] scalar);

    [LibraryImport("libsodium")]
    private static partial int crypto_core_ed25519_add(byte[] sum, byte[] p, byte[] q);
}
