using Cloister.Ledger;
using Cloister.Operator.Accounts.Storage;
using Microsoft.AspNetCore.Identity;

namespace Cloister.Operator.Accounts.Passkeys;

/// <summary>An account as ASP.NET Core Identity sees it: a number as people write it, which is the user handle of its passkeys.</summary>
internal sealed record PasskeyUser(AccountNumber Account)
{
    public string Id => Account.ToString();

    public static PasskeyUser? Parse(string text) => AccountNumber.TryParse(text, out var account) && account.ToString() == text ? new(account) : null;
}

/// <summary>What Identity's handler of passkeys asks for. It changes nothing: what it judged is written by <see cref="PasskeyEndpoints"/>, within the account's order.</summary>
internal sealed class PasskeyUsers(Database database) : IUserPasskeyStore<PasskeyUser>
{
    private const string Columns = "credential, public_key, sign_count, backup_eligible, backed_up";

    public async Task<PasskeyUser?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        PasskeyUser.Parse(userId) is { } user
        && await database.ReadAsync(statements => statements.QueryAsync("SELECT 1 FROM accounts WHERE account = $1 AND ended = 0", row => 0, user.Account.ToArray()), cancellationToken) is [_]
            ? user
            : null;

    public Task<PasskeyUser?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        database.ReadAsync(statements => statements.FirstAsync("SELECT account FROM passkeys WHERE credential = $1", row => new PasskeyUser(AccountNumber.Read(Statements.Bytes(row, 0))), credentialId), cancellationToken);

    public Task<UserPasskeyInfo?> FindPasskeyAsync(PasskeyUser user, byte[] credentialId, CancellationToken cancellationToken) =>
        database.ReadAsync(statements => statements.FirstAsync($"SELECT {Columns} FROM passkeys WHERE account = $1 AND credential = $2", Read, user.Account.ToArray(), credentialId), cancellationToken);

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(PasskeyUser user, CancellationToken cancellationToken) =>
        await database.ReadAsync(statements => statements.QueryAsync($"SELECT {Columns} FROM passkeys WHERE account = $1", Read, user.Account.ToArray()), cancellationToken);

    public Task<string> GetUserIdAsync(PasskeyUser user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(PasskeyUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Id);

    public void Dispose()
    {
        // The database is the room's.
    }

    // Accounts have no names, and nothing is written here.
    public Task<PasskeyUser?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => Task.FromResult<PasskeyUser?>(null);

    public Task<string?> GetNormalizedUserNameAsync(PasskeyUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Id);

    public Task AddOrUpdatePasskeyAsync(PasskeyUser user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemovePasskeyAsync(PasskeyUser user, byte[] credentialId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetUserNameAsync(PasskeyUser user, string? userName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetNormalizedUserNameAsync(PasskeyUser user, string? normalizedName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> CreateAsync(PasskeyUser user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> UpdateAsync(PasskeyUser user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> DeleteAsync(PasskeyUser user, CancellationToken cancellationToken) => throw new NotSupportedException();

    // Neither the attestation nor what the authenticator said about itself is kept.
    private static UserPasskeyInfo Read(System.Data.Common.DbDataReader row) => new(
        Statements.Bytes(row, 0), Statements.Bytes(row, 1), DateTimeOffset.UnixEpoch, (uint)row.GetInt64(2), transports: [], isUserVerified: false,
        isBackupEligible: row.GetInt64(3) != 0, isBackedUp: row.GetInt64(4) != 0, attestationObject: [], clientDataJson: []);
}
