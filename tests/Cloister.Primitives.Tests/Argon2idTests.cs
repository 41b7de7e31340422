using System.Text;
using CsCheck;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace Cloister.Primitives.Tests;

public class Argon2idTests
{
    [Fact]
    public void Both_implementations_agree() =>
        Gen.Select(Gen.Byte.Array[0, 100], Gen.Byte.Array[16], Gen.Int[8, 256], Gen.Int[1, 4], Gen.Int[16, 80]).Sample((password, salt, memory, passes, length) =>
        {
            byte[] native = new byte[length], managed = new byte[length];
            Argon2id.Derive(password, salt, memory, passes, native, Backend.Native);
            Argon2id.Derive(password, salt, memory, passes, managed, Backend.Managed);
            Assert.Equal(native, managed);
        }, iter: 60);

    // libsodium's own test values, which its API reaches as ours does: one lane, no secret.
    [Theory]
    [InlineData("b540beb016a5366524d4605156493f9874514a5aa58818cd0c6dfffaa9e90205f17b", "44071f6d181561670bda728d43fb79b4", 1_631_659, 1, "7fb72409b0987f8190c3729710e98c3f80c5a8727d425fdcde7f3644d467fe973f5b5fee683bd3fce812cb9ae5e9921a2d06c2f1905e4e839692f2b934b682f11a2fe2b90482ea5dd234863516dba6f52dc0702d324ec77d860c2e181f84472bd7104fedce071ffa93c5309494ad51623d214447a7b2b1462dc7d5d55a1f6fd5b54ce024118d86f0c6489d16545aaa87b6689dad9f2fb47fda9894f8e12b87d978b483ccd4cc5fd9595cdc7a818452f915ce2f7df95ec12b1c72e3788d473441d884f9748eb14703c21b45d82fd667b85f5b2d98c13303b3fe76285531a826b6fc0fe8e3dddecf")]
    [InlineData("a14975c26c088755a8b715ff2528d647cd343987fcf4aa25e7194a8417fb2b4b3f7268da9f3182b4cfb22d138b2749d673a47ecc7525dd15a0a3c66046971784bb63d7eae24cc84f2631712075a10e10a96b0e0ee67c43e01c423cb9c44e5371017e9c496956b632158da3fe12addecb88912e6759bc37f9af2f45af72c5cae3b179ffb676a697de6ebe45cd4c16d4a9d642d29ddc0186a0a48cb6cd62bfc3dd229d313b301560971e740e2cf1f99a9a090a5b283f35475057e96d7064e2e0fc81984591068d55a3b4169f22cccb0745a2689407ea1901a0a766eb99", "3d968b2752b8838431165059319f3ff8", 1_784_128, 3, "4e702bc5f891df884c6ddaa243aa846ce3c087fe930fef0f36b3c2be34164ccc295db509254743f18f947159c813bcd5dd8d94a3aec93bbe57605d1fad1aef1112687c3d4ef1cb329d21f1632f626818d766915d886e8d819e4b0b9c9307f4b6afc081e13b0cf31db382ff1bf05a16aac7af696336d75e99f82163e0f371e1d25c4add808e215697ad3f779a51a462f8bf52610af21fc69dba6b072606f2dabca7d4ae1d91d919")]
    public void Published_values_are_ours(string password, string salt, int bytes, int passes, string expected)
    {
        foreach (var backend in (Backend[])[Backend.Native, Backend.Managed])
        {
            byte[] derived = new byte[expected.Length / 2];
            Argon2id.Derive(Convert.FromHexString(password), Convert.FromHexString(salt), bytes / 1024, passes, derived, backend);
            Assert.Equal(expected, Convert.ToHexStringLower(derived));
        }
    }

    // RFC 9106, section 5.3, has four lanes, a secret and associated data, which only the managed implementation takes.
    [Fact]
    public void The_managed_implementation_is_the_RFCs()
    {
        var generator = new Argon2BytesGenerator();
        generator.Init(new Argon2Parameters.Builder(Argon2Parameters.Argon2id).WithVersion(Argon2Parameters.Version13).WithMemoryAsKB(32).WithIterations(3).WithParallelism(4)
            .WithSalt(Filled(16, 2)).WithSecret(Filled(8, 3)).WithAdditional(Filled(12, 4)).Build());
        byte[] tag = new byte[32];
        generator.GenerateBytes(Filled(32, 1), tag);
        Assert.Equal("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659", Convert.ToHexStringLower(tag));

        static byte[] Filled(int length, byte value) => [.. Enumerable.Repeat(value, length)];
    }

    [Fact]
    public void Every_argument_counts()
    {
        byte[] first = Derive("password", 64, 2);
        Assert.NotEqual(first, Derive("passwore", 64, 2));
        Assert.NotEqual(first, Derive("password", 65 + 7, 2));
        Assert.NotEqual(first, Derive("password", 64, 3));
    }

    [Theory]
    [InlineData(7, 1, 32, 16)]
    [InlineData(8, 0, 32, 16)]
    [InlineData(8, 1, 15, 16)]
    [InlineData(8, 1, 32, 15)]
    public void Costs_and_lengths_out_of_range_are_our_own_mistake(int memory, int passes, int length, int salt) =>
        Assert.ThrowsAny<ArgumentException>(() => Argon2id.Derive([], new byte[salt], memory, passes, new byte[length]));

    private static byte[] Derive(string password, int memory, int passes)
    {
        byte[] derived = new byte[32];
        Argon2id.Derive(Encoding.UTF8.GetBytes(password), new byte[16], memory, passes, derived);
        return derived;
    }
}
