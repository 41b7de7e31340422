using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Cloister.Browser;

/// <summary>A model's server that says what the test says, when the test says it.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Channel<string?> _pieces = System.Threading.Channels.Channel.CreateUnbounded<string?>();

    private CancellationTokenSource _abandoned = new();

    private Upstream(WebApplication server)
    {
        _server = server;
        server.MapPost("/v1/chat/completions", AnswerAsync);
    }

    public Uri Address => new(_server.Urls.Single());

    /// <summary>The questions that arrived, each as its JSON.</summary>
    public ConcurrentQueue<JsonElement> Questions { get; } = new();

    /// <summary>Waits until so many questions have arrived.</summary>
    public async Task HearAsync(int questions)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Questions.Count < questions)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>Completes when whoever asked went away in the middle of an answer.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the next questions are refused with; 0 answers them.</summary>
    public int Refusal { get; set; }

    public static async Task<Upstream> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        var server = builder.Build();
        server.UseRouting();
        var upstream = new Upstream(server);
        await server.StartAsync();
        return upstream;
    }

    public void Say(params string[] pieces) => Array.ForEach(pieces, piece => _pieces.Writer.TryWrite(piece));

    public void End() => _pieces.Writer.TryWrite(null);

    /// <summary>Breaks off an answer to a connection that was lost, whether the model has heard of that yet or not: what is said next is for who asks next.</summary>
    public void Abandon() => Interlocked.Exchange(ref _abandoned, new CancellationTokenSource()).Cancel();

    /// <summary>A whole answer in one piece.</summary>
    public void Answer(string text)
    {
        Say(text);
        End();
    }

    public ValueTask DisposeAsync()
    {
        _pieces.Writer.TryComplete();
        return _server.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Questions.Enqueue((await JsonDocument.ParseAsync(context.Request.Body)).RootElement);
        if (Refusal != 0)
        {
            context.Response.StatusCode = Refusal;
            await context.Response.WriteAsync("""{"error":{"message":"All places are taken.","type":"rate_limit_error"}}""");
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _abandoned.Token);
        context.Response.ContentType = "text/event-stream";
        await context.Response.StartAsync();
        try
        {
            while (await _pieces.Reader.ReadAsync(ended.Token) is { } piece)
            {
                string chunk = JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta = new { content = piece } } } });
                await context.Response.WriteAsync($"data: {chunk}\n\n", context.RequestAborted);
            }
            await context.Response.WriteAsync("data: [DONE]\n\n", context.RequestAborted);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            Cancelled.TrySetResult();
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            context.Abort();
        }
    }
}
