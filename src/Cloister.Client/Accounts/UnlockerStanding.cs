using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Client.Accounts;

/// <summary>How an unlocker stands between the vault's list and the operator's.</summary>
public enum Standing : byte
{
    /// <summary>The operator lists it and the vault does not: it is the operator's invention, or the rest of something that was interrupted. It opens nothing that is written from the next epoch on.</summary>
    OperatorOnly = 0,
    /// <summary>Both have it.</summary>
    Good = 1,
    /// <summary>The vault has it and the operator does not: it opens nothing.</summary>
    VaultOnly = 2,
    /// <summary>Both have it, and it signs in only.</summary>
    SignsInOnly = 3,
}

/// <summary>An unlocker as a person is shown it.</summary>
/// <param name="Id">Which.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Label">As its user called it; empty where the vault does not know it.</param>
/// <param name="Added">The day.</param>
/// <param name="Standing">Whether both sides have it.</param>
/// <param name="IsThisDevice">This device's own.</param>
public sealed record UnlockerStanding(Identity Id, UnlockerKind Kind, string Label, DateOnly Added, Standing Standing, bool IsThisDevice)
{
    internal static ImmutableArray<UnlockerStanding> Compare(IReadOnlyList<UnlockerEntry> vault, IReadOnlyList<AccountUnlocker> shown, Identity device) =>
    [
        .. vault.Select(entry => new UnlockerStanding(entry.Id, entry.Kind, entry.Label, entry.Added, Of(entry, shown), entry.Id == device)),
        .. shown.Where(one => vault.All(entry => entry.Id != one.Id)).Select(one => new UnlockerStanding(one.Id, one.Kind, "", one.Added, Standing.OperatorOnly, one.Id == device)),
    ];

    private static Standing Of(UnlockerEntry entry, IReadOnlyList<AccountUnlocker> shown) =>
        shown.All(one => one.Id != entry.Id) ? Standing.VaultOnly : entry.PublicKey.IsEmpty ? Standing.SignsInOnly : Standing.Good;
}
