using System.Globalization;
using Cloister.Client.Accounts;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Web.Accounts;

/// <summary>An unlocker in words.</summary>
internal static class WayWords
{
    public static string Of(UnlockerEntry way, Identity device)
    {
        string kind = UnlockerNames.Of(way.Kind);
        string what = way.Id == device ? "This device"
            : way.PublicKey.IsEmpty ? $"{kind}: signs in, unlocks nothing"
            : kind == way.Label ? "" : kind;
        string added = $"added {way.Added.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
        return what.Length > 0 ? $"{what}, {added}" : char.ToUpperInvariant(added[0]) + added[1..];
    }
}
