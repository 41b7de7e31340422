using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Unlockers;

/// <summary>Where an account's keys live, and what is done with them (docs/spec/vault.md, sections 2 and 3): <see cref="MemoryCustody"/> in this process, another in the browser's WebCrypto.</summary>
public abstract class KeyCustody
{
    /// <summary>A new device's secret.</summary>
    public abstract ValueTask<UnlockerSecret> NewDeviceSecretAsync();

    /// <summary>Takes 32 bytes that words, a passphrase, a passkey or trustees gave. The caller wipes its own copy.</summary>
    /// <exception cref="ArgumentException">They are not 32 bytes.</exception>
    public abstract ValueTask<UnlockerSecret> ImportAsync(UnlockerKind kind, ReadOnlyMemory<byte> secret);

    /// <summary>A new account: its key, epoch 1, and a wrap for each unlocker. Nothing is sent.</summary>
    /// <param name="unlockers">At least one, each with its secret.</param>
    public abstract ValueTask<NewEpoch> CreateAsync(AccountNumber account, IReadOnlyList<UnlockerSlot> unlockers);

    /// <summary>Opens what the operator holds for an unlocker. Nothing that the operator says is believed: the wrap opens by the secret, and the epochs lead from there to the newest, or there is a fault.</summary>
    /// <param name="commitment">A key commitment that this device remembers or that pairing showed; it is what makes a first wrap to a key believable. 32 bytes, or null.</param>
    public async ValueTask<UnlockOutcome> UnlockAsync(UnlockerSecret secret, StoredWraps wraps, IReadOnlyList<EpochRecord> epochs, ReadOnlyMemory<byte>? commitment)
    {
        var keys = new Stack<HeldAccountKey>();
        try
        {
            var fault = await OpenAsync(keys, secret, wraps, epochs, commitment).ConfigureAwait(false);
            if (fault is not UnlockFault.None)
            {
                return new(null, fault);
            }
            bool asStored = Wrap.TryRead(wraps.Wrap.Span, out var form, out uint epoch) && form is WrapForm.BySecret && epoch == epochs.Count;
            var unlocked = await HoldAsync([.. epochs], [.. keys], asStored ? null : new UnlockerSlot(wraps.Unlocker, secret)).ConfigureAwait(false);
            keys.Clear();
            return new(unlocked, UnlockFault.None);
        }
        finally
        {
            foreach (var key in keys)
            {
                key.Dispose();
            }
        }
    }

    /// <summary>Opens a wrap, in either form. Null where this secret does not open it.</summary>
    /// <param name="wrap">One that <see cref="Wrap.TryRead"/> took.</param>
    protected abstract ValueTask<HeldAccountKey?> OpenWrapAsync(UnlockerSecret secret, AccountNumber account, Identity unlocker, ReadOnlyMemory<byte> wrap);

    /// <summary>Takes the account keys over, one for each epoch, the first one first: they were all found to be what the records say.</summary>
    /// <param name="rewrap">To be given a new wrap; null where the stored one is the newest epoch's, by secret.</param>
    protected abstract ValueTask<Unlocked> HoldAsync(ImmutableArray<EpochRecord> epochs, ImmutableArray<HeldAccountKey> keys, UnlockerSlot? rewrap);

    // Section 3, "Wrap", step by step. No step believes the operator: it is the secret that opens, the signatures that lead on, and the commitment that names a key.
    private async ValueTask<UnlockFault> OpenAsync(Stack<HeldAccountKey> keys, UnlockerSecret secret, StoredWraps wraps, IReadOnlyList<EpochRecord> epochs, ReadOnlyMemory<byte>? commitment)
    {
        if (epochs.Count == 0 || !EpochChain.IsWhole(epochs, epochs[0].Account))
        {
            return UnlockFault.BrokenEpochs;
        }
        if (!Wrap.TryRead(wraps.Wrap.Span, out var form, out uint epoch) || epoch > epochs.Count)
        {
            return UnlockFault.Malformed;
        }
        if (await OpenWrapAsync(secret, epochs[0].Account, wraps.Unlocker, wraps.Wrap).ConfigureAwait(false) is not { } key)
        {
            return UnlockFault.WrongSecret;
        }
        keys.Push(key);

        // A wrap by secret was made by who knew the secret. One to a key could be anybody's: it counts only when the device knows the account key's commitment already.
        bool believable = form is WrapForm.BySecret || (commitment is { } known && CryptographicOperations.FixedTimeEquals(await key.CommitmentAsync().ConfigureAwait(false), known.Span));
        if (!believable || !await IsOfAsync(key, epochs[(int)epoch - 1]).ConfigureAwait(false))
        {
            return UnlockFault.WrongCommitment;
        }
        var fault = epoch < epochs.Count ? await RenewAsync(keys, secret, wraps, epochs).ConfigureAwait(false) : UnlockFault.None;
        return fault is UnlockFault.None && !await TryReachFirstAsync(keys, epochs).ConfigureAwait(false) ? UnlockFault.BrokenEpochs : fault;
    }

    // The newest epoch's key, by the wrap that was made to this unlocker's key while it was absent.
    private async ValueTask<UnlockFault> RenewAsync(Stack<HeldAccountKey> keys, UnlockerSecret secret, StoredWraps wraps, IReadOnlyList<EpochRecord> epochs)
    {
        if (wraps.Renewed.IsEmpty)
        {
            return UnlockFault.Removed;
        }
        if (!Wrap.TryRead(wraps.Renewed.Span, out var form, out uint epoch) || form is not WrapForm.ToKey || epoch != epochs.Count)
        {
            return UnlockFault.Malformed;
        }
        if (await OpenWrapAsync(secret, epochs[0].Account, wraps.Unlocker, wraps.Renewed).ConfigureAwait(false) is not { } newest)
        {
            return UnlockFault.WrongSecret;
        }
        keys.Pop().Dispose();
        keys.Push(newest);
        return await IsOfAsync(newest, epochs[^1]).ConfigureAwait(false) ? UnlockFault.None : UnlockFault.WrongCommitment;
    }

    // From the newest key, which was found to be its epoch's. Signatures lead forward only: an operator can put another head key into an earlier record and sign what follows anew. What it cannot do is seal one under an account key.
    private static async ValueTask<bool> TryReachFirstAsync(Stack<HeldAccountKey> keys, IReadOnlyList<EpochRecord> epochs)
    {
        for (int i = epochs.Count - 1; await keys.Peek().OpensHeadAsync(epochs[i]).ConfigureAwait(false); i--)
        {
            if (i == 0)
            {
                return true;
            }
            if (await keys.Peek().OpenPreviousAsync(epochs[i]).ConfigureAwait(false) is not { } previous)
            {
                return false;
            }
            keys.Push(previous);
            if (!await IsOfAsync(previous, epochs[i - 1]).ConfigureAwait(false))
            {
                return false;
            }
        }
        return false;
    }

    private static async ValueTask<bool> IsOfAsync(HeldAccountKey key, EpochRecord record) =>
        CryptographicOperations.FixedTimeEquals(await key.CommitmentAsync().ConfigureAwait(false), record.KeyCommitment.Span);
}

/// <summary>An account key of one epoch, wherever it is held.</summary>
public abstract class HeldAccountKey : IDisposable
{
    /// <summary>Its key commitment (docs/spec/vault.md, section 2): 32 bytes.</summary>
    public abstract ValueTask<byte[]> CommitmentAsync();

    /// <summary>Whether the head key that is sealed in its epoch's record opens, and is the one that the record names.</summary>
    public abstract ValueTask<bool> OpensHeadAsync(EpochRecord record);

    /// <summary>The account key of the epoch before, as it is sealed in this epoch's record. Null where it does not open.</summary>
    public abstract ValueTask<HeldAccountKey?> OpenPreviousAsync(EpochRecord record);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Wipes what can be wiped.</summary>
    protected virtual void Dispose(bool disposing) { }
}

/// <summary>An unlocker that is to receive a wrap: with its secret, or by its public key while it is absent.</summary>
public sealed record UnlockerSlot
{
    /// <summary>Its secret is at hand.</summary>
    public UnlockerSlot(Identity unlocker, UnlockerSecret secret) => (Unlocker, Kind, Secret) = (unlocker, secret.Kind, secret);

    /// <summary>It is absent; its public key is known from the vault's own list, or from pairing.</summary>
    public UnlockerSlot(Identity unlocker, UnlockerKind kind, ReadOnlyMemory<byte> publicKey) => (Unlocker, Kind, PublicKey) = (unlocker, kind, publicKey);

    public Identity Unlocker { get; }

    public UnlockerKind Kind { get; }

    public UnlockerSecret? Secret { get; }

    /// <summary>Empty where the secret is at hand.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }
}

/// <summary>What the operator holds for an unlocker.</summary>
/// <param name="Wrap">The one that the unlocker holds on to.</param>
/// <param name="Renewed">One to its key, of a later epoch; empty where there is none.</param>
public sealed record StoredWraps(Identity Unlocker, ReadOnlyMemory<byte> Wrap, ReadOnlyMemory<byte> Renewed);

/// <summary>A new epoch, not yet told to anybody.</summary>
/// <param name="Wraps">By unlocker.</param>
/// <param name="Keys">For the account from now on; the caller's to dispose.</param>
public sealed record NewEpoch(EpochRecord Record, ImmutableDictionary<Identity, ReadOnlyMemory<byte>> Wraps, VaultKeys Keys);

/// <summary>Why an account does not open.</summary>
public enum UnlockFault : byte
{
    /// <summary>Zero is the failing value: nothing was tried.</summary>
    Untried = 0,
    None = 1,
    /// <summary>The wrap does not open: another secret, another account's, another unlocker's, or it was changed.</summary>
    WrongSecret = 2,
    /// <summary>A wrap is in neither form, or of an epoch that was not shown.</summary>
    Malformed = 3,
    /// <summary>The epoch records do not follow each other, do not reach what this unlocker opens, or sealed keys in them do not open.</summary>
    BrokenEpochs = 4,
    /// <summary>The account key that a wrap opens to is not its epoch's. Somebody made it who did not know it.</summary>
    WrongCommitment = 5,
    /// <summary>The newest epoch was not wrapped for this unlocker: it was removed.</summary>
    Removed = 6,
}

/// <summary>What became of unlocking.</summary>
/// <param name="Unlocked">Null where there is a fault.</param>
public sealed record UnlockOutcome(Unlocked? Unlocked, UnlockFault Fault);

/// <summary>An account that was just unlocked, with its account key at hand: it can be wrapped for another unlocker. To be disposed soon.</summary>
public abstract class Unlocked : IDisposable
{
    /// <summary>The newest epoch's wrap by secret, to be stored in place of both; null where the stored one is that already.</summary>
    public ReadOnlyMemory<byte>? NewWrap { get; protected init; }

    /// <summary>The epochs, verified.</summary>
    public abstract ImmutableArray<EpochRecord> Epochs { get; }

    /// <summary>The account's keys, for as long as the caller wants them: its own to dispose.</summary>
    public abstract ValueTask<VaultKeys> KeysAsync();

    /// <summary>Wraps the newest account key for one more unlocker.</summary>
    /// <exception cref="ArgumentException">Its public key is none.</exception>
    public abstract ValueTask<ReadOnlyMemory<byte>> WrapAsync(UnlockerSlot unlocker);

    /// <summary>Makes the next epoch, for the unlockers that stay.</summary>
    /// <param name="staying">From the vault's own list, never the operator's: to each of them the new key is given away.</param>
    /// <exception cref="ArgumentException">A public key is none.</exception>
    public abstract ValueTask<NewEpoch> NewEpochAsync(IReadOnlyList<UnlockerSlot> staying);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Wipes what can be wiped.</summary>
    protected virtual void Dispose(bool disposing) { }
}
