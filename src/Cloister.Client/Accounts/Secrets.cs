using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>Brings what trustees hold into the custody of keys. Copies of the bytes on the way are wiped.</summary>
internal static class Secrets
{
    public static async ValueTask<UnlockerSecret> ImportAsync(KeyCustody custody, UnlockerKind kind, byte[] secret)
    {
        try
        {
            return await custody.ImportAsync(kind, secret).ConfigureAwait(false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <exception cref="AccountFaultException"><see cref="AccountFault.NotPossible"/> where they do not belong together, are damaged or too few.</exception>
    public static async ValueTask<ShownUnlocker> OfSharesAsync(KeyCustody custody, IReadOnlyList<string> shares) =>
        Trustees.TryJoin(shares, out var unlocker, out byte[] secret, out _)
            ? new(unlocker, await ImportAsync(custody, UnlockerKind.Trustees, secret).ConfigureAwait(false))
            : throw new AccountFaultException(AccountFault.NotPossible, "These shares are too few, mistyped, or do not belong together.");
}
