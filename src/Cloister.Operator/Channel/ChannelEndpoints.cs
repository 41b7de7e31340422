using System.Collections.Frozen;
using System.Net.Sockets;

namespace Cloister.Operator;

/// <summary>The door for sealed sessions: a WebSocket here, a carrier connection to the enclave there. Docs/spec/operator.md, section 3.</summary>
internal static partial class ChannelEndpoints
{
    private const string Subprotocol = "cloister.v1";

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    public static void MapChannels(this WebApplication program, FrozenDictionary<string, Enclave> enclaves)
    {
        var logger = program.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Cloister.Operator");
        program.MapGet("/cloister/v1/enclaves/{name}/channel", (HttpContext context, string name) =>
            enclaves.TryGetValue(name, out var enclave) ? CarryAsync(context, enclave, logger, program.Lifetime.ApplicationStopping) : Refuse(context, StatusCodes.Status404NotFound));
    }

    private static async Task CarryAsync(HttpContext context, Enclave enclave, ILogger logger, CancellationToken stopping)
    {
        if (!context.WebSockets.IsWebSocketRequest || !context.WebSockets.WebSocketRequestedProtocols.Contains(Subprotocol))
        {
            await Refuse(context, StatusCodes.Status400BadRequest);
            return;
        }
        if (!OwnOrigin.Holds(context.Request))
        {
            await Refuse(context, StatusCodes.Status403Forbidden);
            return;
        }
        if (!enclave.TryEnter())
        {
            await Refuse(context, StatusCodes.Status503ServiceUnavailable);
            return;
        }

        try
        {
            await CarryAdmittedAsync(context, enclave, logger, stopping);
        }
        finally
        {
            enclave.Leave();
        }
    }

    private static async Task CarryAdmittedAsync(HttpContext context, Enclave enclave, ILogger logger, CancellationToken stopping)
    {
        // Before the upgrade, so that an enclave that is away is told from one that hung up.
        using var link = await ConnectAsync(context, enclave);
        if (link is null)
        {
            await Refuse(context, StatusCodes.Status502BadGateway);
            return;
        }

        // No compression: sealed bytes do not shrink, and its state costs memory for each session.
        using var webSocket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { SubProtocol = Subprotocol, DangerousEnableCompression = false });
        Opened(logger, enclave.Name, enclave.Sessions);
        await new CarriedSession(webSocket, context.Abort, link).RunAsync(stopping);
        Closed(logger, enclave.Name, enclave.Sessions - 1);
    }

    private static async Task<Socket?> ConnectAsync(HttpContext context, Enclave enclave)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(ConnectPatience);
        return await enclave.ConnectAsync(LinkKind.Session, patience.Token);
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Information, "A session to {Enclave} opened: {Open} open.")]
    private static partial void Opened(ILogger logger, string enclave, int open);

    [LoggerMessage(LogLevel.Information, "A session to {Enclave} closed: {Open} open.")]
    private static partial void Closed(ILogger logger, string enclave, int open);
}
