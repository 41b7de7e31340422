using System.Buffers;
using System.Text;
using Cloister.Log.Sequencing;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log;

/// <summary>What a log answers (docs/spec/log.md, section 2).</summary>
internal static class LogEndpoints
{
    private const string Text = "text/plain; charset=utf-8";
    private const string Forever = "public, max-age=31536000, immutable";
    private const string RetrySeconds = "2"; // ours to choose

    public static void MapLog(this IEndpointRouteBuilder program, Sequencer sequencer, Submitters submitters, ITileReader tiles, TimeProvider time)
    {
        program.MapPost("/add", context => AddAsync(context, sequencer, submitters, time));
        program.MapGet("/checkpoint", context => ShowCheckpointAsync(context, sequencer));
        program.MapGet("/tile/{**path}", context => ShowTileAsync(context, tiles));
    }

    private static async Task AddAsync(HttpContext context, Sequencer sequencer, Submitters submitters, TimeProvider time)
    {
        byte[] entry = await ReadAsync(context);
        if (submitters.Judge(entry, time.GetUtcNow()) is not AdmissionFault.None and var fault)
        {
            await AnswerAsync(context, fault is AdmissionFault.MalformedEntry ? StatusCodes.Status400BadRequest : StatusCodes.Status403Forbidden, $"{fault}");
            return;
        }

        var (refusal, proof) = await sequencer.AddAsync(entry, context.RequestAborted);
        if (proof is null)
        {
            context.Response.Headers.RetryAfter = RetrySeconds;
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, $"{refusal}");
            return;
        }
        context.Response.Headers.CacheControl = "no-store";
        await WriteAsync(context, Text, proof.ToBytes());
    }

    private static async Task ShowCheckpointAsync(HttpContext context, Sequencer sequencer)
    {
        if (sequencer.Published is not { } published)
        {
            context.Response.Headers.RetryAfter = RetrySeconds;
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "NothingPublished");
            return;
        }
        context.Response.Headers.CacheControl = "no-cache";
        await WriteAsync(context, Text, published.Checkpoint.ToBytes());
    }

    private static async Task ShowTileAsync(HttpContext context, ITileReader tiles)
    {
        // Only what is spelt as the specification spells it reaches the storage.
        byte[]? bytes = TilePath.TryParse($"tile/{context.GetRouteValue("path")}", out var tile) ? await tiles.ReadAsync(tile, context.RequestAborted) : null;
        if (bytes is null)
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "NoSuchTile"); // not for good: it may be there soon
            return;
        }
        context.Response.Headers.CacheControl = Forever;
        await WriteAsync(context, "application/octet-stream", bytes);
    }

    // The server itself refuses what is longer than an entry can be.
    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.IsCompleted)
            {
                byte[] bytes = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string name)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        return WriteAsync(context, Text, Encoding.ASCII.GetBytes($"{name}\n"));
    }

    private static async Task WriteAsync(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
