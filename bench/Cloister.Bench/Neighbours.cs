using Yarp.ReverseProxy.Configuration;

namespace Cloister.Bench;

/// <summary>What a user would otherwise use: a plain YARP proxy, and a plain Kestrel WebSocket.</summary>
public static class Neighbours
{
    public static async Task RunYarpAsync(string upstream)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "upstream", Match = new RouteMatch { Path = "{**rest}" } }],
            [new ClusterConfig { ClusterId = "upstream", Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = upstream } } }]);
        var app = builder.Build();
        app.MapReverseProxy();
        await Party.ServeAsync(app);
    }

    public static async Task RunWebSocketAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        app.Map("/", async (HttpContext context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not System.Net.WebSockets.WebSocketMessageType.Close } message)
            {
                await socket.SendAsync(buffer.AsMemory(0, message.Count), System.Net.WebSockets.WebSocketMessageType.Binary, true, context.RequestAborted);
            }
        });
        await Party.ServeAsync(app);
    }
}
