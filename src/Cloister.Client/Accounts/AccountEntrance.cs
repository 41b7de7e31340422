using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>
/// The ways to an account for a device that has none yet (docs/spec/vault.md, section 4). Whichever it is, the device makes an unlocker of its own, and from then on
/// <see cref="OpenAsync"/> opens the account, with the operator or without.
/// </summary>
/// <remarks>
/// Before each request that changes something, what is needed to know how it went is saved. After a crash, or where nobody answered, <see cref="OpenAsync"/> goes on: an account that may not
/// have been made is made again, with the same keys and words; a device that may not have been added, by a way in that is no longer at hand, is forgotten if the operator does not
/// know it, and its user enters again. Methods throw <see cref="AccountFaultException"/> and <see cref="OperatorUnreachableException"/>.
/// </remarks>
public sealed class AccountEntrance(AccountPlace place)
{
    // What OpenAsync found last, and the device whose entering failed last in this run: what may be forgotten, and what may be replaced.
    private ReadOnlyMemory<byte>? _found;
    private Identity? _abandoned;

    /// <summary>Opens the account that this device has; null where it has none, or where what a crash had left was undone.</summary>
    /// <exception cref="InvalidDataException">What this device kept is damaged: it enters anew after <see cref="ForgetAsync"/>.</exception>
    public async Task<AccountDevice?> OpenAsync(CancellationToken cancellationToken)
    {
        if (await place.Memory.LoadAsync(cancellationToken).ConfigureAwait(false) is not { } remembered)
        {
            return null;
        }
        _found = remembered.Record;
        if (!DeviceRecord.TryParse(remembered.Record.Span, out var record))
        {
            remembered.Secret.Dispose();
            throw new InvalidDataException("What this device keeps of its account is damaged.");
        }
        try
        {
            return record.Stage switch
            {
                DeviceStage.Ready    => await AccountDevice.OpenAsync(place, record, remembered.Secret, cancellationToken).ConfigureAwait(false),
                DeviceStage.Creating => await CreateAsync(record, remembered.Secret, cancellationToken).ConfigureAwait(false),
                _                    => await JoinAsync(record, remembered.Secret, cancellationToken).ConfigureAwait(false),
            };
        }
        catch
        {
            remembered.Secret.Dispose();
            throw;
        }
    }

    /// <summary>Removes what <see cref="OpenAsync"/> found and could not open, with the history beside it; nothing that another program or window entered since.</summary>
    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        if ((_found ?? await place.Memory.RecordAsync(cancellationToken).ConfigureAwait(false)) is not { } found)
        {
            return;
        }
        if (DeviceRecord.TryParse(found.Span, out var record))
        {
            await place.Memory.ForgetAsync(record.Device, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await place.Memory.TryForgetAsync(found, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Begins a new account: nothing is kept or sent before <see cref="NewAccountDraft.CreateAsync"/>.</summary>
    /// <param name="label">How this device is called among the user's.</param>
    public NewAccountDraft SignUp(string label) => new(this, AccountNumber.Generate(), Labels.Cut(label));

    /// <summary>With the twelve words alone.</summary>
    public async Task<AccountDevice> EnterWithWordsAsync(RecoveryWords words, string label, CancellationToken cancellationToken)
    {
        using var secret = await words.ToSecretAsync(place.Custody).ConfigureAwait(false);
        return await EnterAsync(new ShownUnlocker(words.Unlocker, secret), default(AccountNumber), label, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>With a passphrase, which takes a moment to be derived from, and the account's number.</summary>
    public async Task<AccountDevice> EnterWithPassphraseAsync(AccountNumber account, string passphrase, string label, CancellationToken cancellationToken)
    {
        using var secret = await SecretOfAsync(passphrase, account).ConfigureAwait(false);
        return await EnterAsync(new ShownUnlocker(Passphrase.Unlocker(account), secret), account, label, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>With as many trustees' shares as were said to suffice.</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.NotPossible"/> where the shares do not belong together or are too few.</exception>
    public async Task<AccountDevice> EnterWithSharesAsync(IReadOnlyList<string> shares, string label, CancellationToken cancellationToken)
    {
        var shown = await Secrets.OfSharesAsync(place.Custody, shares).ConfigureAwait(false);
        using var secret = shown.Secret;
        return await EnterAsync(shown, default(AccountNumber), label, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>With a passkey, which says itself whose it is. Null where its user said no.</summary>
    public async Task<AccountDevice?> EnterWithPasskeyAsync(PasskeyCeremony ask, string label, CancellationToken cancellationToken)
    {
        var question = await place.Operator.PasskeySignInOptionsAsync(cancellationToken).ConfigureAwait(false);
        if (await ask(question, cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return null;
        }
        using var secret = answer.Secret ?? throw new AccountFaultException(AccountFault.UnlocksNothing);
        var token = await place.Operator.SignInWithPasskeyAsync(answer.CredentialJson, question.State, cancellationToken).ConfigureAwait(false);
        return await EnterAsync(new ShownUnlocker(token.Unlocker, secret), token, label, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>With a device that has the account: this one shows a code, that one is told it.</summary>
    public Task<JoiningDevice> PairAsync(string label, CancellationToken cancellationToken) => JoiningDevice.BeginAsync(this, place, label, cancellationToken);

    internal AccountPlace Place => place;

    private ValueTask<UnlockerSecret> SecretOfAsync(string passphrase, AccountNumber account) => Passphrase.Check(passphrase) is PassphraseFault.NotText or PassphraseFault.TooLong
        ? throw new AccountFaultException(AccountFault.Wrong)
        : Passphrase.ToSecretAsync(passphrase, account, place.Custody);

    /// <summary>Saves a device's first record, and goes on with it. Where that fails, another attempt of this run may take its place, and nobody else's: what another window entered meanwhile stays.</summary>
    internal async Task<AccountDevice> BeginAsync(DeviceRecord record, UnlockerSecret secret, Func<Task<AccountDevice>> goOn, CancellationToken cancellationToken)
    {
        await place.Memory.AddAsync(record, secret, _abandoned, cancellationToken).ConfigureAwait(false);
        try
        {
            return await goOn().ConfigureAwait(false);
        }
        catch
        {
            _abandoned = record.Device;
            throw;
        }
    }

    /// <summary>Saves an account and tells the operator of it, as often as needed, and opens it.</summary>
    internal Task<AccountDevice> CreateAsync(DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken) =>
        BeginAsync(record, secret, () => TellAsync(record, secret, cancellationToken), cancellationToken);

    private async Task<AccountDevice> TellAsync(DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken)
    {
        try
        {
            await place.Operator.CreateAsync(record.Epochs[0], record.Creation, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.Taken)
        {
            // Told before, and the answer did not arrive: then this device signs in. Otherwise it is somebody else's, and ours was never made.
            await AccountSession.SignInAsync(place.Operator, record.Account, new(record.Device, secret), cancellationToken).ConfigureAwait(false);
        }
        return await BeReadyAsync(record, secret, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AccountDevice> EnterAsync(ShownUnlocker shown, AccountNumber account, string label, CancellationToken cancellationToken)
    {
        var token = await AccountSession.SignInAsync(place.Operator, account, shown, cancellationToken).ConfigureAwait(false);
        return account == default || token.Account == account
            ? await EnterAsync(shown, token, label, cancellationToken).ConfigureAwait(false)
            : throw new AccountFaultException(AccountFault.Unexpected);
    }

    // The session is the shown unlocker's. Saved, then told: what happens in between is for OpenAsync.
    private async Task<AccountDevice> EnterAsync(ShownUnlocker shown, AccountToken token, string label, CancellationToken cancellationToken)
    {
        label = Labels.Cut(label);
        var listing = await place.Operator.ReadAsync(token, cancellationToken).ConfigureAwait(false);
        var own = listing.Find(shown.Unlocker) ?? throw new AccountFaultException(AccountFault.UnlocksNothing);
        using var unlocked = await Unlocking.OpenAsync(place.Custody, shown, listing, own, null).ConfigureAwait(false);

        var secret = await place.Custody.NewDeviceSecretAsync().ConfigureAwait(false);
        var device = await Unlocking.WrapAsync(place, unlocked, Identity.Generate(), secret).ConfigureAwait(false);
        var record = new DeviceRecord
        {
            Account = token.Account,
            Device = device.Id,
            Label = label,
            Stage = DeviceStage.Joining,
            Epochs = listing.Epochs,
            Wrap = device.Wrap,
            Commitment = listing.Epochs[^1].KeyCommitment,
            Pending = [await Unlocking.EntryAsync(token.Account, device, secret, label).ConfigureAwait(false)],
        };
        return await BeginAsync(record, secret, async () =>
        {
            await place.Operator.PutUnlockerAsync(token, device, cancellationToken).ConfigureAwait(false);
            if (unlocked.NewWrap is { } renewed)
            {
                // Made in its absence until now: from here on by its secret again, so that the epochs before need not be believed.
                await place.Operator.PutUnlockerAsync(token, own with { Wrap = renewed, Renewed = null }, cancellationToken).ConfigureAwait(false);
            }
            return await BeReadyAsync(record, secret, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    // A run died, or heard no answer, between the saving and the telling.
    private async Task<AccountDevice?> JoinAsync(DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken)
    {
        try
        {
            return await AcceptAsync(record, secret, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.Wrong)
        {
            secret.Dispose();
            await place.Memory.ForgetAsync(record.Device, cancellationToken).ConfigureAwait(false);
            return null;
        }
    }

    /// <summary>For a device that the operator should know: takes the wrap that a pairing device made, where this one has none, and opens the account.</summary>
    internal async Task<AccountDevice> AcceptAsync(DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken)
    {
        var token = await AccountSession.SignInAsync(place.Operator, record.Account, new(record.Device, secret), cancellationToken).ConfigureAwait(false);
        if (record.Wrap is null)
        {
            var listing = await place.Operator.ReadAsync(token, cancellationToken).ConfigureAwait(false);
            var own = listing.Account == record.Account && listing.Find(record.Device) is { } found ? found : throw new AccountFaultException(AccountFault.Unexpected);
            using var unlocked = await Unlocking.OpenAsync(place.Custody, new(record.Device, secret), listing, own, record.Commitment).ConfigureAwait(false);
            var renewed = own with { Wrap = unlocked.NewWrap ?? own.Wrap, Renewed = null };
            record = record with { Epochs = listing.Epochs, Wrap = renewed.Wrap, Commitment = listing.Epochs[^1].KeyCommitment };
            await place.Memory.SaveAsync(record, secret, cancellationToken).ConfigureAwait(false);
            await place.Operator.PutUnlockerAsync(token, renewed, cancellationToken).ConfigureAwait(false);
        }
        return await BeReadyAsync(record, secret, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AccountDevice> BeReadyAsync(DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken)
    {
        record = record with { Stage = DeviceStage.Ready, Creation = [] };
        await place.Memory.SaveAsync(record, secret, cancellationToken).ConfigureAwait(false);
        return await AccountDevice.OpenAsync(place, record, secret, cancellationToken).ConfigureAwait(false);
    }
}
