using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Operator.Accounts.Http;

/// <summary>Reads a request's body: no more than the endpoint takes, and no memory for what was only promised.</summary>
internal static class Bodies
{
    /// <summary>Bytes of the largest JSON, ours to choose: 32 unlockers with their wraps fit in.</summary>
    public const int MaxJson = 256 << 10;

    private const int FirstBuffer = 4 << 10;

    /// <returns>The bytes, or how their absence is answered.</returns>
    public static Task<(byte[]? Bytes, Answer? Refusal)> OctetsAsync(HttpContext context, int most) => ReadAsync(context, "application/octet-stream", most);

    /// <returns>What the JSON says, or how it is answered that it says nothing.</returns>
    public static async Task<(T? Value, Answer? Refusal)> JsonAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        var (bytes, refusal) = await ReadAsync(context, "application/json", MaxJson);
        return refusal is not null ? (null, refusal) : TryParse(bytes, type, out var value) ? (value, null) : (null, Answer.Malformed("what is asked for here, in strict JSON"));
    }

    private static bool TryParse<T>(byte[]? bytes, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? value) where T : class
    {
        try
        {
            value = JsonSerializer.Deserialize(bytes, type);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // The second is what a text with half of a surrogate pair is to the reader, where it does not make the first of it.
            value = null;
        }
        return value is not null;
    }

    private static async Task<(byte[]?, Answer?)> ReadAsync(HttpContext context, string contentType, int most)
    {
        if (context.Request.ContentLength > most)
        {
            return (null, Answer.TooLarge);
        }
        if (context.Request.ContentType is not { } type || type.Split(';')[0].Trim() is var bare && !bare.Equals(contentType, StringComparison.OrdinalIgnoreCase))
        {
            return (null, Answer.Refuse(StatusCodes.Status415UnsupportedMediaType, "content_type", $"This takes {contentType}."));
        }

        // What was only promised is not counted; but what will find no room is not asked for.
        var share = context.Features.GetRequiredFeature<InFlight.Share>();
        if (context.Request.ContentLength is > InFlight.Small and var promised && share.Refusal(promised) is { } noRoom)
        {
            return (null, noRoom);
        }
        byte[] buffer = new byte[Math.Min(most, FirstBuffer)];
        int length = 0, held = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                if (length > most)
                {
                    return (null, Answer.TooLarge);
                }
                int size = (int)Math.Min((long)most + 1, buffer.Length * 2L);
                if (size > InFlight.Small)
                {
                    if (share.Hold(size - held) is { } refusal)
                    {
                        return (null, refusal);
                    }
                    held = size;
                }
                Array.Resize(ref buffer, size);
            }
            int read = await ReadSomeAsync(context, buffer.AsMemory(length));
            if (read == 0)
            {
                break;
            }
            length += read;
        }
        return length > most ? (null, Answer.TooLarge) : (buffer.AsSpan(0, length).ToArray(), null);
    }

    // A chunk that is none is an IOException to Kestrel, as the database's faults are to its drivers. It is the sender's fault, and must not look like ours.
    private static async ValueTask<int> ReadSomeAsync(HttpContext context, Memory<byte> buffer)
    {
        try
        {
            return await context.Request.Body.ReadAsync(buffer, context.RequestAborted);
        }
        catch (IOException fault) when (fault is not BadHttpRequestException)
        {
            throw new BodyUnreadableException(fault);
        }
    }
}

/// <summary>A body cannot be read to its end.</summary>
internal sealed class BodyUnreadableException(Exception inner) : Exception("The request's body cannot be read.", inner);
