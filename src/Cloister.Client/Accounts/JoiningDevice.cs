using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>
/// A device that is being given the account by another one: shows a code, then six digits, asks whether the other device shows the same, and waits until that one's user has said so too.
/// </summary>
/// <remarks>Both must ask. The operator reads what this device says first, and could answer it with an account of its own: what its user then wrote would be in that one.</remarks>
public sealed class JoiningDevice : IAsyncDisposable
{
    // Between attempts to sign in. The operator takes ten wrong ones in ten minutes, and nine go on for as long as the slot lives.
    private static readonly int[] Pauses = [2, 3, 4, 6, 10, 20, 40, 80, 80];

    private readonly AccountEntrance _entrance;
    private readonly AccountPlace _place;
    private readonly PairingNewSide _pairing;
    private readonly PairingMailbox _mailbox;
    private readonly UnlockerSecret _secret;
    private readonly Identity _unlocker;
    private readonly string _label;
    private DeviceRecord? _record;
    private bool _finished;

    private JoiningDevice(AccountEntrance entrance, AccountPlace place, PairingNewSide pairing, UnlockerSecret secret, Identity unlocker, string label)
    {
        (_entrance, _place, _pairing, _secret, _unlocker, _label) = (entrance, place, pairing, secret, unlocker, label);
        Code = PairingSlot.Generate();
        _mailbox = new(place, Code);
        Link = PairingLink.Write(place.Operator.Address, Code, pairing.Fingerprint());
    }

    /// <summary>Eight letters, for a person to type on the other device.</summary>
    public string Code { get; }

    /// <summary>For a QR code: the address, the code, and the hash of what this device said, which the other device compares.</summary>
    public string Link { get; }

    internal static async Task<JoiningDevice> BeginAsync(AccountEntrance entrance, AccountPlace place, string label, CancellationToken cancellationToken)
    {
        var secret = await place.Custody.NewDeviceSecretAsync().ConfigureAwait(false);
        var unlocker = Identity.Generate();
        label = Labels.Cut(label);
        var pairing = new PairingNewSide(new NewDevice(unlocker, await secret.SignInKeyAsync(default).ConfigureAwait(false), await secret.PublicKeyAsync(default).ConfigureAwait(false), label));
        var joining = new JoiningDevice(entrance, place, pairing, secret, unlocker, label);
        await joining._mailbox.PutAsync(1, pairing.First, cancellationToken).ConfigureAwait(false);
        return joining;
    }

    /// <summary>Waits for the other device, and gives the six digits that it shows too, if nobody sits in between.</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.PairingBroken"/> or <see cref="AccountFault.PairingOver"/>.</exception>
    public async Task<string> DigitsAsync(CancellationToken cancellationToken)
    {
        byte[] promise = await _mailbox.GetAsync(2, cancellationToken).ConfigureAwait(false);
        if (!_pairing.TryAnswer(promise, out var nonce))
        {
            throw new AccountFaultException(AccountFault.PairingBroken);
        }
        await _mailbox.PutAsync(3, nonce, cancellationToken).ConfigureAwait(false);
        byte[] kept = await _mailbox.GetAsync(4, cancellationToken).ConfigureAwait(false);
        if (!_pairing.TryFinish(kept, out var shown))
        {
            throw new AccountFaultException(AccountFault.PairingBroken);
        }
        _record = new()
        {
            Account = shown.Account,
            Device = _unlocker,
            Label = _label,
            Stage = DeviceStage.Joining,
            Epochs = [],
            Wrap = null,
            Commitment = shown.KeyCommitment,
        };
        return shown.Digits;
    }

    /// <summary>The user says here that the digits are equal: waits until the other device has added this one, and opens the account. Before this is called nothing is saved.</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.PairingOver"/> where that does not happen, and <see cref="AccountFault.EpochsBroken"/> where the account is not the one that the other device showed.</exception>
    /// <exception cref="OperatorUnreachableException">Nobody answered to the last: <see cref="AccountEntrance.OpenAsync"/> asks again.</exception>
    public async Task<AccountDevice> FinishAsync(CancellationToken cancellationToken)
    {
        var record = _record ?? throw new InvalidOperationException("There are no digits yet.");

        // Saved before the other side can have added it: from then on nothing but this secret opens its wrap.
        return await _entrance.BeginAsync(record, _secret, () => WaitAsync(record, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<AccountDevice> WaitAsync(DeviceRecord record, CancellationToken cancellationToken)
    {
        OperatorUnreachableException? unreachable = null;
        foreach (int pause in Pauses)
        {
            await Task.Delay(TimeSpan.FromSeconds(pause), _place.Time, cancellationToken).ConfigureAwait(false);
            try
            {
                var device = await _entrance.AcceptAsync(record, _secret, cancellationToken).ConfigureAwait(false);
                _finished = true;
                return device;
            }
            catch (AccountFaultException fault) when (fault.Fault is AccountFault.Wrong)
            {
                // Not added yet.
                unreachable = null;
            }
            catch (OperatorUnreachableException fault)
            {
                // A phone that changes networks: it may be added meanwhile.
                unreachable = fault;
            }
        }
        if (unreachable is not null)
        {
            throw unreachable;
        }
        await _place.Memory.ForgetAsync(record.Device, cancellationToken).ConfigureAwait(false);
        throw new AccountFaultException(AccountFault.PairingOver);
    }

    /// <summary>Ends it, where <see cref="FinishAsync"/> did not give an account.</summary>
    public ValueTask DisposeAsync()
    {
        if (!_finished)
        {
            _secret.Dispose();
        }
        return default;
    }
}
