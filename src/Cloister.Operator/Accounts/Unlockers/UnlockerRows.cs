using System.Globalization;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Storage;
using Cloister.Primitives;

namespace Cloister.Operator.Accounts.Unlockers;

/// <summary>An account's unlockers as they are stored, and the outside of their wraps (docs/spec/vault.md, section 3).</summary>
internal static class UnlockerRows
{
    // Docs/spec/accounts.md, section 2.
    public const int Max = 32;

    private const string Day = "yyyy-MM-dd";
    private const string Columns = "unlocker, kind, sign_in_key, wrap, renewed, added";

    /// <summary>Whether a device may send it: a passkey signs in by WebAuthn and may unlock nothing; all others sign in by their key and unlock.</summary>
    public static bool IsGood(UnlockerBody unlocker) =>
        Enum.IsDefined(unlocker.Kind) && unlocker.Kind is not UnlockerKind.None
        && (unlocker.Kind is UnlockerKind.Passkey ? unlocker.SignInKey is null : unlocker is { SignInKey.Length: Ed25519PublicKey.Size, Wrap: not null })
        && (unlocker.Wrap is null || WrapFormat.Form(unlocker.Wrap) is not WrapForm.None) && unlocker.Renewed is null;

    public static bool IsOfEpoch(byte[]? wrap, long epoch) => wrap is null || WrapFormat.Epoch(wrap) == epoch;

    public static Task<List<UnlockerBody>> AllAsync(Statements statements, AccountNumber account) =>
        statements.QueryAsync($"SELECT {Columns} FROM unlockers WHERE account = $1 ORDER BY added, unlocker", Read, account.ToArray());

    public static Task<UnlockerBody?> FindAsync(Statements statements, AccountNumber account, Identity unlocker) =>
        statements.FirstAsync($"SELECT {Columns} FROM unlockers WHERE account = $1 AND unlocker = $2", Read, account.ToArray(), unlocker.ToArray());

    public static Task AddAsync(Statements statements, AccountNumber account, UnlockerBody unlocker) => statements.ExecuteAsync(
        $"INSERT INTO unlockers (account, {Columns}, place) VALUES ($1, $2, $3, $4, $5, NULL, $6, (SELECT COALESCE(MAX(place) + 1, 0) FROM unlockers WHERE unlocker = $2))",
        account.ToArray(), unlocker.Id.ToArray(), (long)unlocker.Kind, unlocker.SignInKey, unlocker.Wrap, unlocker.Added.ToString(Day, CultureInfo.InvariantCulture));

    /// <summary>With its passkey and its sessions. Whoever calls it tells of that.</summary>
    public static async Task RemoveAsync(Statements statements, AccountNumber account, Identity unlocker)
    {
        foreach (string table in (string[])["unlockers", "passkeys", "sessions"])
        {
            await statements.ExecuteAsync($"DELETE FROM {table} WHERE account = $1 AND unlocker = $2", account.ToArray(), unlocker.ToArray());
        }
    }

    private static UnlockerBody Read(System.Data.Common.DbDataReader row) => new(
        Identity.Read(Statements.Bytes(row, 0)), (UnlockerKind)row.GetInt64(1), Statements.BytesOrNull(row, 2), Statements.BytesOrNull(row, 3), Statements.BytesOrNull(row, 4),
        DateOnly.ParseExact(row.GetString(5), Day, CultureInfo.InvariantCulture));
}
