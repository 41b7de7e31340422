namespace Cloister.Operator;

/// <summary>Shows which web client was published for this deployment. Docs/spec/operator.md, section 6.</summary>
/// <remarks>What is shown is not looked into: whoever compares the app's files with it verifies it.</remarks>
internal static class WebClientEndpoint
{
    private const int MaxBytes = 1024 * 1024;

    public static void MapWebClient(this IEndpointRouteBuilder routes, string? file)
    {
        if (file is not null)
        {
            routes.MapGet("/cloister/v1/publication/web-client", (HttpContext context) => ShowAsync(context, file));
        }
    }

    // The file is replaced while the program runs: proofs grow old.
    private static async Task ShowAsync(HttpContext context, string file)
    {
        try
        {
            var place = new FileInfo(file);
            if (place.Exists && place.Length <= MaxBytes)
            {
                byte[] bytes = await File.ReadAllBytesAsync(file, context.RequestAborted);
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = bytes.Length;
                context.Response.Headers.CacheControl = "no-cache";
                await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
                return;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException && !context.Response.HasStarted)
        {
            // It is as good as none.
        }
        context.Response.StatusCode = StatusCodes.Status404NotFound;
    }
}
