using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>What the custody of keys answers, as values and faults of accounts.</summary>
internal static class Unlocking
{
    /// <summary>Opens what the operator shows for an unlocker whose secret is at hand. The caller disposes it.</summary>
    /// <param name="commitment">Of the wrap's epoch, where this device knows it: by pairing, or from before.</param>
    public static async ValueTask<Unlocked> OpenAsync(KeyCustody custody, ShownUnlocker shown, AccountListing listing, AccountUnlocker own, ReadOnlyMemory<byte>? commitment)
    {
        var wraps = new StoredWraps(shown.Unlocker, own.Wrap ?? throw new AccountFaultException(AccountFault.UnlocksNothing), own.Renewed ?? default);
        var outcome = await custody.UnlockAsync(shown.Secret, wraps, listing.Epochs, commitment).ConfigureAwait(false);
        return outcome.Unlocked ?? throw new AccountFaultException(outcome.Fault switch
        {
            UnlockFault.WrongSecret or UnlockFault.Malformed => AccountFault.WrapDoesNotOpen,
            UnlockFault.Removed                              => AccountFault.UnlocksNothing,
            _                                                => AccountFault.EpochsBroken,
        });
    }

    /// <summary>Opens what this device remembers. The caller disposes it.</summary>
    /// <exception cref="InvalidDataException">It does not open: somebody changed it behind our back.</exception>
    public static async ValueTask<Unlocked> AgainAsync(KeyCustody custody, DeviceRecord record, UnlockerSecret secret)
    {
        var wraps = new StoredWraps(record.Device, record.Wrap ?? throw new InvalidOperationException("The device is not ready."), default);
        var outcome = await custody.UnlockAsync(secret, wraps, record.Epochs, record.Commitment).ConfigureAwait(false);
        return outcome.Unlocked ?? throw new InvalidDataException($"What this device keeps of its account does not open ({outcome.Fault}).");
    }

    public static async ValueTask<VaultKeys> KeysAsync(KeyCustody custody, DeviceRecord record, UnlockerSecret secret)
    {
        using var unlocked = await AgainAsync(custody, record, secret).ConfigureAwait(false);
        return await unlocked.KeysAsync().ConfigureAwait(false);
    }

    /// <summary>A new unlocker as the operator is to have it.</summary>
    public static async ValueTask<AccountUnlocker> WrapAsync(AccountPlace place, Unlocked unlocked, Identity unlocker, UnlockerSecret secret) =>
        await UnlockerAsync(place, unlocked.Epochs[^1].Account, unlocker, secret, await unlocked.WrapAsync(new(unlocker, secret)).ConfigureAwait(false)).ConfigureAwait(false);

    public static async ValueTask<AccountUnlocker> UnlockerAsync(AccountPlace place, AccountNumber account, Identity unlocker, UnlockerSecret secret, ReadOnlyMemory<byte> wrap) =>
        new(unlocker, secret.Kind, secret.Kind is UnlockerKind.Passkey ? null : await secret.SignInKeyAsync(account).ConfigureAwait(false), wrap, null, place.Today);

    /// <summary>The same unlocker as the vault's own list is to have it.</summary>
    public static async ValueTask<UnlockerEntry> EntryAsync(AccountNumber account, AccountUnlocker unlocker, UnlockerSecret secret, string label) =>
        new(unlocker.Id, unlocker.Kind, label, await secret.PublicKeyAsync(account).ConfigureAwait(false), unlocker.Added);

    /// <summary>
    /// A new epoch for those of the vault's list that can be wrapped for. Those that the operator does not have are left out, because it would refuse the whole: it can only take somebody's way
    /// away by that, which it can anyway.
    /// </summary>
    public static ValueTask<NewEpoch> NewEpochAsync(Unlocked unlocked, IEnumerable<UnlockerEntry> staying, AccountListing listing) =>
        unlocked.NewEpochAsync([.. staying.Where(one => !one.PublicKey.IsEmpty && listing.Find(one.Id) is not null).Select(one => new UnlockerSlot(one.Id, one.Kind, one.PublicKey))]);
}
