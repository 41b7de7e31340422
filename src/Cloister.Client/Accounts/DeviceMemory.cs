using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>
/// Where this device keeps its way to an account: one record, and the secret of its unlocker. In a browser IndexedDB with WebCrypto handles, on disk a file that only this user may read.
/// Whoever has both has the account, until this device is removed.
/// </summary>
public abstract class DeviceMemory
{
    /// <summary>What was saved last; null where there is nothing, or it was forgotten.</summary>
    public abstract ValueTask<RememberedDevice?> LoadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Keeps both in place of <paramref name="before"/>, or neither: the comparing and the writing are one step, which no other program or window comes between. When this returns they are
    /// there after a crash as well. The secret may be the one that is kept already; it stays the caller's to dispose.
    /// </summary>
    /// <param name="before">The record that is kept now; null: none.</param>
    /// <returns>False where another record is kept, or none: nothing was changed.</returns>
    public abstract ValueTask<bool> TrySaveAsync(RememberedDevice device, ReadOnlyMemory<byte>? before, CancellationToken cancellationToken);

    /// <summary>Removes both for good, and the history that this device kept with them, in one step with the comparing.</summary>
    /// <param name="before">The record that is kept now.</param>
    /// <returns>False where another record is kept, or none: nothing was removed.</returns>
    public abstract ValueTask<bool> TryForgetAsync(ReadOnlyMemory<byte> before, CancellationToken cancellationToken);

    /// <summary>Saves the first record of a device that enters an account.</summary>
    /// <param name="abandoned">A device whose entering failed, and whose record may be replaced; that of any other may not.</param>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.NotPossible"/> where another program or window entered an account here meanwhile.</exception>
    internal async ValueTask AddAsync(DeviceRecord record, UnlockerSecret secret, Identity? abandoned, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>? kept;
        do
        {
            kept = await RecordAsync(cancellationToken).ConfigureAwait(false);
            if (DeviceOf(kept) == record.Device)
            {
                return; // begun before, and gone on with
            }
            if (kept is not null && (abandoned is null || DeviceOf(kept) != abandoned))
            {
                throw new AccountFaultException(AccountFault.NotPossible, "This device entered an account meanwhile, in another window. Nothing was changed: reload the page, or start the program again.");
            }
        }
        while (!await TrySaveAsync(new(record.ToBytes(), secret), kept, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Saves a later record of the device that is kept.</summary>
    /// <exception cref="AccountEndedException">It is not kept any more: another program or window forgot it. Then it stays forgotten.</exception>
    internal async ValueTask SaveAsync(DeviceRecord record, UnlockerSecret secret, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>? kept;
        do
        {
            kept = await RecordAsync(cancellationToken).ConfigureAwait(false);
            if (DeviceOf(kept) != record.Device)
            {
                throw new AccountEndedException("This device left the account.");
            }
        }
        while (!await TrySaveAsync(new(record.ToBytes(), secret), kept, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Forgets this device, whatever its record says by now, and no other.</summary>
    internal async ValueTask ForgetAsync(Identity device, CancellationToken cancellationToken)
    {
        while (await RecordAsync(cancellationToken).ConfigureAwait(false) is { } kept && DeviceOf(kept) == device && !await TryForgetAsync(kept, cancellationToken).ConfigureAwait(false))
        {
            // Another program went on with it in between.
        }
    }

    /// <summary>The record that is kept, without its secret.</summary>
    internal async ValueTask<ReadOnlyMemory<byte>?> RecordAsync(CancellationToken cancellationToken)
    {
        if (await LoadAsync(cancellationToken).ConfigureAwait(false) is not { } kept)
        {
            return null;
        }
        kept.Secret.Dispose();
        return kept.Record;
    }

    private static Identity? DeviceOf(ReadOnlyMemory<byte>? record) => record is { } bytes && DeviceRecord.TryParse(bytes.Span, out var parsed) ? parsed.Device : null;
}

/// <summary>A device's record, which is no secret, and its secret.</summary>
/// <param name="Record">Opaque; what it holds is <c>DeviceRecord</c>'s.</param>
/// <param name="Secret">Of kind device.</param>
public sealed record RememberedDevice(ReadOnlyMemory<byte> Record, UnlockerSecret Secret);
