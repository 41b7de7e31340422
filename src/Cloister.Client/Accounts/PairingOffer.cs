using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>A device that asks for the account, as this device sees it: its name and six digits. Only a person can see that both show the same.</summary>
public sealed class PairingOffer
{
    private readonly AccountDevice _device;
    private readonly PairingOldSide _pairing;
    private readonly uint _epoch;

    private PairingOffer(AccountDevice device, PairingOldSide pairing, uint epoch, string digits) => (_device, _pairing, _epoch, Digits) = (device, pairing, epoch, digits);

    /// <summary>What the other device calls itself: its word only.</summary>
    public string Label => _pairing.Device.Label;

    /// <summary>Six digits. The other device shows the same, if nobody sits in between.</summary>
    public string Digits { get; }

    internal static async Task<PairingOffer> MakeAsync(AccountDevice device, AccountPlace place, string code, CancellationToken cancellationToken)
    {
        if (!PairingLink.TryRead(code, out string slot, out byte[]? fingerprint))
        {
            throw new AccountFaultException(AccountFault.NotPossible, "That is no pairing code: eight letters and digits.");
        }
        var mailbox = new PairingMailbox(place, slot);
        byte[] message1 = await mailbox.TryGetAsync(1, cancellationToken).ConfigureAwait(false) ?? throw new AccountFaultException(AccountFault.NotThere, "There is no device with that code at this operator. A code holds for five minutes.");
        var newest = device.NewestEpoch;
        if (!PairingOldSide.TryBegin(message1, fingerprint, newest, out var pairing, out _))
        {
            throw new AccountFaultException(AccountFault.PairingBroken);
        }
        await mailbox.PutAsync(2, pairing.Promise, cancellationToken).ConfigureAwait(false);
        byte[] message3 = await mailbox.GetAsync(3, cancellationToken).ConfigureAwait(false);
        if (!pairing.TryReveal(message3, out var message4, out string digits))
        {
            throw new AccountFaultException(AccountFault.PairingBroken);
        }
        await mailbox.PutAsync(4, message4, cancellationToken).ConfigureAwait(false);
        return new(device, pairing, newest.Epoch, digits);
    }

    /// <summary>The user says that the digits are equal: the other device gets the account.</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.EpochPassed"/> where the account's keys changed meanwhile: the other device would not find what it was shown. Begin again.</exception>
    public Task ApproveAsync(CancellationToken cancellationToken) => _device.AddAsync(async cancellation =>
    {
        if (_device.NewestEpoch.Epoch != _epoch)
        {
            throw new AccountFaultException(AccountFault.EpochPassed);
        }
        using var unlocked = await _device.UnlockAsync(null, cancellation).ConfigureAwait(false);
        var place = _device.Place;
        var asks = _pairing.Device;
        var wrap = await unlocked.WrapAsync(new UnlockerSlot(asks.Unlocker, UnlockerKind.Device, asks.PublicKey)).ConfigureAwait(false);
        return (
            new AccountUnlocker(asks.Unlocker, UnlockerKind.Device, asks.SignInKey, wrap, null, place.Today),
            new UnlockerEntry(asks.Unlocker, UnlockerKind.Device, asks.Label, asks.PublicKey, place.Today));
    }, cancellationToken);
}
