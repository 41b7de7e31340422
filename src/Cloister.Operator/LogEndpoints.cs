using System.Net;

namespace Cloister.Operator;

/// <summary>Hands on the transparency log's tiles, so that a page need not ask another host. Docs/spec/operator.md, section 5.</summary>
/// <remarks>What is handed on is not looked into: whoever uses it verifies it.</remarks>
internal static class LogEndpoints
{
    // A tile has 256 hashes of 32 bytes.
    private const int MaxTile = 256 * 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapLog(this WebApplication program, Uri? log)
    {
        if (log is null)
        {
            return;
        }
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = log, Timeout = Patience, MaxResponseContentBufferSize = MaxTile };
        program.Lifetime.ApplicationStopped.Register(http.Dispose);
        program.MapGet("/cloister/v1/log/tile/{level:int:range(0,63)}/{**index}", (HttpContext context, int level, string index) => HandOnAsync(context, http, level, index));
    }

    private static async Task HandOnAsync(HttpContext context, HttpClient http, int level, string index)
    {
        if (!IsIndex(index))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        try
        {
            using var answer = await http.GetAsync(new Uri($"tile/{level}/{index}", UriKind.Relative), context.RequestAborted);
            byte[] tile = answer.StatusCode is HttpStatusCode.OK ? await answer.Content.ReadAsByteArrayAsync(context.RequestAborted) : [];
            if (tile.Length == 0)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            context.Response.ContentType = "application/octet-stream";
            context.Response.ContentLength = tile.Length;
            context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
            await context.Response.Body.WriteAsync(tile, context.RequestAborted);
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
        }
    }

    // As C2SP tlog-tiles writes it: groups of three digits, all but the last behind an x, and a partial tile's width. Nothing else reaches the log.
    private static bool IsIndex(string index) =>
        index.Length <= 64 && index.Split('/') is var parts && parts.Length <= 8 && parts.All(part => part.Length is > 0 and <= 5 && part.All(letter => char.IsAsciiDigit(letter) || letter is 'x' or 'p' or '.') && part is not ("." or ".."));
}
