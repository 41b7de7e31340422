using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Storage;
using Cloister.Operator.Accounts.Unlockers;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Making an account, and signing in by signature. Docs/spec/accounts.md, section 1.</summary>
internal sealed class SignInEndpoints(AccountRoom room)
{
    private readonly Proof _proof = new(room);

    public void Map(AccountRoutes routes)
    {
        routes.Open(HttpMethods.Post, "/accounts", MakeAsync, Bodies.MaxJson);
        routes.Open(HttpMethods.Post, "/sign-in/challenge", _ => Task.FromResult<Answer?>(Answer.Json(StatusCodes.Status200OK, new ChallengeBody(room.Challenges.Make()), AccountsJson.Default.ChallengeBody)));
        routes.Open(HttpMethods.Post, "/sign-in", SignInAsync, Bodies.MaxJson);
        routes.SignedIn(HttpMethods.Delete, "/session", EndAsync);
    }

    private async Task<Answer?> MakeAsync(HttpContext context)
    {
        var (body, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.NewAccountBody);
        if (body is null)
        {
            return refusal;
        }
        if (!EpochRecord.TryParse(body.EpochRecord, out var record, out _) || record.Epoch != 1 || record.Account != body.Account || !AreGood(body.Unlockers, record.Epoch))
        {
            return Answer.Malformed("a new account with a way in");
        }
        if (!record.IsFirst())
        {
            return Answer.Signature;
        }
        if (!room.NewAccounts.TryCount(room.AddressOf(context), out var wait))
        {
            return Answer.TooMany(wait.Value);
        }

        var session = await room.Database.WriteAsync(body.Account, statements => MakeAsync(statements, body, record), context.RequestAborted);
        return session is null ? Answer.Taken : Answer.Json(StatusCodes.Status201Created, session, AccountsJson.Default.SessionBody);
    }

    private static bool AreGood(ImmutableArray<UnlockerBody> unlockers, uint epoch) =>
        !unlockers.IsDefault && unlockers.Length is > 0 and <= UnlockerRows.Max
        && unlockers.All(unlocker => unlocker is not null && UnlockerRows.IsGood(unlocker) && UnlockerRows.IsOfEpoch(unlocker.Wrap, epoch))
        && unlockers.Select(unlocker => unlocker.Id).Distinct().Count() == unlockers.Length
        && unlockers.Any(unlocker => unlocker.SignInKey is not null);

    // Null where the number is taken. The first unlocker that signs in has signed in.
    private async Task<SessionBody?> MakeAsync(Statements statements, NewAccountBody body, EpochRecord record)
    {
        byte[] account = body.Account.ToArray();
        if (await statements.ExecuteAsync("INSERT INTO accounts (account, epoch, head_key, sequence, head, used, ended) VALUES ($1, 1, $2, 0, NULL, 0, 0) ON CONFLICT DO NOTHING", account, record.HeadKey.Bytes.ToArray()) == 0)
        {
            return null;
        }
        await statements.ExecuteAsync("INSERT INTO epochs (account, epoch, record) VALUES ($1, 1, $2)", account, body.EpochRecord);
        foreach (var unlocker in body.Unlockers)
        {
            await UnlockerRows.AddAsync(statements, body.Account, unlocker);
        }
        return (await room.Sessions.BeginAsync(statements, body.Account, body.Unlockers.First(unlocker => unlocker.SignInKey is not null).Id)).Session;
    }

    private async Task<Answer?> SignInAsync(HttpContext context)
    {
        var (proof, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.ProofBody);
        if (proof is null)
        {
            return refusal;
        }
        using var attempt = _proof.Begin(context, proof.Unlocker);
        if (attempt.Refusal is { } refused)
        {
            return refused;
        }
        var account = await _proof.VerifyAsync(proof, SignInMessage.SignIn, proof.Account, context.RequestAborted);
        var session = account is { } signer ? await room.Sessions.BeginAsync(signer, statements => _proof.SpendAsync(statements, signer, proof), context.RequestAborted) : null;
        return session is null ? attempt.Wrong() : Answer.Json(StatusCodes.Status200OK, session, AccountsJson.Default.SessionBody);
    }

    private async Task<Answer?> EndAsync(HttpContext context, SignedIn session)
    {
        await room.Sessions.EndAsync(session, context.RequestAborted);
        room.TellEnded(session.Account);
        return Answer.Gone;
    }
}
