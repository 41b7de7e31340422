using System.Collections.Immutable;
using System.Runtime.InteropServices.JavaScript;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Unlockers;

namespace Cloister.Web.Keys;

/// <summary>Wraps and epoch records (docs/spec/vault.md, sections 2 and 3), with the account key as a handle.</summary>
internal static class WebCryptoEpoch
{
    private const int NonceSize = 12;

    public static Task<byte[]> CommitmentAsync(JSObject accountKey, AccountNumber account) =>
        VaultModule.BytesAsync(VaultModule.DeriveFromAccountAsync(accountKey, account.ToArray(), "cloister account v1 key commitment"));

    /// <summary>Makes a record for a new head key.</summary>
    /// <param name="previous">The account key of the epoch before; null in epoch 1.</param>
    /// <param name="signing">The head key of the epoch before; in epoch 1 the new one.</param>
    public static async Task<EpochRecord> MakeAsync(AccountNumber account, uint epoch, JSObject key, JSObject head, JSObject? previous, JSObject signing)
    {
        byte[] salt = account.ToArray();
        var headKey = new Ed25519PublicKey(head.GetPropertyAsByteArray("publicKey"));
        byte[] begin = EpochRecord.Begin(account, epoch, headKey, await CommitmentAsync(key, account));
        byte[] headIv = RandomNumberGenerator.GetBytes(NonceSize);
        byte[] previousIv = RandomNumberGenerator.GetBytes(NonceSize);
        byte[] sealedHead = await VaultModule.BytesAsync(VaultModule.SealHeadKeyAsync(key, head, salt, headIv, begin));
        byte[] sealedPrevious = previous is null ? [] : await VaultModule.BytesAsync(VaultModule.SealPreviousAsync(key, previous, salt, previousIv, begin));
        byte[] signed = [.. begin, .. headIv, .. sealedHead, .. previous is null ? [] : previousIv, .. sealedPrevious];
        byte[] signature = await VaultModule.BytesAsync(VaultModule.SignAsync(signing, signed));
        byte[] record = [.. signed, .. signature];
        return EpochRecord.TryParse(record, out var made, out var error) ? made : throw new System.Diagnostics.UnreachableException($"{error}");
    }

    /// <summary>The head key. Null where it does not open, or is another than the record's.</summary>
    public static Task<JSObject?> OpenHeadAsync(JSObject accountKey, EpochRecord record)
    {
        byte[] sealedKey = record.SealedHeadKey.ToArray();
        return VaultModule.OpenHeadKeyAsync(accountKey, record.Account.ToArray(), sealedKey[NonceSize..], sealedKey[..NonceSize], record.AssociatedData.ToArray(), record.HeadKey.Bytes.ToArray());
    }

    /// <summary>The head key of a record that this device made or has opened before, as a handle that gives no bytes: a new one could be exported, because it had to be sealed.</summary>
    public static async Task<JSObject> KeepHeadAsync(JSObject accountKey, EpochRecord record) => await OpenHeadAsync(accountKey, record) ?? throw new System.Diagnostics.UnreachableException();

    public static Task<JSObject?> OpenPreviousAsync(JSObject accountKey, EpochRecord record)
    {
        byte[] sealedKey = record.SealedPrevious.ToArray();
        return VaultModule.OpenPreviousAsync(accountKey, record.Account.ToArray(), sealedKey[NonceSize..], sealedKey[..NonceSize], record.AssociatedData.ToArray());
    }

    public static async Task<ImmutableDictionary<Identity, ReadOnlyMemory<byte>>> WrapsAsync(JSObject accountKey, AccountNumber account, uint epoch, IReadOnlyList<UnlockerSlot> unlockers)
    {
        var wraps = ImmutableDictionary.CreateBuilder<Identity, ReadOnlyMemory<byte>>();
        foreach (var unlocker in unlockers)
        {
            wraps.Add(unlocker.Unlocker, await WrapAsync(accountKey, account, epoch, unlocker));
        }
        return wraps.ToImmutable();
    }

    /// <exception cref="ArgumentException">The public key is none.</exception>
    public static async Task<ReadOnlyMemory<byte>> WrapAsync(JSObject accountKey, AccountNumber account, uint epoch, UnlockerSlot slot)
    {
        byte[] associated = Wrap.Associated(account, slot.Unlocker, slot.Kind, epoch);
        if (slot.Secret is WebCryptoSecret secret)
        {
            using var wrapKey = await VaultModule.WrapKeyOfAsync(secret.Handle, account.ToArray());
            byte[] iv = RandomNumberGenerator.GetBytes(NonceSize);
            byte[] sealedByWrapKey = await VaultModule.BytesAsync(VaultModule.WrapAccountKeyAsync(accountKey, wrapKey, iv, associated));
            return Wrap.JoinBySecret(epoch, iv, sealedByWrapKey);
        }
        if (!Wrap.TryEncapsulate(slot.PublicKey.Span, epoch, out byte[] begin, out byte[] key))
        {
            throw new ArgumentException("That is no public key of an unlocker.", nameof(slot));
        }
        using var toKey = await VaultModule.ImportWrapKeyAsync(key);
        CryptographicOperations.ZeroMemory(key);
        byte[] sealedKey = await VaultModule.BytesAsync(VaultModule.WrapAccountKeyAsync(accountKey, toKey, new byte[NonceSize], associated));
        return (byte[])[.. begin, .. sealedKey];
    }

    /// <summary>The account key of a wrap that <see cref="Wrap.TryRead"/> took, in either form. Null where it does not open.</summary>
    public static async Task<JSObject?> OpenWrapAsync(WebCryptoSecret secret, AccountNumber account, Identity unlocker, ReadOnlyMemory<byte> wrap)
    {
        _ = Wrap.TryRead(wrap.Span, out WrapForm form, out uint epoch);
        byte[] associated = Wrap.Associated(account, unlocker, secret.Kind, epoch);
        if (form == WrapForm.BySecret)
        {
            using var wrapKey = await VaultModule.WrapKeyOfAsync(secret.Handle, account.ToArray());
            var (iv, sealedKey) = Wrap.SplitBySecret(wrap.Span);
            return await VaultModule.UnwrapAccountKeyAsync(wrapKey, sealedKey, iv, associated);
        }

        var (x25519, mlKem) = await secret.PrivateKeysAsync();
        byte[] key, wrapped;
        using (x25519)
        using (mlKem)
        {
            if (!Wrap.TryDecapsulate(x25519, mlKem, wrap.Span, out key, out wrapped))
            {
                return null;
            }
        }
        using var toKey = await VaultModule.ImportWrapKeyAsync(key);
        CryptographicOperations.ZeroMemory(key);
        return await VaultModule.UnwrapAccountKeyAsync(toKey, wrapped, new byte[NonceSize], associated);
    }
}
