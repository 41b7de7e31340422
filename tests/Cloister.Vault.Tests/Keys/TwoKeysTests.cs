using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Keys;
using Cloister.Vault.Tests.Vectors;

namespace Cloister.Vault.Tests.Keys;

/// <summary>The attack that the commitment is there for, carried out: GHASH is linear, so one block of a ciphertext can be chosen that makes its tag right under two keys.</summary>
public class TwoKeysTests
{
    private const int Blocks = 16;
    private const int Free = 9; // The block that is solved for. The item's length stands in the first one.

    private static readonly byte[] Account = FixedAccount.Account;
    private static readonly byte[] Item = new byte[16];

    [Fact]
    public void A_ciphertext_made_to_open_under_two_account_keys_opens_under_the_one_it_commits_to()
    {
        byte[] mine = FixedAccount.First, other = FixedAccount.Second, nonce = FixedAccount.Fixed("two keys")[..24];
        byte[] associated = SecondReading.ItemAssociated(Account, Item, 1, 1);
        byte[] ciphertext = Forge(ItemKey(mine, nonce), ItemKey(other, nonce), nonce[12..], associated);

        // XAES-256-GCM takes it under both.
        Assert.True(Opens(mine, nonce, ciphertext, associated, out byte[] one));
        Assert.True(Opens(other, nonce, ciphertext, associated, out byte[] two));
        Assert.NotEqual(one, two);

        // The vault takes it under the key that it names and under no other, whichever that is.
        Assert.Equal(OpenFault.None, Open(mine, Sealed(mine)));
        Assert.Equal(OpenFault.WrongCommitment, Open(other, Sealed(mine)));
        Assert.Equal(OpenFault.WrongCommitment, Open(mine, Sealed(other)));

        byte[] Sealed(byte[] key)
        {
            byte[] commitment = SecondReading.Hmac(SecondReading.Hkdf(key, Account, "cloister account v1 item commitment", 32), SecondReading.Join(associated, nonce));
            return SecondReading.Join([1], SecondReading.U32(1), nonce, commitment, ciphertext);
        }
    }

    // The first key's plaintext is a whole item of 252 bytes, but for the free block, which is as it comes.
    private static byte[] Forge(byte[] first, byte[] second, byte[] nonce, byte[] associated)
    {
        byte[] plaintext = new byte[Blocks * 16];
        plaintext[3] = 252;
        byte[] ciphertext = SecondReading.Gcm(first, nonce, plaintext, associated)[..^16];
        ciphertext.AsSpan(Free * 16, 16).Clear();
        var (h1, h2) = (Field(Encrypt(first, new byte[16])), Field(Encrypt(second, new byte[16])));
        var difference = Tag(first, h1, ciphertext, nonce, associated) ^ Tag(second, h2, ciphertext, nonce, associated);

        // Of the blocks behind it one is the lengths'; so many times is the free block multiplied by H.
        int power = Blocks - Free + 1;
        BinaryPrimitives.WriteUInt128BigEndian(ciphertext.AsSpan(Free * 16), Multiply(difference, Invert(Power(h1, power) ^ Power(h2, power))));
        byte[] tag = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(tag, Tag(first, h1, ciphertext, nonce, associated));
        return SecondReading.Join(ciphertext, tag);
    }

    // NIST SP 800-38D.
    private static UInt128 Tag(byte[] key, UInt128 h, byte[] ciphertext, byte[] nonce, byte[] associated)
    {
        byte[] whole = SecondReading.Join(associated, new byte[(16 - (associated.Length % 16)) % 16], ciphertext, SecondReading.U64((ulong)associated.Length * 8), SecondReading.U64((ulong)ciphertext.Length * 8));
        var hash = UInt128.Zero;
        for (int at = 0; at < whole.Length; at += 16)
        {
            hash = Multiply(hash ^ Field(whole[at..(at + 16)]), h);
        }
        return hash ^ Field(Encrypt(key, SecondReading.Join(nonce, [0, 0, 0, 1])));
    }

    // GCM's field: the highest bit is the coefficient of 1.
    private static UInt128 Multiply(UInt128 a, UInt128 b)
    {
        var product = UInt128.Zero;
        for (int bit = 127; bit >= 0; bit--)
        {
            product ^= ((b >> bit) & UInt128.One) != UInt128.Zero ? a : UInt128.Zero;
            a = (a >> 1) ^ ((a & UInt128.One) != UInt128.Zero ? new UInt128(0xe100000000000000, 0) : UInt128.Zero);
        }
        return product;
    }

    private static UInt128 Power(UInt128 a, int exponent) => Enumerable.Repeat(a, exponent).Aggregate(Multiply);

    // a to the power 2¹²⁸ − 2.
    private static UInt128 Invert(UInt128 a)
    {
        var (square, inverse) = (a, (UInt128?)null);
        for (int i = 1; i < 128; i++)
        {
            square = Multiply(square, square);
            inverse = inverse is { } so ? Multiply(so, square) : square;
        }
        return inverse!.Value;
    }

    private static UInt128 Field(byte[] block) => BinaryPrimitives.ReadUInt128BigEndian(block);

    private static byte[] Encrypt(byte[] key, byte[] block)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        return aes.EncryptEcb(block, PaddingMode.None);
    }

    private static byte[] ItemKey(byte[] accountKey, byte[] nonce) => SecondReading.XaesKey(ItemsKey(accountKey), nonce);

    private static byte[] ItemsKey(byte[] accountKey) => SecondReading.Hkdf(accountKey, Account, "cloister account v1 items", 32);

    private static bool Opens(byte[] accountKey, byte[] nonce, byte[] ciphertext, byte[] associated, out byte[] plaintext)
    {
        plaintext = new byte[ciphertext.Length - AeadKey.TagSize];
        using var key = XAes256GcmKey.Import(ItemsKey(accountKey));
        return key.TryOpen(nonce, ciphertext, associated, plaintext);
    }

    private static OpenFault Open(byte[] accountKey, byte[] sealedItem)
    {
        using var key = AccountKey.Import(FixedAccount.Number, accountKey);
        using var epoch = new EpochKeys(key, 1);
        return epoch.Open(new(Identity.Read(Item), 1, sealedItem)).Fault;
    }
}
