using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>An account that is about to be made: its number and its recovery words, to be shown once and written down before <see cref="CreateAsync"/>.</summary>
public sealed class NewAccountDraft
{
    private readonly AccountEntrance _entrance;
    private readonly string _label;
    private (DeviceRecord Record, UnlockerSecret Secret)? _made;

    internal NewAccountDraft(AccountEntrance entrance, AccountNumber account, string label) => (_entrance, Account, _label) = (entrance, account, label);

    public AccountNumber Account { get; }

    /// <summary>They open the account without anything else. They are shown to its user and to nobody else, and not kept.</summary>
    public RecoveryWords Words { get; } = RecoveryWords.Generate();

    /// <summary>
    /// Makes the account, with an unlocker for this device, the recovery words, and a passphrase where there is one. It is saved on this device before the operator is told; where that fails,
    /// this again, or <see cref="AccountEntrance.OpenAsync"/>, tells it again of the very same account: keys are made once.
    /// </summary>
    /// <param name="passphrase">Null, or one that <see cref="Passphrase.Check"/> found good. The first call's counts.</param>
    public async Task<AccountDevice> CreateAsync(string? passphrase, CancellationToken cancellationToken)
    {
        if (_made is not { } made)
        {
            _made = made = await MakeAsync(passphrase).ConfigureAwait(false);
        }
        return await _entrance.CreateAsync(made.Record, made.Secret, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(DeviceRecord Record, UnlockerSecret Secret)> MakeAsync(string? passphrase)
    {
        var place = _entrance.Place;
        var device = await place.Custody.NewDeviceSecretAsync().ConfigureAwait(false);
        using var words = await Words.ToSecretAsync(place.Custody).ConfigureAwait(false);
        using var phrase = passphrase is null ? null : await Passphrase.ToSecretAsync(passphrase, Account, place.Custody).ConfigureAwait(false);

        List<UnlockerSlot> slots = [new(Identity.Generate(), device), new(Words.Unlocker, words)];
        if (phrase is not null)
        {
            slots.Add(new(Passphrase.Unlocker(Account), phrase));
        }
        var made = await place.Custody.CreateAsync(Account, slots).ConfigureAwait(false);
        made.Keys.Dispose();

        var record = new DeviceRecord
        {
            Account = Account,
            Device = slots[0].Unlocker,
            Label = _label,
            Stage = DeviceStage.Creating,
            Epochs = [made.Record],
            Wrap = made.Wraps[slots[0].Unlocker],
            Commitment = made.Record.KeyCommitment,
        };
        foreach (var slot in slots)
        {
            var unlocker = await Unlocking.UnlockerAsync(place, Account, slot.Unlocker, slot.Secret!, made.Wraps[slot.Unlocker]).ConfigureAwait(false);
            var entry = await Unlocking.EntryAsync(Account, unlocker, slot.Secret!, LabelOf(unlocker.Kind)).ConfigureAwait(false);
            record = record with { Creation = [.. record.Creation, unlocker], Pending = [.. record.Pending, entry] };
        }
        return (record, device);
    }

    private string LabelOf(UnlockerKind kind) => kind is UnlockerKind.Device ? _label : UnlockerNames.Of(kind);
}
