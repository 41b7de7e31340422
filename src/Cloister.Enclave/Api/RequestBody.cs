using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Enclave.Api;

/// <summary>Reads a whole JSON request into bounded memory and wipes that memory afterwards.</summary>
internal static class RequestBody
{
    private const int FirstBuffer = 16 * 1024;

    public static async Task<(T? Request, ApiError? Error)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, int limit) where T : class
    {
        if (context.Request.ContentLength > limit)
        {
            return (null, ApiError.TooLarge);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            int length = 0;
            while (await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted) is var read and > 0)
            {
                length += read;
                if (length > limit)
                {
                    return (null, ApiError.TooLarge);
                }
                if (length == buffer.Length)
                {
                    buffer = Grow(buffer);
                }
            }
            return Parse(buffer.AsSpan(0, length), type);
        }
        finally
        {
            GiveBack(buffer);
        }
    }

    private static (T?, ApiError?) Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) is { } request
                ? (request, null)
                : (null, ApiError.Invalid("The request's body must be a JSON object."));
        }
        catch (JsonException fault)
        {
            // The path names fields only; the rest of the message could quote the prompt and says nothing more.
            string place = fault.Path is null or "$" ? "" : $" at {fault.Path}";
            return (null, ApiError.Invalid($"The request's body is not valid JSON of this API{place} (line {fault.LineNumber + 1}).", code: "invalid_json"));
        }
    }

    private static byte[] Grow(byte[] buffer)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        GiveBack(buffer);
        return larger;
    }

    private static void GiveBack(byte[] buffer)
    {
        CryptographicOperations.ZeroMemory(buffer);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
