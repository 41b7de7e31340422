using System.Globalization;
using System.Text;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Operator.Accounts.Changes;

/// <summary>Taking changes, showing them, and telling of them. Docs/spec/accounts.md, section 3.</summary>
internal sealed class ChangeEndpoints(AccountRoom room, CancellationToken stopping)
{
    private readonly Batches _batches = new(room);

    public void Map(AccountRoutes routes)
    {
        routes.Recalled(HttpMethods.Post, "/account/changes", TakeAsync, ChangeBatch.MaxSize);
        routes.SignedIn(HttpMethods.Get, "/account/changes", ShowAsync);
        routes.Listening("/account/feed", TellAsync);
    }

    private async Task<Answer?> TakeAsync(HttpContext context, SignedIn session)
    {
        var (bytes, refusal) = await Bodies.OctetsAsync(context, ChangeBatch.MaxSize);
        if (bytes is null)
        {
            return refusal;
        }
        if (!ChangeBatch.TryParse(bytes, out var batch, out _))
        {
            return Answer.Malformed("a batch of changes");
        }
        if (batch.Head.Head.Account != session.Account)
        {
            return Answer.Signature;
        }

        // Before the account's turn, because it takes longer than all that follows; there the key is compared.
        var verified = batch.Head.IsSignedBy(session.HeadKey) ? session.HeadKey : null;
        var (answer, isNew) = await room.Database.WriteAsync(session.Account, statements => _batches.TakeAsync(statements, session, batch, verified), context.RequestAborted);
        if (isNew)
        {
            room.Database.Announce(session.Account, batch.Head.Head.Sequence);
        }
        else
        {
            // Perhaps because the session, or the head key, is not what was remembered.
            room.Sessions.Forget(session);
        }
        return answer;
    }

    internal async Task<Answer?> ShowAsync(HttpContext context, SignedIn session)
    {
        if (context.Request.Query is not { Count: 1 } query || query["after"] is not [{ } text] || !ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong after))
        {
            return Answer.Malformed("a question for what came after a sequence");
        }
        await room.Pages.WaitAsync(context.RequestAborted);
        try
        {
            var (account, page) = await room.Database.SnapshotAsync(async statements => await room.Sessions.AccountAsync(statements, session) is { Newest: var newest } found
                ? (found, newest is null ? null : await Pages.ReadAsync(statements, session.Account, newest, after))
                : (null, null), context.RequestAborted);
            return account is null ? Answer.NoSession : page is null ? Answer.Gone : Answer.Octets(page.ToBytes());
        }
        finally
        {
            room.Pages.Release();
        }
    }

    private async Task<Answer?> TellAsync(HttpContext context, SignedIn session)
    {
        if (room.Feeds.Join(session.Account, session.Token, session.Expires) is not { } feed)
        {
            return Answer.TooMany(TimeSpan.FromSeconds(1));
        }
        try
        {
            // The feed first: what comes between it and the question is not missed, the end of the session neither.
            if (await room.Database.ReadAsync(statements => room.Sessions.AccountAsync(statements, session), context.RequestAborted) is not { } account)
            {
                return Answer.NoSession;
            }
            feed.Tell((ulong)account.Sequence);

            context.Response.ContentType = "text/event-stream";
            context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
            using var left = context.RequestAborted.UnsafeRegister(static feed => ((Feed)feed!).End(), feed);
            await TellAsync(context, session, feed);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The listener went away.
        }
        finally
        {
            room.Feeds.Leave(feed);
        }
        return null;
    }

    private async Task TellAsync(HttpContext context, SignedIn session, Feed feed)
    {
        while (true)
        {
            var due = await feed.NextAsync();
            if (due.End || stopping.IsCancellationRequested || (due.AskAgain && await room.Sessions.FindAsync(session.Token, context.RequestAborted) is null))
            {
                return;
            }
            string said = due.Head is { } sequence ? string.Create(CultureInfo.InvariantCulture, $"event: head\ndata: {{\"sequence\":{sequence}}}\n\n") : due.Comment ? ":\n\n" : "";
            if (said.Length > 0)
            {
                await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(said), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
    }
}
