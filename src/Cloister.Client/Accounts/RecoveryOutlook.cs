using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Client.Accounts;

/// <summary>In plain words, how an account comes back when this device is gone, and what would lose it.</summary>
/// <param name="Enough">Whether there are two ways to it at least.</param>
/// <param name="WithoutThisDevice">Each way that stays, as a sentence.</param>
/// <param name="Loss">What would lose it, as a sentence.</param>
/// <param name="Advice">What to do now; null where nothing is missing.</param>
public sealed record RecoveryOutlook(bool Enough, ImmutableArray<string> WithoutThisDevice, string Loss, string? Advice)
{
    /// <summary>Fewer unlockers than this, and each device says so.</summary>
    public const int Fewest = 2;

    internal static RecoveryOutlook Of(IReadOnlyList<UnlockerEntry> unlockers, Identity device)
    {
        var ways = unlockers.Where(one => !one.PublicKey.IsEmpty).ToList();
        ImmutableArray<string> others = [.. ways.Where(one => one.Id != device).Select(Sentence)];
        bool enough = ways.Count >= Fewest;
        string loss = others.Length switch
        {
            0 => "If this device is lost or broken, everything is lost: nobody, the operator included, can bring it back.",
            1 => "If this device and that one way are lost, everything is lost: nobody, the operator included, can bring it back.",
            2 => "Only if this device and both of these are lost is everything lost: nobody, the operator included, can bring it back.",
            _ => $"Only if this device and all {others.Length} of these are lost is everything lost: nobody, the operator included, can bring it back.",
        };
        string? advice = !enough ? "Add a second way now: recovery words on paper are the simplest."
            : ways.All(one => one.Kind is UnlockerKind.Device) ? "All ways are devices: add recovery words, in case they break or are lost together."
            : null;
        return new(enough, others, loss, advice);
    }

    private static string Sentence(UnlockerEntry entry) => entry.Kind switch
    {
        UnlockerKind.RecoveryWords => $"The twelve words that you wrote down ({entry.Label}) open it, without anything else.",
        UnlockerKind.Passphrase    => "Your passphrase opens it, together with the account's number.",
        UnlockerKind.Passkey       => $"The passkey “{entry.Label}” opens it in a browser.",
        UnlockerKind.Trustees      => $"Your trustees ({entry.Label}) open it, when enough of them give you their shares.",
        UnlockerKind.Device        => $"The device “{entry.Label}” opens it, and can add another.",
        _                          => $"“{entry.Label}” opens it: a newer program knows how.",
    };
}
