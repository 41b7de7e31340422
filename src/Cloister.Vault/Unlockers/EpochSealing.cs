using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Keys;
using Cloister.Wire;

namespace Cloister.Vault.Unlockers;

/// <summary>What stands sealed in an epoch record (docs/spec/vault.md, section 2), with the account key in memory.</summary>
internal static class EpochSealing
{
    private const int NonceSize = 12;

    /// <summary>RFC 8410: an Ed25519 private key's PKCS #8 before its 32 bytes.</summary>
    private static ReadOnlySpan<byte> Pkcs8 => [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    /// <summary>Makes a record with a new head key.</summary>
    /// <param name="previous">The account key of the epoch before and its head key's seed; null in epoch 1.</param>
    public static EpochRecord Make(AccountKey key, uint epoch, AccountKey? previous, ReadOnlySpan<byte> signingSeed, ReadOnlySpan<byte> headSeed)
    {
        using var head = Ed25519PrivateKey.ImportSeed(headSeed);
        byte[] begin = EpochRecord.Begin(key.Account, epoch, head.PublicKey, key.KeyCommitment());
        byte[] record = new byte[begin.Length + EpochRecord.SealedHeadKeySize + (previous is null ? 0 : EpochRecord.SealedPreviousSize) + Ed25519PrivateKey.SignatureSize];
        var writer = new WireWriter(record);
        writer.Bytes(begin);
        byte[] pkcs8 = [.. Pkcs8, .. headSeed];
        Seal(key, "cloister account v1 head key"u8, pkcs8, begin, writer.Take(EpochRecord.SealedHeadKeySize));
        CryptographicOperations.ZeroMemory(pkcs8);
        if (previous is not null)
        {
            Seal(key, "cloister account v1 previous epoch"u8, previous.Bytes, begin, writer.Take(EpochRecord.SealedPreviousSize));
        }
        using var signing = Ed25519PrivateKey.ImportSeed(signingSeed);
        signing.Sign(record.AsSpan(0, record.Length - Ed25519PrivateKey.SignatureSize), writer.Take(Ed25519PrivateKey.SignatureSize));
        return EpochRecord.TryParse(record, out var made, out var error) ? made : throw new System.Diagnostics.UnreachableException($"{error}");
    }

    /// <summary>The head key's seed. False where it does not open, or belongs to another public key than the record's.</summary>
    public static bool TryOpenHeadSeed(AccountKey key, EpochRecord record, Span<byte> seed)
    {
        byte[] pkcs8 = new byte[Pkcs8.Length + Ed25519PrivateKey.SeedSize];
        bool opened = TryOpen(key, "cloister account v1 head key"u8, record.SealedHeadKey.Span, record.AssociatedData.Span, pkcs8) && pkcs8.AsSpan().StartsWith(Pkcs8);
        pkcs8.AsSpan(Pkcs8.Length).CopyTo(seed);
        CryptographicOperations.ZeroMemory(pkcs8);
        if (!opened)
        {
            return false;
        }
        using var head = Ed25519PrivateKey.ImportSeed(seed);
        return head.PublicKey.Equals(record.HeadKey);
    }

    /// <summary>The account key of the epoch before. Null where it does not open.</summary>
    public static AccountKey? OpenPrevious(AccountKey key, EpochRecord record)
    {
        Span<byte> previous = stackalloc byte[AccountKey.Size];
        bool opened = TryOpen(key, "cloister account v1 previous epoch"u8, record.SealedPrevious.Span, record.AssociatedData.Span, previous);
        var found = opened ? AccountKey.Import(key.Account, previous) : null;
        CryptographicOperations.ZeroMemory(previous);
        return found;
    }

    private static void Seal(AccountKey key, ReadOnlySpan<byte> info, ReadOnlySpan<byte> content, ReadOnlySpan<byte> associated, Span<byte> sealedBytes)
    {
        using var aead = key.DeriveAead(info);
        RandomNumberGenerator.Fill(sealedBytes[..NonceSize]);
        aead.Seal(sealedBytes[..NonceSize], content, associated, sealedBytes[NonceSize..]);
    }

    private static bool TryOpen(AccountKey key, ReadOnlySpan<byte> info, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associated, Span<byte> content)
    {
        using var aead = key.DeriveAead(info);
        return aead.TryOpen(sealedBytes[..NonceSize], sealedBytes[NonceSize..], associated, content);
    }
}
