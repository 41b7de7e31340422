using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Cloister.Primitives;

namespace Cloister.Vault.Tests.Vectors;

/// <summary>docs/spec/vault.md read a second time: none of the vault's own code, and every random value is given.</summary>
internal static class SecondReading
{
    // RFC 5869.
    public static byte[] Hkdf(byte[] key, byte[] salt, string info, int length) => Hkdf(key, salt, Ascii(info), length);

    public static byte[] Hkdf(byte[] key, byte[] salt, byte[] info, int length)
    {
        byte[] extracted = Hmac(salt, key), derived = [], block = [];
        for (byte i = 1; derived.Length < length; i++)
        {
            block = Hmac(extracted, Join(block, info, [i]));
            derived = Join(derived, block);
        }
        return derived[..length];
    }

    public static byte[] Hmac(byte[] key, byte[] content) => HMACSHA256.HashData(key, content);

    /// <summary>Nonce and ciphertext with tag.</summary>
    public static byte[] Sealed(byte[] key, byte[] nonce, byte[] content, byte[] associated) => Join(nonce, Gcm(key, nonce, content, associated));

    public static byte[] Gcm(byte[] key, byte[] nonce, byte[] content, byte[] associated)
    {
        byte[] ciphertext = new byte[content.Length], tag = new byte[16];
        using var gcm = new AesGcm(key, tag.Length);
        gcm.Encrypt(nonce, content, ciphertext, tag, associated);
        return Join(ciphertext, tag);
    }

    /// <summary>C2SP XAES-256-GCM's key for one nonce.</summary>
    public static byte[] XaesKey(byte[] key, byte[] nonce)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var k1 = BinaryPrimitives.ReadUInt128BigEndian(aes.EncryptEcb(new byte[16], PaddingMode.None));
        k1 = (k1 << 1) ^ ((k1 >> 127) * 0x87);
        return Join(Half(1), Half(2));

        byte[] Half(byte number)
        {
            byte[] block = new byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(block, BinaryPrimitives.ReadUInt128BigEndian(Join([0, number, (byte)'X', 0], nonce[..12])) ^ k1);
            return aes.EncryptEcb(block, PaddingMode.None);
        }
    }

    // Section 2.
    public static byte[] EpochRecord(byte[] account, uint epoch, byte[] accountKey, byte[]? previous, byte[] headSeed, byte[] signingSeed, byte[] headNonce, byte[] previousNonce)
    {
        using var head = Ed25519PrivateKey.ImportSeed(headSeed);
        byte[] begin = Join(Ascii("cloister epoch v1\0"), account, U32(epoch), head.PublicKey.Bytes.ToArray(), Hkdf(accountKey, account, "cloister account v1 key commitment", 32));
        byte[] pkcs8 = Join(Convert.FromHexString("302e020100300506032b657004220420"), headSeed);
        byte[] sealedHead = Sealed(Hkdf(accountKey, account, "cloister account v1 head key", 32), headNonce, pkcs8, begin);
        byte[] sealedPrevious = previous is null ? [] : Sealed(Hkdf(accountKey, account, "cloister account v1 previous epoch", 32), previousNonce, previous, begin);
        byte[] signed = Join(begin, sealedHead, sealedPrevious);
        return Join(signed, Sign(signingSeed, signed));
    }

    // Section 3.
    public static byte[] WrapAssociated(byte[] account, byte[] unlocker, byte kind, uint epoch) => Join(Ascii("cloister wrap v1\0"), account, unlocker, [kind], U32(epoch));

    public static byte[] WrapBySecret(byte[] account, byte[] unlocker, byte kind, uint epoch, byte[] secret, byte[] nonce, byte[] accountKey) =>
        Join([1], U32(epoch), Sealed(Hkdf(secret, account, "cloister unlocker v1 wrap", 32), nonce, accountKey, WrapAssociated(account, unlocker, kind, epoch)));

    public static byte[] WrapToKey(byte[] account, byte[] unlocker, byte kind, uint epoch, byte[] publicKey, byte[] ephemeral, byte[] encapsulation, byte[] accountKey, out byte[] key)
    {
        byte[] agreed = new byte[32], encapsulated = new byte[32], ciphertext = new byte[1088];
        using var x25519 = X25519PrivateKey.Import(ephemeral);
        Assert.True(x25519.TryAgree(publicKey.AsSpan(0, 32), agreed));
        Assert.True(MlKem768PublicKey.TryImport(publicKey.AsSpan(32), out var mlKem));
        mlKem.Encapsulate(encapsulation, ciphertext, encapsulated);
        byte[] sent = Join(x25519.PublicKey.Bytes.ToArray(), ciphertext);
        key = Hkdf(Join(encapsulated, agreed), [], Join(Ascii("cloister wrap v1 to key"), SHA256.HashData(Join(sent, publicKey))), 32);
        return Join([2], U32(epoch), sent, Gcm(key, new byte[12], accountKey, WrapAssociated(account, unlocker, kind, epoch)));
    }

    // Section 5.
    public static byte[] ItemAssociated(byte[] account, byte[] item, ulong version, uint epoch) => Join(Ascii("cloister item v1\0"), account, item, U64(version), U32(epoch));

    public static byte[] Item(byte[] account, byte[] item, ulong version, uint epoch, byte[] accountKey, byte[] nonce, byte[] content)
    {
        byte[] associated = ItemAssociated(account, item, version, epoch);
        byte[] commitment = Hmac(Hkdf(accountKey, account, "cloister account v1 item commitment", 32), Join(associated, nonce));
        byte[] key = XaesKey(Hkdf(accountKey, account, "cloister account v1 items", 32), nonce);
        byte[] padded = new byte[Padme(Math.Max(256, 4 + content.Length))];
        Join(U32((uint)content.Length), content).CopyTo(padded, 0);
        return Join([1], U32(epoch), nonce, commitment, Gcm(key, nonce[12..], padded, associated));
    }

    // In words: as many leading bits as the length of its own logarithm may be set, and the rest is rounded up.
    public static int Padme(int length)
    {
        int e = (int)Math.Floor(Math.Log2(length)), s = (int)Math.Floor(Math.Log2(e)) + 1;
        int step = 1 << (e - s);
        return (length + step - 1) / step * step;
    }

    // Section 4: the value at 0, by tables of the generator 3.
    public static byte[] SecretOf(IReadOnlyList<(byte X, byte[] Values)> shares)
    {
        int[] exponential = new int[255], logarithm = new int[256];
        for (int i = 0, power = 1; i < 255; i++)
        {
            (exponential[i], logarithm[power]) = (power, i);
            power ^= (power << 1) ^ (power >= 0x80 ? 0x11b : 0);
        }
        return [.. Enumerable.Range(0, 32).Select(at => (byte)shares.Aggregate(0, (sum, share) => sum ^ Term(share, at)))];

        int Term((byte X, byte[] Values) share, int at)
        {
            if (share.Values[at] == 0)
            {
                return 0;
            }
            int log = logarithm[share.Values[at]];
            foreach (var other in shares.Where(other => other.X != share.X))
            {
                log += logarithm[other.X] - logarithm[other.X ^ share.X] + 255;
            }
            return exponential[log % 255];
        }
    }

    public static byte[] Sign(byte[] seed, byte[] content)
    {
        byte[] signature = new byte[64];
        using var key = Ed25519PrivateKey.ImportSeed(seed);
        key.Sign(content, signature);
        return signature;
    }

    public static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    public static byte[] U32(uint number) => BigEndian(number, sizeof(uint));

    public static byte[] U64(ulong number) => BigEndian(number, sizeof(ulong));

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    private static byte[] BigEndian(BigInteger number, int size)
    {
        byte[] bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return Join(new byte[size - bytes.Length], bytes);
    }
}
