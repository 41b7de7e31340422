using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Cloister.Operator;

internal static class WebEndpoints
{
    public static void MapWeb(this IEndpointRouteBuilder routes, WebFiles files) =>
        routes.MapMethods("/{**path}", [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => SendAsync(context, files.Find(context.Request.Path)));

    private static Task SendAsync(HttpContext context, WebFile? file)
    {
        if (file is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        var (source, encoding) = Choose(file, context.Request.Headers.AcceptEncoding);
        string entityTag = encoding is null ? $"\"{file.EntityTag}\"" : $"\"{file.EntityTag}-{encoding}\"";
        var headers = context.Response.Headers;
        headers.ETag = entityTag;
        headers.Vary = "Accept-Encoding";
        headers.CacheControl = file.IsImmutable ? "public, max-age=31536000, immutable" : "no-cache";
        if (context.Request.Headers.IfNoneMatch.Contains(entityTag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        headers.ContentType = file.ContentType;
        headers.ContentEncoding = encoding ?? StringValues.Empty;
        headers.ContentLength = new FileInfo(source).Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.SendFileAsync(source, context.RequestAborted);
    }

    private static (string Source, string? Encoding) Choose(WebFile file, StringValues accepted)
    {
        if (file.Brotli is not null && Accepts(accepted, "br"))
        {
            return (file.Brotli, "br");
        }
        return file.Gzip is not null && Accepts(accepted, "gzip") ? (file.Gzip, "gzip") : (file.File, null);
    }

    private static bool Accepts(StringValues accepted, string encoding) =>
        StringWithQualityHeaderValue.TryParseList(accepted, out var list) && list.Any(item => item.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && item.Quality is not 0);
}
