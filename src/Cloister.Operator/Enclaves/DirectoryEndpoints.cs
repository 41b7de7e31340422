namespace Cloister.Operator;

internal static class DirectoryEndpoints
{
    public static void MapDirectory(this IEndpointRouteBuilder routes, EnclaveDirectory directory) =>
        routes.MapGet("/cloister/v1/enclaves", async (HttpContext context) =>
        {
            byte[] document = await directory.GetAsync();
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = document.Length;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.Body.WriteAsync(document, context.RequestAborted);
        });
}
