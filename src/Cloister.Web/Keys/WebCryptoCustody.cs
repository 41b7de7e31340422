using System.Collections.Immutable;
using System.Runtime.InteropServices.JavaScript;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Web.Keys;

/// <summary>
/// Keys as handles of WebCrypto: what stays after unlocking works in this page and gives no bytes. That keeps keys from logs, crashes and mistakes, not from an attacker's script in the
/// page: with the handle of an unlocker's secret it can open the wrap for itself, and the content security policy is what keeps it out.
/// </summary>
internal sealed class WebCryptoCustody : KeyCustody
{
    public override async ValueTask<UnlockerSecret> NewDeviceSecretAsync()
    {
        await VaultModule.ImportAsync();
        return new WebCryptoSecret(UnlockerKind.Device, await VaultModule.NewSecretAsync());
    }

    public override async ValueTask<UnlockerSecret> ImportAsync(UnlockerKind kind, ReadOnlyMemory<byte> secret)
    {
        if (secret.Length != MemorySecret.Size)
        {
            throw new ArgumentException("An unlocker's secret has 32 bytes.", nameof(secret));
        }
        await VaultModule.ImportAsync();
        byte[] bytes = secret.ToArray();
        var handle = await VaultModule.ImportSecretAsync(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return new WebCryptoSecret(kind, handle);
    }

    public override async ValueTask<NewEpoch> CreateAsync(AccountNumber account, IReadOnlyList<UnlockerSlot> unlockers)
    {
        ArgumentOutOfRangeException.ThrowIfZero(unlockers.Count);
        await VaultModule.ImportAsync();
        using var key = await VaultModule.NewAccountKeyAsync();
        using var head = await VaultModule.NewHeadKeyAsync();
        var record = await WebCryptoEpoch.MakeAsync(account, 1, key, head, null, head);
        return new(record, await WebCryptoEpoch.WrapsAsync(key, account, 1, unlockers), await WebCryptoKeys.MakeAsync([record], [key], await WebCryptoEpoch.KeepHeadAsync(key, record)));
    }

    protected override async ValueTask<HeldAccountKey?> OpenWrapAsync(UnlockerSecret secret, AccountNumber account, Identity unlocker, ReadOnlyMemory<byte> wrap)
    {
        await VaultModule.ImportAsync();
        return await WebCryptoEpoch.OpenWrapAsync((WebCryptoSecret)secret, account, unlocker, wrap) is { } handle ? new WebCryptoAccountKey(account, handle) : null;
    }

    protected override async ValueTask<Unlocked> HoldAsync(ImmutableArray<EpochRecord> epochs, ImmutableArray<HeldAccountKey> keys, UnlockerSlot? rewrap) =>
        await WebCryptoUnlocked.MakeAsync(epochs, [.. keys.Cast<WebCryptoAccountKey>().Select(key => key.Handle)], rewrap);
}

/// <summary>An account key as a handle of WebCrypto.</summary>
internal sealed class WebCryptoAccountKey(AccountNumber account, JSObject handle) : HeldAccountKey
{
    public JSObject Handle => handle;

    public override async ValueTask<byte[]> CommitmentAsync() => await WebCryptoEpoch.CommitmentAsync(handle, account);

    public override async ValueTask<bool> OpensHeadAsync(EpochRecord record)
    {
        using var head = await WebCryptoEpoch.OpenHeadAsync(handle, record);
        return head is not null;
    }

    public override async ValueTask<HeldAccountKey?> OpenPreviousAsync(EpochRecord record) => await WebCryptoEpoch.OpenPreviousAsync(handle, record) is { } previous ? new WebCryptoAccountKey(account, previous) : null;

    protected override void Dispose(bool disposing)
    {
        handle.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>An account that was just unlocked in the browser.</summary>
internal sealed class WebCryptoUnlocked : Unlocked
{
    private readonly ImmutableArray<JSObject> _keys;

    private WebCryptoUnlocked(ImmutableArray<EpochRecord> epochs, ImmutableArray<JSObject> keys) => (Epochs, _keys) = (epochs, keys);

    public override ImmutableArray<EpochRecord> Epochs { get; }

    private AccountNumber Account => Epochs[0].Account;

    /// <summary>Takes the account keys over.</summary>
    /// <param name="keys">One for each epoch, the newest of which opens its record's head key.</param>
    /// <param name="rewrap">Null where the stored wrap is the newest epoch's, by secret.</param>
    public static async Task<WebCryptoUnlocked> MakeAsync(ImmutableArray<EpochRecord> epochs, ImmutableArray<JSObject> keys, UnlockerSlot? rewrap) => new(epochs, keys)
    {
        NewWrap = rewrap is null ? (ReadOnlyMemory<byte>?)null : await WebCryptoEpoch.WrapAsync(keys[^1], epochs[0].Account, (uint)epochs.Length, rewrap),
    };

    public override async ValueTask<Vault.Keys.VaultKeys> KeysAsync() => await WebCryptoKeys.MakeAsync(Epochs, _keys, await WebCryptoEpoch.KeepHeadAsync(_keys[^1], Epochs[^1]));

    public override async ValueTask<ReadOnlyMemory<byte>> WrapAsync(UnlockerSlot unlocker) => await WebCryptoEpoch.WrapAsync(_keys[^1], Account, (uint)Epochs.Length, unlocker);

    public override async ValueTask<NewEpoch> NewEpochAsync(IReadOnlyList<UnlockerSlot> staying)
    {
        uint epoch = (uint)Epochs.Length + 1;
        using var key = await VaultModule.NewAccountKeyAsync();
        using var head = await VaultModule.NewHeadKeyAsync();
        using var signing = await WebCryptoEpoch.KeepHeadAsync(_keys[^1], Epochs[^1]);
        var record = await WebCryptoEpoch.MakeAsync(Account, epoch, key, head, _keys[^1], signing);
        return new(record, await WebCryptoEpoch.WrapsAsync(key, Account, epoch, staying), await WebCryptoKeys.MakeAsync([.. Epochs, record], [.. _keys, key], await WebCryptoEpoch.KeepHeadAsync(key, record)));
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var key in _keys)
        {
            key.Dispose();
        }
        base.Dispose(disposing);
    }
}
