using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Cloister.Bench;

/// <summary>An OpenAI-compatible server that speaks at a fixed rate: each streamed token is the moment at which it was sent.</summary>
/// <remarks>The monotonic clock is one for all processes of a machine, so a reader can tell how long a token was under way.</remarks>
public static class StandInUpstream
{
    public static async Task RunAsync(string[] arguments)
    {
        var builder = WebApplication.CreateSlimBuilder(arguments);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/v1/chat/completions", AnswerAsync);
        app.MapGet("/v1/models", () => Results.Text("""{"object":"list","data":[{"id":"stand-in","object":"model"}]}""", "application/json"));
        await Party.ServeAsync(app);
    }

    // The wanted rate and length travel in the request's "seed" and "max_tokens", which every client can set.
    private static async Task AnswerAsync(HttpContext context)
    {
        using var request = await System.Text.Json.JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var root = request.RootElement;
        int tokens = root.TryGetProperty("max_tokens", out var max) ? max.GetInt32() : 1;
        int perSecond = root.TryGetProperty("seed", out var seed) ? seed.GetInt32() : 1_000;
        bool stream = root.TryGetProperty("stream", out var streamed) && streamed.GetBoolean();

        if (!stream)
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"id":"x","object":"chat.completion","created":1,"model":"stand-in","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}""");
            return;
        }

        context.Response.ContentType = "text/event-stream";
        long start = Stopwatch.GetTimestamp();
        for (int token = 0; token < tokens; token++)
        {
            var due = TimeSpan.FromSeconds((double)token / perSecond) - Stopwatch.GetElapsedTime(start);
            if (due > TimeSpan.Zero)
            {
                await Task.Delay(due, context.RequestAborted);
            }
            string now = Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture);
            var chunk = Encoding.ASCII.GetBytes($"data: {{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"stand-in\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{now} \"}},\"finish_reason\":null}}]}}\n\n");
            await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
        await context.Response.WriteAsync("data: [DONE]\n\n", context.RequestAborted);
    }
}
