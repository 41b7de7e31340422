using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts.Unlockers;

/// <summary>Ways to an account, one at a time. Docs/spec/accounts.md, section 2.</summary>
internal sealed class UnlockerEndpoints(AccountRoom room)
{
    // Docs/spec/accounts.md, section 2. Every device reads all of them.
    private const uint MaxEpochs = 4096;

    public void Map(AccountRoutes routes)
    {
        routes.SignedIn(HttpMethods.Put, "/account/unlockers/{id}", PutAsync, Bodies.MaxJson);
        routes.SignedIn(HttpMethods.Delete, "/account/unlockers/{id}", DeleteAsync);
        routes.SignedIn(HttpMethods.Post, "/account/epochs", BeginEpochAsync, Bodies.MaxJson);
    }

    private async Task<Answer?> PutAsync(HttpContext context, SignedIn session)
    {
        var (unlocker, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.UnlockerBody);
        if (unlocker is null)
        {
            return refusal;
        }
        if (!Identity.TryParse((string?)context.GetRouteValue("id"), out var id) || unlocker.Id != id || !UnlockerRows.IsGood(unlocker))
        {
            return Answer.Malformed("an unlocker of that identity");
        }
        return await room.Database.WriteAsync(session.Account, statements => PutAsync(statements, session, unlocker), context.RequestAborted);
    }

    private async Task<Answer> PutAsync(Statements statements, SignedIn session, UnlockerBody unlocker)
    {
        var account = session.Account;
        if (await room.Sessions.LockAsync(statements, session) is not { } locked)
        {
            return Answer.NoSession;
        }
        var known = await UnlockerRows.FindAsync(statements, account, unlocker.Id);
        if (known is not null && (unlocker.Wrap is null ? known.Wrap is null : known.Wrap is not null && known.Wrap.AsSpan().SequenceEqual(unlocker.Wrap)))
        {
            return Answer.Done;
        }
        if (known is not null && (unlocker.Wrap is null || known.Kind != unlocker.Kind))
        {
            return Answer.Malformed("another wrap of that unlocker");
        }
        if (!UnlockerRows.IsOfEpoch(unlocker.Wrap, locked.Epoch))
        {
            return Answer.Epoch;
        }
        if (known is not null)
        {
            await statements.ExecuteAsync("UPDATE unlockers SET wrap = $3, renewed = NULL WHERE account = $1 AND unlocker = $2", account.ToArray(), unlocker.Id.ToArray(), unlocker.Wrap);
            return Answer.Done;
        }
        if ((await UnlockerRows.AllAsync(statements, account)).Count >= UnlockerRows.Max)
        {
            return Answer.Refuse(StatusCodes.Status409Conflict, "full", "There are as many unlockers as an account has.");
        }
        await UnlockerRows.AddAsync(statements, account, unlocker);
        return Answer.Done;
    }

    private async Task<Answer?> DeleteAsync(HttpContext context, SignedIn session)
    {
        if (!Identity.TryParse((string?)context.GetRouteValue("id"), out var id))
        {
            return Answer.Unknown;
        }
        var answer = await room.Database.WriteAsync(session.Account, async statements =>
        {
            if (await room.Sessions.LockAsync(statements, session) is null)
            {
                return Answer.NoSession;
            }
            if (await UnlockerRows.FindAsync(statements, session.Account, id) is not { } unlocker)
            {
                return Answer.Unknown;
            }
            if (unlocker is not { Kind: UnlockerKind.Passkey, Wrap: null, Renewed: null })
            {
                return Answer.Refuse(StatusCodes.Status409Conflict, "epoch", "What unlocks the account is removed by a new epoch.");
            }
            await UnlockerRows.RemoveAsync(statements, session.Account, id);
            await statements.TellEndedAsync(session.Account);
            return Answer.Gone;
        }, context.RequestAborted);
        if (answer == Answer.Gone)
        {
            room.TellEnded(session.Account);
        }
        return answer;
    }

    private async Task<Answer?> BeginEpochAsync(HttpContext context, SignedIn session)
    {
        var (body, refusal) = await Bodies.JsonAsync(context, AccountsJson.Default.EpochBody);
        if (body is null)
        {
            return refusal;
        }
        if (!EpochRecord.TryParse(body.Record, out var record, out _) || body.Wraps.Count is 0 or > UnlockerRows.Max
            || !body.Wraps.Values.All(wrap => WrapFormat.Form(wrap) is WrapForm.ToKey && UnlockerRows.IsOfEpoch(wrap, record.Epoch)))
        {
            return Answer.Malformed("an epoch with wraps of it to keys");
        }
        var (answer, isNew) = await room.Database.WriteAsync(session.Account, statements => BeginEpochAsync(statements, session, record, body), context.RequestAborted);
        if (isNew)
        {
            room.TellEnded(session.Account);
        }
        return answer;
    }

    /// <returns>How it is answered, and whether it is new.</returns>
    private async Task<(Answer Answer, bool IsNew)> BeginEpochAsync(Statements statements, SignedIn session, EpochRecord record, EpochBody body)
    {
        var account = session.Account;
        if (record.Account != account)
        {
            return (Answer.Signature, false);
        }
        if (await room.Sessions.LockAsync(statements, session) is not { } locked)
        {
            return (Answer.NoSession, false);
        }
        byte[] newest = (await statements.QueryAsync("SELECT record FROM epochs WHERE account = $1 AND epoch = $2", row => Statements.Bytes(row, 0), account.ToArray(), locked.Epoch))[0];
        if (newest.AsSpan().SequenceEqual(body.Record))
        {
            return (Answer.Done, false); // taken before, and the answer was lost
        }
        if (record.Epoch != locked.Epoch + 1)
        {
            return (Answer.Epoch, false);
        }
        if (!EpochRecord.TryParse(newest, out var current, out _) || !record.Follows(current))
        {
            return (Answer.Signature, false);
        }
        if (record.Epoch > MaxEpochs)
        {
            return (Answer.Refuse(StatusCodes.Status409Conflict, "full", "There are as many epochs as an account has."), false);
        }
        var unlockers = await UnlockerRows.AllAsync(statements, account);
        if (body.Wraps.Keys.Except(unlockers.Select(unlocker => unlocker.Id)).Any())
        {
            return (Answer.Unknown, false);
        }

        await statements.ExecuteAsync("INSERT INTO epochs (account, epoch, record) VALUES ($1, $2, $3)", account.ToArray(), (long)record.Epoch, body.Record);
        await statements.ExecuteAsync("UPDATE accounts SET epoch = $2, head_key = $3 WHERE account = $1", account.ToArray(), (long)record.Epoch, record.HeadKey.Bytes.ToArray());
        foreach (var unlocker in unlockers)
        {
            if (body.Wraps.TryGetValue(unlocker.Id, out byte[]? wrap))
            {
                await statements.ExecuteAsync("UPDATE unlockers SET renewed = $3 WHERE account = $1 AND unlocker = $2", account.ToArray(), unlocker.Id.ToArray(), wrap);
            }
            else if (unlocker is not { Kind: UnlockerKind.Passkey, Wrap: null, Renewed: null })
            {
                await UnlockerRows.RemoveAsync(statements, account, unlocker.Id);
            }
        }
        await statements.TellEndedAsync(account);
        return (Answer.Done, true);
    }
}
