using Cloister.Ledger;

namespace Cloister.Vault.Unlockers;

/// <summary>An account's epoch records, checked against each other (docs/spec/vault.md, section 2).</summary>
public static class EpochChain
{
    /// <summary>From epoch 1 to the newest without a gap, one account's, each signed by the one before.</summary>
    public static bool IsWhole(IReadOnlyList<EpochRecord> epochs, AccountNumber account)
    {
        if (epochs.Count == 0 || epochs[0].Account != account || !epochs[0].IsFirst())
        {
            return false;
        }
        for (int i = 1; i < epochs.Count; i++)
        {
            if (!epochs[i].Follows(epochs[i - 1]))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether <paramref name="epochs"/> go on from those that a device had accepted: the same records, and perhaps more.</summary>
    public static bool Extends(IReadOnlyList<EpochRecord> epochs, IReadOnlyList<EpochRecord> accepted) =>
        epochs.Count >= accepted.Count && accepted.Zip(epochs).All(pair => pair.First.Bytes.Span.SequenceEqual(pair.Second.Bytes.Span));
}
