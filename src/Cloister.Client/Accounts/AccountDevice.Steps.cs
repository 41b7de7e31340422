using System.Security.Cryptography;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>The steps of what changes an account, each of which may be done twice.</summary>
public sealed partial class AccountDevice
{
    // A removal that another device's removal overtakes begins again.
    private const int MostTries = 4;

    // The refresh that the history asked for. One at a time: replaced only when the last one is done.
    private Task _refreshing = Task.CompletedTask;

    internal AccountPlace Place => _place;

    internal EpochRecord NewestEpoch => _record.Epochs[^1];

    internal Task<AccountListing> ListingAsync(CancellationToken cancellationToken) => _session.UseAsync(token => _place.Operator.ReadAsync(token, cancellationToken), cancellationToken);

    /// <summary>Unlocks again, for what needs the account key itself: the caller disposes it.</summary>
    internal async Task<Unlocked> UnlockAsync(ShownUnlocker? shown, CancellationToken cancellationToken)
    {
        if (shown is null || shown.Unlocker == Id)
        {
            return await Unlocking.AgainAsync(_place.Custody, _record, _secret).ConfigureAwait(false);
        }
        var listing = await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
        var own = listing.Find(shown.Unlocker) ?? throw new AccountFaultException(AccountFault.UnlocksNothing);
        return await Unlocking.OpenAsync(_place.Custody, shown, listing, own, null).ConfigureAwait(false);
    }

    /// <summary>Adds an unlocker whose wrap is made. Saved whole, then the vault's list, then the operator.</summary>
    internal Task AddAsync(Func<CancellationToken, Task<(AccountUnlocker Unlocker, UnlockerEntry Entry)>> make, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
        await FinishAddingAsync(cancellationToken).ConfigureAwait(false);
        for (int tries = 1; ; tries++)
        {
            var (unlocker, entry) = await make(cancellationToken).ConfigureAwait(false);
            await SaveAsync(_record with { Adding = unlocker, Pending = [.. _record.Pending, entry] }, cancellationToken).ConfigureAwait(false);
            await WritePendingAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await FinishAddingAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (AccountFaultException fault) when (fault.Fault is AccountFault.EpochPassed && tries < MostTries)
            {
                await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }, cancellationToken);

    private async Task AddAsync(Identity unlocker, UnlockerSecret secret, string label, ShownUnlocker? shown, CancellationToken cancellationToken)
    {
        if (Unlockers.Any(one => one.Id == unlocker))
        {
            throw new AccountFaultException(AccountFault.NotPossible);
        }
        await AddAsync(async cancellation =>
        {
            using var unlocked = await UnlockAsync(shown, cancellation).ConfigureAwait(false);
            var made = await Unlocking.WrapAsync(_place, unlocked, unlocker, secret).ConfigureAwait(false);
            return (made, await Unlocking.EntryAsync(Account, made, secret, label).ConfigureAwait(false));
        }, cancellationToken).ConfigureAwait(false);
    }

    // Takes what the operator says of the epochs only as a continuation of what this device accepted before: a shorter list, or another, is refused.
    private async Task<AccountListing> TakeEpochsAsync(CancellationToken cancellationToken)
    {
        await ReloadAsync(cancellationToken).ConfigureAwait(false);
        var listing = await ListingAsync(cancellationToken).ConfigureAwait(false);
        if (listing.Epochs.Length < _record.Epochs.Length || !_record.Epochs.Zip(listing.Epochs).All(pair => pair.First.Bytes.Span.SequenceEqual(pair.Second.Bytes.Span)))
        {
            throw new AccountFaultException(AccountFault.EpochsBroken);
        }
        var own = listing.Find(Id) ?? throw new AccountFaultException(AccountFault.Unexpected);
        if (listing.Epochs.Length > _record.Epochs.Length)
        {
            // The wrap that this device kept leads there; the operator's own copy of it only where it is by secret and newer, which another program on this device made.
            var kept = own.Renewed is null ? own : own with { Wrap = _record.Wrap };
            using var unlocked = await Unlocking.OpenAsync(_place.Custody, new(Id, _secret), listing, kept, _record.Commitment).ConfigureAwait(false);
            await SaveAsync(_record with { Epochs = listing.Epochs, Wrap = unlocked.NewWrap ?? own.Wrap, Commitment = listing.Epochs[^1].KeyCommitment }, cancellationToken).ConfigureAwait(false);
            await UseKeysAsync(cancellationToken).ConfigureAwait(false);
        }
        if (own.Renewed is not null)
        {
            await _session.UseAsync(token => _place.Operator.PutUnlockerAsync(token, own with { Wrap = _record.Wrap, Renewed = null }, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        return listing;
    }

    private async Task UseKeysAsync(CancellationToken cancellationToken)
    {
        var keys = await Unlocking.KeysAsync(_place.Custody, _record, _secret).ConfigureAwait(false);
        await History.ReplaceKeysAsync(keys, cancellationToken).ConfigureAwait(false);
        _keys.Dispose();
        _keys = keys;
    }

    private async Task WritePendingAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in _record.Pending)
        {
            await History.SetAsync(RegisterKind.Unlockers, "", entry.Field, entry.ToJson(), cancellationToken).ConfigureAwait(false);
            if (entry.Kind is UnlockerKind.Device)
            {
                var device = new DeviceEntry(entry.Id, entry.Label, entry.Added);
                await History.SetAsync(RegisterKind.Devices, "", device.Field, device.ToJson(), cancellationToken).ConfigureAwait(false);
            }
        }
        if (!_record.Pending.IsEmpty)
        {
            await SaveAsync(_record with { Pending = [] }, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task FinishAddingAsync(CancellationToken cancellationToken)
    {
        await WritePendingAsync(cancellationToken).ConfigureAwait(false);
        if (_record.Adding is not { } adding)
        {
            return;
        }
        try
        {
            await _session.UseAsync(token => _place.Operator.PutUnlockerAsync(token, adding, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.EpochPassed)
        {
            // Its wrap is of an epoch that passed, and its secret is gone or is made again by who has it: the vault's list is set right, so that nobody counts on it.
            await StrikeAsync(adding.Id, cancellationToken).ConfigureAwait(false);
            await SaveAsync(_record with { Adding = null }, cancellationToken).ConfigureAwait(false);
            throw;
        }
        await SaveAsync(_record with { Adding = null }, cancellationToken).ConfigureAwait(false);
    }

    private async Task FinishRemovingAsync(AccountListing listing, CancellationToken cancellationToken)
    {
        if (_record.Removing is not { } removing)
        {
            return;
        }
        if (_record.Epochs.Any(epoch => SHA256.HashData(epoch.Bytes.Span).AsSpan().SequenceEqual(removing.RecordHash.Span)))
        {
            await EndRemovalAsync(removing.Unlocker, listing, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await History.SyncNowAsync(cancellationToken).ConfigureAwait(false);
            await RemoveByEpochAsync(removing.Unlocker, listing, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RemoveByEpochAsync(Identity unlocker, AccountListing listing, CancellationToken cancellationToken)
    {
        for (int tries = 1; ; tries++)
        {
            var staying = Unlockers.Where(one => one.Id != unlocker).ToList();
            if (!staying.Any(one => one.Id == Id))
            {
                throw new AccountFaultException(AccountFault.NotPossible, "This device is not in the account's own list yet: sync first.");
            }
            using var unlocked = await UnlockAsync(null, cancellationToken).ConfigureAwait(false);
            var epoch = await Unlocking.NewEpochAsync(unlocked, staying, listing).ConfigureAwait(false);
            epoch.Keys.Dispose();
            await SaveAsync(_record with { Removing = new(unlocker, SHA256.HashData(epoch.Record.Bytes.Span)) }, cancellationToken).ConfigureAwait(false);
            try
            {
                await _session.UseAsync(token => _place.Operator.BeginEpochAsync(token, epoch.Record, epoch.Wraps, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
            catch (AccountFaultException fault) when (fault.Fault is AccountFault.EpochPassed && tries < MostTries)
            {
                listing = await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
                await History.SyncNowAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }
            await EndRemovalAsync(unlocker, await TakeEpochsAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            return;
        }
    }

    // The vault's list first: whatever the operator does then, no key is wrapped for it again.
    private async Task EndRemovalAsync(Identity unlocker, AccountListing listing, CancellationToken cancellationToken)
    {
        await StrikeAsync(unlocker, cancellationToken).ConfigureAwait(false);
        if (listing.Find(unlocker) is { Wrap: null, Renewed: null })
        {
            // A passkey whose wrap never arrived: epochs leave it there, and it would sign in.
            await DeleteUnlockerAsync(unlocker, cancellationToken).ConfigureAwait(false);
        }
        await SaveAsync(_record with { Removing = null }, cancellationToken).ConfigureAwait(false);
    }

    private Task DeleteUnlockerAsync(Identity unlocker, CancellationToken cancellationToken) =>
        _session.UseAsync(token => _place.Operator.DeleteUnlockerAsync(token, unlocker, cancellationToken), cancellationToken);

    private async Task RequestDeletionAsync(AccountToken token, byte[] challenge, byte[] signature, CancellationToken cancellationToken)
    {
        bool before = _perhapsDeleted;
        _perhapsDeleted = true;
        try
        {
            await _place.Operator.DeleteAccountAsync(token, challenge, signature, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException)
        {
            _perhapsDeleted = before;
            throw;
        }
    }

    private Task StrikeAsync(Identity unlocker, CancellationToken cancellationToken) => History.SetAsync(RegisterKind.Unlockers, "", UnlockerEntry.FieldOf(unlocker), null, cancellationToken);

    // Another program on this device may have gone on: its record is the newer one.
    private async Task ReloadAsync(CancellationToken cancellationToken)
    {
        if (await _place.Memory.LoadAsync(cancellationToken).ConfigureAwait(false) is not { } remembered)
        {
            throw new AccountEndedException("This device left the account.");
        }
        using var secret = remembered.Secret;
        if (!DeviceRecord.TryParse(remembered.Record.Span, out var record) || record.Account != Account || record.Device != Id)
        {
            throw new AccountEndedException("This device entered another account meanwhile.");
        }
        bool newer = record.Epochs.Length > _record.Epochs.Length;
        _record = record;
        if (newer)
        {
            await UseKeysAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SaveAsync(DeviceRecord record, CancellationToken cancellationToken)
    {
        await _place.Memory.SaveAsync(record, _secret, cancellationToken).ConfigureAwait(false);
        _record = record;
    }

    private async Task AloneAsync(Func<Task> change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await change().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    // What fails is tried again when the history says again that it waits, or when the user does.
    private void OnChanged()
    {
        if (History.Sync.Waiting is SyncWait.NewKeys && _refreshing.IsCompleted && !_ending.IsCancellationRequested)
        {
            _refreshing = Task.Run(async () =>
            {
                try
                {
                    await RefreshAsync(_ending.Token).ConfigureAwait(false);
                    Refreshed?.Invoke(null);
                }
                catch (OperationCanceledException) when (_ending.IsCancellationRequested)
                {
                    // Disposed.
                }
                catch (Exception fault) when (fault is AccountFaultException or AccountEndedException or IOException or OperationCanceledException)
                {
                    Refreshed?.Invoke(fault);
                }
            });
        }
    }
}
