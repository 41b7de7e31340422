using System.Data.Common;
using Cloister.Operator.Accounts.Attachments;
using Cloister.Operator.Accounts.Changes;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Pairing;
using Cloister.Operator.Accounts.Passkeys;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;
using Cloister.Operator.Accounts.Unlockers;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Cloister.Operator.Accounts;

/// <summary>What answers a request; null where it has answered by itself.</summary>
internal delegate Task<Answer?> Handler(HttpContext context);

/// <summary>The same for who is signed in.</summary>
internal delegate Task<Answer?> SignedInHandler(HttpContext context, SignedIn session);

/// <summary>The paths of accounts and what stands before each of them: its own origin, a session where one is needed, and an answer to every fault. Docs/spec/accounts.md.</summary>
internal sealed partial class AccountRoutes(IEndpointRouteBuilder routes, AccountRoom room)
{
    private const string Root = "/cloister/v1";

    public static void Map(WebApplication program, AccountRoom room)
    {
        var routes = new AccountRoutes(program, room);
        new SignInEndpoints(room).Map(routes);
        new PasskeyEndpoints(room, program.Services).Map(routes);
        new AccountEndpoints(room).Map(routes);
        new UnlockerEndpoints(room).Map(routes);
        new ChangeEndpoints(room, program.Lifetime.ApplicationStopping).Map(routes);
        new AttachmentEndpoints(room).Map(routes);
        new PairingEndpoints(room).Map(routes);
    }

    /// <param name="body">Bytes of the largest body that is taken here.</param>
    public void Open(string method, string path, Handler handler, int body = 0) => routes.MapMethods(Root + path, [method], context => GuardAsync(context, handler, body));

    /// <param name="body">Bytes of the largest body that is taken here.</param>
    public void SignedIn(string method, string path, SignedInHandler handler, int body = 0) => SignedIn(method, path, room.Sessions.FindAsync, handler, body);

    /// <summary>The same where the handler does nothing before it has looked for the session in its own transaction: that one decides, and the database is asked once.</summary>
    public void Recalled(string method, string path, SignedInHandler handler, int body = 0) => SignedIn(method, path, room.Sessions.RecallAsync, handler, body);

    /// <summary>The same for who stays and listens, whom the handler counts by itself.</summary>
    public void Listening(string path, SignedInHandler handler) => Open(HttpMethods.Get, path, async context =>
        await room.Sessions.FindAsync(context.Request, context.RequestAborted) is { } session ? await handler(context, session) : Answer.NoSession);

    private void SignedIn(string method, string path, Func<HttpRequest, CancellationToken, Task<SignedIn?>> find, SignedInHandler handler, int body) => Open(method, path, async context =>
        await find(context.Request, context.RequestAborted) is not { } session ? Answer.NoSession
        : context.Features.GetRequiredFeature<InFlight.Share>().Enter(session.Account) ?? await handler(context, session), body);

    private async Task GuardAsync(HttpContext context, Handler handler, int body)
    {
        // Nothing else of this program takes a body: see OperatorProgram. The server reads twice as much and throws it away, so that who sends too much, or without a session, hears of it.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = 2L * body;
        if (body > InFlight.Small && !(context.Request.ContentLength <= InFlight.Small) && context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } slowest)
        {
            slowest.MinDataRate = Pace.Slowest;
        }
        using var share = new InFlight.Share(room.InFlight);
        context.Features.Set(share);
        context.Response.Headers.CacheControl = "no-store";
        Answer? answer;
        try
        {
            answer = OwnOrigin.HoldsForAccounts(context.Request) ? await handler(context) : Answer.Refuse(StatusCodes.Status403Forbidden, "origin", "This is for pages of this origin only.");
        }
        catch (BadHttpRequestException fault)
        {
            // Kestrel's word for a body that is longer than it may be, slower than it may be, or no body at all.
            answer = fault.StatusCode == StatusCodes.Status413PayloadTooLarge ? Answer.TooLarge : Answer.Malformed("a whole request");
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (BodyUnreadableException)
        {
            answer = Answer.Malformed("a whole request");
        }
        catch (Exception fault) when (Database.IsFault(fault))
        {
            // Its message may hold values of the statement.
            Failed(room.Logger, fault.GetType().Name, (fault as DbException)?.SqlState);
            answer = Answer.Refuse(StatusCodes.Status503ServiceUnavailable, "unavailable", "The operator cannot reach its database now.") with { RetryAfterSeconds = 1 };
        }
        catch (Exception fault)
        {
            // A fault of this program. Its message may hold what the request brought, and the server would log it.
            Unforeseen(room.Logger, fault.GetType().Name);
            answer = Answer.Refuse(StatusCodes.Status500InternalServerError, "internal", "The operator has a fault of its own.");
        }
        if (answer is not null && !context.Response.HasStarted)
        {
            await ((answer.Body.Length > InFlight.Small ? share.Hold(answer.Body.Length) : null) ?? answer).SendAsync(context);
        }
    }

    [LoggerMessage(LogLevel.Error, "The database of accounts failed: {Fault} {State}")]
    private static partial void Failed(ILogger logger, string fault, string? state);

    [LoggerMessage(LogLevel.Error, "A request to accounts met a fault that nobody foresaw: {Fault}")]
    private static partial void Unforeseen(ILogger logger, string fault);
}
