using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Cloister.Journeys;

/// <summary>An OpenAI-compatible server inside the enclave, which answers with what it was sent.</summary>
internal sealed class StandInServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private TaskCompletionSource _readerGone = new();

    private StandInServer(WebApplication server) => _server = server;

    public Uri Address => new(_server.Urls.First());

    /// <summary>Done when the reader of an endless answer has left.</summary>
    public Task ReaderGone => _readerGone.Task;

    public static async Task<StandInServer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        var standIn = new StandInServer(builder.Build());
        standIn._server.UseRouting();
        standIn._server.MapGet("/v1/models", (HttpContext context) => WriteAsync(context, """{"object":"list","data":[{"id":"stand-in","object":"model","created":1,"owned_by":"test"}]}"""));
        standIn._server.MapPost("/v1/chat/completions", standIn.AnswerAsync);
        await standIn._server.StartAsync();
        return standIn;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var sent = (await JsonNode.ParseAsync(context.Request.Body))!;
        if ((bool?)sent["stream"] is true)
        {
            await StreamForEverAsync(context);
            return;
        }

        var call = new { id = "call_1", type = "function", function = new { name = "weather", arguments = sent.ToJsonString() } };
        await WriteAsync(context, JsonSerializer.Serialize(new
        {
            id = "x",
            @object = "chat.completion",
            created = 1,
            model = "stand-in",
            choices = new[] { new { index = 0, message = new { role = "assistant", content = (string?)null, tool_calls = new[] { call } }, finish_reason = "tool_calls" } },
            usage = new { prompt_tokens = 1, completion_tokens = 1, total_tokens = 2 },
        }));
    }

    private async Task StreamForEverAsync(HttpContext context)
    {
        _readerGone = new TaskCompletionSource();
        await using var gone = context.RequestAborted.Register(_readerGone.SetResult);
        context.Response.ContentType = "text/event-stream";
        try
        {
            for (int word = 0; !context.RequestAborted.IsCancellationRequested; word++)
            {
                await context.Response.WriteAsync($$"""data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"stand-in","choices":[{"index":0,"delta":{"content":"{{word}} "},"finish_reason":null}]}""" + "\n\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(20, context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader is gone.
        }
    }

    private static async Task WriteAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(json));
    }
}
