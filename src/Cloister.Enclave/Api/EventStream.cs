using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Enclave.Api;

/// <summary>Server-sent events as the OpenAI API streams them: one JSON value per event, each flushed at once, <c>[DONE]</c> at the end.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly PipeWriter _body;
    private readonly ArrayBufferWriter<byte> _event = new(1024);
    private readonly Utf8JsonWriter _json;
    private readonly CancellationToken _aborted;

    public EventStream(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        _body = context.Response.BodyWriter;
        _json = new Utf8JsonWriter(_event, new JsonWriterOptions { Encoder = ApiJson.Answers.Options.Encoder, SkipValidation = true });
        _aborted = context.RequestAborted;
    }

    public ValueTask SendAsync<T>(T value, JsonTypeInfo<T> type)
    {
        _event.ResetWrittenCount();
        _event.Write("data: "u8);
        _json.Reset();
        JsonSerializer.Serialize(_json, value, type);
        _event.Write("\n\n"u8);
        return WriteAsync(_event.WrittenMemory);
    }

    public ValueTask EndAsync() => WriteAsync("data: [DONE]\n\n"u8.ToArray());

    public void Dispose()
    {
        _json.Dispose();
        _event.Clear();
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        var flushed = await _body.WriteAsync(bytes, _aborted);
        if (flushed.IsCompleted || flushed.IsCanceled)
        {
            throw new OperationCanceledException("Nobody reads this answer any more.");
        }
    }
}
