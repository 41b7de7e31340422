using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts.Unlockers;

/// <summary>An account as a whole: what is known of it, and its end. Docs/spec/accounts.md, section 2.</summary>
internal sealed partial class AccountEndpoints(AccountRoom room)
{
    private readonly Proof _proof = new(room);

    public void Map(AccountRoutes routes)
    {
        routes.SignedIn(HttpMethods.Get, "/account", ShowAsync);
        routes.SignedIn(HttpMethods.Delete, "/account", DeleteAsync, Bodies.MaxJson);
    }

    private async Task<Answer?> ShowAsync(HttpContext context, SignedIn session)
    {
        await room.Pages.WaitAsync(context.RequestAborted);
        try
        {
            return await ListAsync(session, context.RequestAborted) is { } listing ? Answer.Json(StatusCodes.Status200OK, listing, AccountsJson.Default.ListingBody) : Answer.NoSession;
        }
        finally
        {
            room.Pages.Release();
        }
    }

    private Task<ListingBody?> ListAsync(SignedIn session, CancellationToken cancellation)
    {
        byte[] account = session.Account.ToArray();
        return room.Database.SnapshotAsync(async statements => await room.Sessions.AccountAsync(statements, session) is not { } found ? null
            : new ListingBody(
                session.Account,
                [.. await statements.QueryAsync("SELECT record FROM epochs WHERE account = $1 ORDER BY epoch", row => Statements.Bytes(row, 0), account)],
                [.. await UnlockerRows.AllAsync(statements, session.Account)],
                found.Head, found.Used, room.Quota), cancellation);
    }

    private async Task<Answer?> DeleteAsync(HttpContext context, SignedIn session)
    {
        var (proof, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.ProofBody);
        if (proof is null)
        {
            return refusal;
        }
        if (proof.Account is not null)
        {
            return Answer.Malformed("a proof for the session's account");
        }
        using var attempt = _proof.Begin(context, proof.Unlocker);
        if (attempt.Refusal is { } limited)
        {
            return limited;
        }
        if (await _proof.VerifyAsync(proof, SignInMessage.DeleteAccount, session.Account, context.RequestAborted) is null)
        {
            return attempt.Wrong();
        }

        // At once for everybody; then its rows, which may be a million. What fails there is done again every minute, and the account has ended all the same.
        if (await room.Database.WriteAsync(session.Account, statements => EndAsync(statements, session, proof), context.RequestAborted) is { } refused)
        {
            return refused;
        }
        room.TellEnded(session.Account);
        try
        {
            await Sweep.EndedAccountAsync(room.Database, session.Account, CancellationToken.None);
        }
        catch (Exception fault)
        {
            Left(room.Logger, fault.GetType().Name);
        }
        return Answer.Gone;
    }

    // Null where the account ended.
    private async Task<Answer?> EndAsync(Statements statements, SignedIn session, ProofBody proof)
    {
        var account = session.Account;
        if (await room.Sessions.LockAsync(statements, session) is null)
        {
            return Answer.NoSession;
        }
        if (await _proof.SpendAsync(statements, account, proof) is null)
        {
            return Answer.Wrong;
        }
        await statements.ExecuteAsync("UPDATE accounts SET ended = 1, head = NULL WHERE account = $1", account.ToArray());
        foreach (string table in (ImmutableArray<string>)["sessions", "passkeys", "unlockers", "epochs"])
        {
            await statements.ExecuteAsync($"DELETE FROM {table} WHERE account = $1", account.ToArray());
        }
        await statements.TellEndedAsync(account);
        return null;
    }

    [LoggerMessage(LogLevel.Warning, "Rows of an account that was deleted are left for the sweep: {Fault}")]
    private static partial void Left(ILogger logger, string fault);
}
