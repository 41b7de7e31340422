using System.Collections.Immutable;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>An account as this device has it: its history, its unlockers, and what can be done to them. Opened with the operator or without.</summary>
/// <remarks>
/// <para>What changes the account goes in steps that a crash may fall between. Before the first step the whole intention is saved, and <see cref="RefreshAsync"/> completes it:</para>
/// <para>Adding: the vault's list first, the operator then. So an unlocker that only the operator lists is never one of ours.</para>
/// <para>Removing: the new epoch first, the vault's list then. Whether the operator took the epoch shows in the records, which it cannot make up: if it did not, the removal begins again.</para>
/// <para>Whether a removal takes a new epoch is for the vault's list to say: the operator could otherwise spare a device its removal by saying that it holds no wrap for it.</para>
/// </remarks>
public sealed partial class AccountDevice : IAsyncDisposable
{
    private readonly AccountPlace _place;
    private readonly UnlockerSecret _secret;
    private readonly AccountSession _session;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly CancellationTokenSource _ending = new();
    private int _disposed;
    private int _closed;

    // A deletion was asked for, and the operator did not refuse it.
    private volatile bool _perhapsDeleted;

    // Written under the semaphore.
    private DeviceRecord _record;
    private VaultKeys _keys;

    private AccountDevice(AccountPlace place, DeviceRecord record, UnlockerSecret secret, VaultKeys keys, AccountSession session, UserHistory history) =>
        (_place, _record, _secret, _keys, _session, History) = (place, record, secret, keys, session, history);

    public AccountNumber Account => _record.Account;

    /// <summary>The identity of this device's unlocker.</summary>
    public Identity Id => _record.Device;

    public string Label => _record.Label;

    /// <summary>The conversations and everything else that is synced.</summary>
    public UserHistory History { get; }

    /// <summary>The device asked by itself how the account's keys stand, because the history met an epoch that it does not know: what went wrong, or null where nothing did. Raised on any thread.</summary>
    public event Action<Exception?>? Refreshed;

    /// <summary>The vault's own list, as this device has it.</summary>
    public ImmutableArray<UnlockerEntry> Unlockers => [.. History.Unlockers];

    /// <summary>What would bring the account back, and what would lose it.</summary>
    public RecoveryOutlook Outlook => RecoveryOutlook.Of(Unlockers, Id);

    /// <summary>The secret is the device's once this returns; where it throws, still the caller's, and nothing else stays open.</summary>
    internal static async Task<AccountDevice> OpenAsync(AccountPlace place, DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken)
    {
        var keys = await Unlocking.KeysAsync(place.Custody, record, secret).ConfigureAwait(false);
        var session = new AccountSession(place.Operator, record.Account, record.Device, secret);
        IAsyncDisposable? opened = null;
        try
        {
            var store = await place.OpenStore(cancellationToken).ConfigureAwait(false);
            opened = store;
            var history = await UserHistory.OpenAsync(store, keys, new HttpAccountLink(session), record.Device, place.Time, cancellationToken).ConfigureAwait(false);
            opened = history;
            var device = new AccountDevice(place, record, secret, keys, session, history);
            await device.AloneAsync(() => device.WritePendingAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            history.Changed += device.OnChanged;
            return device;
        }
        catch
        {
            // The history is syncing already, in the name of a device that nobody has.
            if (opened is not null)
            {
                await opened.DisposeAsync().ConfigureAwait(false);
            }
            session.Dispose();
            keys.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks the operator how the account's keys stand, takes a new epoch that another device began, and finishes what a crash interrupted. To be called once after opening, whenever
    /// the history says that it meets an epoch it does not know, and at will.
    /// </summary>
    /// <exception cref="AccountEndedException">This device was removed, or the account was deleted.</exception>
    /// <exception cref="AccountFaultException">The operator's records do not continue those that this device knows, or its wrap does not open: nothing was taken.</exception>
    public Task RefreshAsync(CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        var listing = await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
        await FinishAddingAsync(cancellationToken).ConfigureAwait(false);
        await FinishRemovingAsync(listing, cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>The operator's figures: bytes used, and how many there may be.</summary>
    public async Task<(long Used, long Quota)> RoomAsync(CancellationToken cancellationToken)
    {
        var listing = await ListingAsync(cancellationToken).ConfigureAwait(false);
        return (listing.Used, listing.Quota);
    }

    /// <summary>The vault's list beside what the operator says.</summary>
    public async Task<ImmutableArray<UnlockerStanding>> CompareUnlockersAsync(CancellationToken cancellationToken)
    {
        var listing = await ListingAsync(cancellationToken).ConfigureAwait(false);
        return UnlockerStanding.Compare(Unlockers, listing.Unlockers, Id);
    }

    /// <summary>Adds words: those that the user has written down and repeated.</summary>
    /// <param name="shown">An existing unlocker that was just shown. Null: this device's own.</param>
    public async Task AddWordsAsync(RecoveryWords words, string label, ShownUnlocker? shown, CancellationToken cancellationToken)
    {
        using var secret = await words.ToSecretAsync(_place.Custody).ConfigureAwait(false);
        await AddAsync(words.Unlocker, secret, label, shown, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a passphrase. An account has at most one: another takes the removal of the first.</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.NotPossible"/> where there is one.</exception>
    public async Task AddPassphraseAsync(string passphrase, string label, ShownUnlocker? shown, CancellationToken cancellationToken)
    {
        using var secret = await Passphrase.ToSecretAsync(passphrase, Account, _place.Custody).ConfigureAwait(false);
        await AddAsync(Passphrase.Unlocker(Account), secret, label, shown, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds trustees. Their shares are not kept: each goes to one of them.</summary>
    /// <param name="shares">Of <see cref="Trustees.Generate"/>, which the user has seen: an addition that breaks off may be completed later, when nothing could show them any more.</param>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.NotPossible"/> where they do not join.</exception>
    public async Task AddTrusteesAsync(IReadOnlyList<string> shares, string label, ShownUnlocker? shown, CancellationToken cancellationToken)
    {
        var trustees = await Secrets.OfSharesAsync(_place.Custody, shares).ConfigureAwait(false);
        using var secret = trustees.Secret;
        await AddAsync(trustees.Unlocker, secret, label, shown, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Adds a passkey; without a PRF it signs in and unlocks nothing. False where its user said no. The operator learns of it before the vault does: after a crash in between it stands there
    /// without a wrap, unknown to the vault, and can be removed.
    /// </summary>
    public async Task<bool> AddPasskeyAsync(PasskeyCeremony ask, string label, ShownUnlocker? shown, CancellationToken cancellationToken)
    {
        var question = await _session.UseAsync(token => _place.Operator.NewPasskeyOptionsAsync(token, label, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (await ask(question, cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return false;
        }
        using var secret = answer.Secret;
        var unlocker = Identity.Generate();
        await _session.UseAsync(token => _place.Operator.AddPasskeyAsync(token, unlocker, answer.CredentialJson, question.State, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (secret is not null)
        {
            await AddAsync(unlocker, secret, label, shown, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            var entry = new UnlockerEntry(unlocker, UnlockerKind.Passkey, label, default, _place.Today);
            await History.SetAsync(RegisterKind.Unlockers, "", entry.Field, entry.ToJson(), cancellationToken).ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>Answers a device that shows a code. Nothing is shared before <see cref="PairingOffer.ApproveAsync"/>.</summary>
    /// <param name="code">Eight letters, or the text of its QR code.</param>
    public Task<PairingOffer> AnswerPairingAsync(string code, CancellationToken cancellationToken) => PairingOffer.MakeAsync(this, _place, code, cancellationToken);

    /// <summary>Renames an unlocker in the vault's list. The operator does not know names.</summary>
    /// <param name="label">Cut where it is longer than 64 bytes.</param>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.NotThere"/> where the list does not have it; <see cref="AccountFault.NotPossible"/> where only a newer program knows its kind, which would be lost.</exception>
    public async Task RenameAsync(Identity unlocker, string label, CancellationToken cancellationToken)
    {
        label = Labels.Cut(label);
        var entry = Unlockers.FirstOrDefault(one => one.Id == unlocker) ?? throw new AccountFaultException(AccountFault.NotThere);
        if (entry.Kind is UnlockerKind.None)
        {
            throw new AccountFaultException(AccountFault.NotPossible, "Only a newer program knows what this is: rename it there.");
        }
        await History.SetAsync(RegisterKind.Unlockers, "", entry.Field, (entry with { Label = label }).ToJson(), cancellationToken).ConfigureAwait(false);
        if (unlocker == Id)
        {
            await AloneAsync(() => SaveAsync(_record with { Label = label }, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Removes an unlocker: a new epoch begins, whose key is wrapped for those that stay in the vault's own list. What is written from then on it cannot read; what was written before, and it had read, it may have kept.
    /// </summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.LastWay"/> where nothing that unlocks would stay; <see cref="AccountFault.NotThere"/> where nobody knows it.</exception>
    public Task RemoveAsync(Identity unlocker, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        if (unlocker == Id)
        {
            throw new AccountFaultException(AccountFault.NotPossible, "A device leaves its account by signing out.");
        }
        var listing = await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
        await History.SyncNowAsync(cancellationToken).ConfigureAwait(false);
        var entry = Unlockers.FirstOrDefault(one => one.Id == unlocker);
        var held = listing.Find(unlocker);
        if (entry is null && held is null)
        {
            throw new AccountFaultException(AccountFault.NotThere);
        }
        if (entry is not { PublicKey.IsEmpty: false } && held is { Wrap: null, Renewed: null })
        {
            await DeleteUnlockerAsync(unlocker, cancellationToken).ConfigureAwait(false);
            await StrikeAsync(unlocker, cancellationToken).ConfigureAwait(false);
            return;
        }
        await RemoveByEpochAsync(unlocker, listing, cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>
    /// This device leaves the account: it removes itself, and forgets everything it had. The vault's list first here, because afterwards it could not write; a crash in between leaves it
    /// working and unlisted, until it leaves again.
    /// </summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.LastWay"/> where nothing else opens the account.</exception>
    /// <exception cref="OperatorUnreachableException">Then nothing was forgotten. <see cref="ForgetAsync"/> does without the operator.</exception>
    public Task LeaveAsync(CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        var listing = await TakeEpochsAsync(cancellationToken).ConfigureAwait(false);
        await History.SyncNowAsync(cancellationToken).ConfigureAwait(false);
        if (!Unlockers.Any(one => one.Id != Id && !one.PublicKey.IsEmpty))
        {
            throw new AccountFaultException(AccountFault.LastWay);
        }
        await StrikeAsync(Id, cancellationToken).ConfigureAwait(false);
        await History.SyncNowAsync(cancellationToken).ConfigureAwait(false);
        using var unlocked = await Unlocking.AgainAsync(_place.Custody, _record, _secret).ConfigureAwait(false);
        var epoch = await Unlocking.NewEpochAsync(unlocked, Unlockers.Where(one => one.Id != Id), listing).ConfigureAwait(false);
        epoch.Keys.Dispose();
        await _session.LeaveAsync(token => _place.Operator.BeginEpochAsync(token, epoch.Record, epoch.Wraps, cancellationToken), cancellationToken).ConfigureAwait(false);
        await ForgetAsync(cancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>
    /// Forgets the account on this device, and asks nobody: it works without the operator and against its will. The operator and the other devices still list it, and what was not yet
    /// synced is lost. Where this device entered another account meanwhile, that one stays.
    /// </summary>
    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        await CloseHistoryAsync().ConfigureAwait(false);
        await _place.Memory.ForgetAsync(Id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether this device still has its way to the account: another program or window may have forgotten it, or entered another account.</summary>
    public async Task<bool> IsKeptAsync(CancellationToken cancellationToken)
    {
        if (await _place.Memory.LoadAsync(cancellationToken).ConfigureAwait(false) is not { } kept)
        {
            return false;
        }
        kept.Secret.Dispose();
        return DeviceRecord.TryParse(kept.Record.Span, out var record) && record.Device == Id;
    }

    /// <summary>Deletes the account at the operator with everything in it, and forgets it here. Other devices keep what they have. Asked again where an answer was lost, it finds that it was done.</summary>
    /// <exception cref="AccountEndedException">This device was removed, or the account was deleted by another, which the operator does not tell apart. Then nothing was forgotten.</exception>
    /// <exception cref="OperatorUnreachableException">Then nothing was forgotten either, and nobody knows whether the account is there.</exception>
    public async Task DeleteAccountAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _session.LeaveAsync(async token =>
            {
                byte[] challenge = await _place.Operator.ChallengeAsync(cancellationToken).ConfigureAwait(false);
                byte[] signature = await _secret.SignAsync(Account, SignInMessage.DeleteAccount(Id, challenge)).ConfigureAwait(false);
                await RequestDeletionAsync(token, challenge, signature, cancellationToken).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountEndedException) when (_perhapsDeleted)
        {
            // It was this device's own request.
        }
        await ForgetAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets go of keys and history. What was confirmed is on this device.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        History.Changed -= OnChanged;
        await _ending.CancelAsync().ConfigureAwait(false);
        await _refreshing.ConfigureAwait(false);
        await CloseHistoryAsync().ConfigureAwait(false);
        _keys.Dispose();
        _secret.Dispose();
        _session.Dispose();
        _changing.Dispose();
        _ending.Dispose();
    }

    // Before its file is deleted, or at the end: whichever is first.
    private ValueTask CloseHistoryAsync() => Interlocked.Exchange(ref _closed, 1) == 0 ? History.DisposeAsync() : default;
}
