namespace Cloister.Client.Accounts;

/// <summary>A slot at the operator through which two devices speak that have nothing in common yet (docs/spec/vault.md, section 4).</summary>
internal sealed class PairingMailbox(AccountPlace place, string slot)
{
    // The operator keeps a slot for as long.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly long _began = place.Time.GetTimestamp();

    public async Task PutAsync(int message, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await place.Operator.PutPairingAsync(slot, message, bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.Taken)
        {
            // Somebody else answered, or speaks in our place.
            throw new AccountFaultException(AccountFault.PairingBroken, inner: fault);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.NotThere)
        {
            throw new AccountFaultException(AccountFault.PairingOver, inner: fault);
        }
    }

    /// <summary>Null where it is not there yet.</summary>
    public Task<byte[]?> TryGetAsync(int message, CancellationToken cancellationToken) => place.Operator.GetPairingAsync(slot, message, cancellationToken);

    /// <summary>Waits for as long as the slot lives.</summary>
    public async Task<byte[]> GetAsync(int message, CancellationToken cancellationToken)
    {
        while (place.Time.GetElapsedTime(_began) < Lifetime)
        {
            if (await TryGetAsync(message, cancellationToken).ConfigureAwait(false) is { } bytes)
            {
                return bytes;
            }
            await Task.Delay(Pause, place.Time, cancellationToken).ConfigureAwait(false);
        }
        throw new AccountFaultException(AccountFault.PairingOver);
    }
}
