using System.Security.Cryptography;

namespace Cloister.Primitives.Tests;

public class MlDsa44Tests
{
    // NIST's ACVP key generation for ML-DSA-44, test cases 1 to 3: seed, SHA-256 of the public key.
    [Theory]
    [InlineData("93ef2e6ef1fb08999d142abe0295482370d3f43bdb254a78e2b0d5168eca065f", "6995b20ecd5cde41719035028a712ccf35b1adf53b913030423d9d6fa188d673")]
    [InlineData("d6a5d2325b94ca1b993a0151e24ab95b396f415831dc14a08404820ae58a2ad1", "51bced8954e17da402e93fc5275f723aed1b9101bdf4fac5afc2b5c227d9e674")]
    [InlineData("8a5e79b82dc81553bbe821ee367f0adfa54f59a3e8a71ca626f873f638636dd7", "190ba0b968c4fc62435a5269c72a81bfdcfa1531f95abed1c03be42733c9620d")]
    public void A_seed_stands_for_the_published_key(string seed, string publicKey)
    {
        using var key = MlDsa44PrivateKey.ImportSeed(Convert.FromHexString(seed));
        Assert.Equal(publicKey, Convert.ToHexStringLower(SHA256.HashData(key.PublicKey.Bytes)));
    }

    [Fact]
    public void A_signature_verifies_and_a_spoiled_one_does_not()
    {
        using var key = MlDsa44PrivateKey.Generate();
        byte[] message = [1, 2, 3], signature = new byte[MlDsa44PrivateKey.SignatureSize], again = new byte[MlDsa44PrivateKey.SignatureSize];
        key.Sign(message, signature);
        key.Sign(message, again);
        Assert.Equal(signature, again); // deterministic
        Assert.True(key.PublicKey.Verify(message, signature));
        Assert.True(new MlDsa44PublicKey(key.PublicKey.Bytes).Verify(message, signature));
        Assert.False(key.PublicKey.Verify([1, 2, 4], signature));
        Assert.False(key.PublicKey.Verify(message, signature.AsSpan(1)));
        Assert.False(key.PublicKey.Verify(message, [.. signature, 0]));
        using var other = MlDsa44PrivateKey.Generate();
        Assert.False(other.PublicKey.Verify(message, signature));
        for (int at = 0; at < signature.Length; at += 61)
        {
            again[at] ^= 0x10;
            Assert.False(key.PublicKey.Verify(message, again));
            again[at] ^= 0x10;
        }
    }

    [Fact]
    public void Any_bytes_are_a_key_and_no_signature()
    {
        Assert.False(new MlDsa44PublicKey(new byte[MlDsa44PublicKey.Size]).Verify([], new byte[MlDsa44PrivateKey.SignatureSize]));
        byte[] ones = new byte[MlDsa44PublicKey.Size], signature = new byte[MlDsa44PrivateKey.SignatureSize];
        Array.Fill(ones, (byte)255);
        Array.Fill(signature, (byte)255);
        Assert.False(new MlDsa44PublicKey(ones).Verify([], signature));
    }

    [Fact]
    public void Misuse_throws()
    {
        Assert.Throws<ArgumentException>(() => new MlDsa44PublicKey(new byte[1311]));
        Assert.Throws<ArgumentException>(() => MlDsa44PrivateKey.ImportSeed(new byte[31]));
        var key = MlDsa44PrivateKey.Generate();
        Assert.Throws<ArgumentException>(() => key.Sign([], new byte[2419]));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Sign([], new byte[2420]));
    }
}
