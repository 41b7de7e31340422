using System.Text;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;
using Cloister.Operator.Accounts.Unlockers;
using Microsoft.AspNetCore.Identity;

namespace Cloister.Operator.Accounts.Passkeys;

/// <summary>Signing in by passkey, and adding one. Docs/spec/accounts.md, section 1.</summary>
internal sealed class PasskeyEndpoints(AccountRoom room, IServiceProvider services)
{
    // Docs/spec/accounts.md, section 1.
    private const int MaxLabel = 64;

    // Ours to choose: RSA of 4,096 bits fits in. A longer key would make each sign-in slow.
    private const int MaxPublicKey = 1024;

    private readonly PasskeyCeremonies _ceremonies = new(room, services);

    public void Map(AccountRoutes routes)
    {
        routes.Open(HttpMethods.Post, "/sign-in/passkey/options", async context => Answer.Json(StatusCodes.Status200OK, await _ceremonies.BeginRequestAsync(context), AccountsJson.Default.PasskeyOptionsBody));
        routes.Open(HttpMethods.Post, "/sign-in/passkey", SignInAsync, Bodies.MaxJson);
        routes.SignedIn(HttpMethods.Post, "/passkeys/options", BeginAsync, Bodies.MaxJson);
        routes.SignedIn(HttpMethods.Post, "/passkeys", AddAsync, Bodies.MaxJson);
    }

    private static Answer Leak => Answer.Refuse(StatusCodes.Status400BadRequest, "extension_results", "The results of PRF are not for the operator: they unlock the account. This client must not send them.");

    private async Task<Answer?> SignInAsync(HttpContext context)
    {
        var (body, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.PasskeySignInBody);
        if (body is null)
        {
            return refusal;
        }
        if (BrowserCredential.Read(body.Credential) is not { } credential)
        {
            return Answer.Malformed("a credential");
        }
        if (credential.HasSecrets)
        {
            return Leak;
        }
        using var attempt = new Attempt(room.AddressOf(context), (room.WrongByAddress, ""));
        if (attempt.Refusal is { } limited)
        {
            return limited;
        }

        var found = await _ceremonies.FinishRequestAsync(context, credential.Json, body.State);
        var session = found is var (user, passkey) ? await room.Sessions.BeginAsync(user.Account, statements => SpendAsync(statements, user.Account, passkey, body.State), context.RequestAborted) : null;
        return session is null ? attempt.Wrong() : Answer.Json(StatusCodes.Status200OK, session, AccountsJson.Default.SessionBody);
    }

    // Within the account's order: a passkey that ended meanwhile signs nobody in, and of two answers with one counter only the first does.
    private async Task<Identity?> SpendAsync(Statements statements, AccountNumber account, UserPasskeyInfo passkey, string state)
    {
        if (await statements.FirstAsync("SELECT unlocker FROM passkeys WHERE account = $1 AND credential = $2", row => Statements.Bytes(row, 0), account.ToArray(), passkey.CredentialId) is not { } unlocker
            || await statements.ExecuteAsync("UPDATE passkeys SET sign_count = $2, backed_up = $3 WHERE credential = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))", passkey.CredentialId, (long)passkey.SignCount, passkey.IsBackedUp ? 1L : 0L) != 1
            || !await room.Challenges.TrySpendAsync(statements, Encoding.ASCII.GetBytes(state)))
        {
            return null;
        }
        return Identity.Read(unlocker);
    }

    private async Task<Answer?> BeginAsync(HttpContext context, SignedIn session)
    {
        var (body, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.LabelBody);
        if (body is null)
        {
            return refusal;
        }
        if (Encoding.UTF8.GetByteCount(body.Label) is 0 or > MaxLabel)
        {
            return Answer.Malformed("a label of at most 64 bytes");
        }
        return Answer.Json(StatusCodes.Status200OK, await _ceremonies.BeginCreationAsync(context, new(session.Account), body.Label), AccountsJson.Default.PasskeyOptionsBody);
    }

    private async Task<Answer?> AddAsync(HttpContext context, SignedIn session)
    {
        var (body, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.NewPasskeyBody);
        if (body is null)
        {
            return refusal;
        }
        if (BrowserCredential.Read(body.Credential) is not { } credential)
        {
            return Answer.Malformed("a credential");
        }
        if (credential.HasSecrets)
        {
            return Leak;
        }
        if (await IsKnownAsync(session, body.Unlocker, credential, context.RequestAborted))
        {
            return new Answer(StatusCodes.Status201Created); // taken before, and the answer was lost
        }
        var passkey = await _ceremonies.FinishCreationAsync(context, new(session.Account), credential.Json, body.State);
        return passkey is null || passkey.PublicKey.Length > MaxPublicKey
            ? Answer.Refuse(StatusCodes.Status400BadRequest, "credential", "This is not the answer to the options that were given out, or its passkey is known.")
            : await room.Database.WriteAsync(session.Account, statements => AddAsync(statements, session, body.Unlocker, passkey), context.RequestAborted);
    }

    private async Task<bool> IsKnownAsync(SignedIn session, Identity unlocker, BrowserCredential credential, CancellationToken cancellation) => credential.Id is { } id
        && await room.Database.ReadAsync(statements => statements.QueryAsync("SELECT 1 FROM passkeys WHERE credential = $1 AND account = $2 AND unlocker = $3", row => 0, id, session.Account.ToArray(), unlocker.ToArray()), cancellation) is [_];

    private async Task<Answer> AddAsync(Statements statements, SignedIn session, Identity unlocker, UserPasskeyInfo passkey)
    {
        var account = session.Account;
        if (await room.Sessions.LockAsync(statements, session) is null)
        {
            return Answer.NoSession;
        }
        var known = await UnlockerRows.FindAsync(statements, account, unlocker);
        if (known is { Kind: not UnlockerKind.Passkey })
        {
            return Answer.Taken;
        }
        if (known is null && (await UnlockerRows.AllAsync(statements, account)).Count >= UnlockerRows.Max)
        {
            return Answer.Refuse(StatusCodes.Status409Conflict, "full", "There are as many unlockers as an account has.");
        }
        int added = await statements.ExecuteAsync(
            "INSERT INTO passkeys (credential, account, unlocker, public_key, sign_count, backup_eligible, backed_up) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            passkey.CredentialId, account.ToArray(), unlocker.ToArray(), passkey.PublicKey, (long)passkey.SignCount, passkey.IsBackupEligible ? 1L : 0L, passkey.IsBackedUp ? 1L : 0L);
        if (added == 0)
        {
            return Answer.Taken;
        }
        if (known is null)
        {
            await UnlockerRows.AddAsync(statements, account, new(unlocker, UnlockerKind.Passkey, null, null, null, DateOnly.FromDateTime(room.Time.GetUtcNow().UtcDateTime)));
        }
        return new Answer(StatusCodes.Status201Created);
    }
}
