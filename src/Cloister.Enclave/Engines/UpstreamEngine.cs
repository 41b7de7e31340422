using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using Cloister.Attestation;
using Cloister.Enclave.Api;

namespace Cloister.Enclave.Engines;

/// <summary>Hands every request to an OpenAI-compatible server beside it in the same enclave, and every answer back, byte for byte.</summary>
/// <remarks>
/// Nothing of a body is read or rewritten, so unknown fields, tools, images and log probabilities survive. Only the paths below
/// pass: such servers have others that change what they serve.
/// </remarks>
public sealed class UpstreamEngine : Engine
{
    private const int ChunkSize = 16 * 1024;

    // RFC 9110, section 7.6.1, and what is between the client and this program only.
    private static readonly FrozenSet<string> NotForwarded = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "Host", "Expect", "Content-Length",
        "Cloister-Request", "Cloister-Resume", "Cloister-Offset");

    private readonly string _prefix;
    private readonly int _requestBytes;
    private readonly HttpMessageInvoker _upstream;

    /// <param name="address">A loopback address, with or without the API's <c>/v1</c> at its end.</param>
    /// <exception cref="ArgumentException">The address is not an <c>http</c> one on a loopback interface.</exception>
    public UpstreamEngine(Uri address, EnclaveLimits limits) : base(limits.Answers)
    {
        if (address is not { IsAbsoluteUri: true, Scheme: "http", IsLoopback: true })
        {
            throw new ArgumentException("The upstream server must be at an http address on a loopback interface.", nameof(address));
        }

        string path = address.AbsolutePath.TrimEnd('/');
        _prefix = $"{address.Scheme}://{address.Authority}{(path.EndsWith("/v1", StringComparison.Ordinal) ? path[..^"/v1".Length] : path)}";
        _requestBytes = limits.RequestBytes;
        _upstream = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            ConnectCallback = ConnectAsync,
        });
    }

    public override ValueTask DisposeAsync()
    {
        _upstream.Dispose();
        return ValueTask.CompletedTask;
    }

    internal override void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/v1/models", ForwardAsync);
        api.MapGet("/v1/models/{**id}", ForwardAsync);
        foreach (string path in (ReadOnlySpan<string>)["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
        {
            api.MapPost(path, context => InAPlaceAsync(context, ForwardAsync));
        }
    }

    private async Task ForwardAsync(HttpContext context)
    {
        if (context.Request.ContentLength > _requestBytes)
        {
            await ApiError.TooLarge.WriteAsync(context);
            return;
        }

        using var request = ToUpstream(context.Request, out var body);
        HttpResponseMessage response;
        try
        {
            response = await _upstream.SendAsync(request, context.RequestAborted);
        }
        catch (HttpRequestException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await (body?.IsTooLarge is true ? ApiError.TooLarge : ApiError.UpstreamUnreachable).WriteAsync(context);
            return;
        }

        using (response)
        {
            CopyHead(response, context.Response);
            await CopyBodyAsync(response, context);
        }
    }

    private HttpRequestMessage ToUpstream(HttpRequest source, out ForwardedBody? body)
    {
        var request = new HttpRequestMessage(new HttpMethod(source.Method), new Uri(_prefix + source.Path.ToUriComponent() + source.QueryString.ToUriComponent()))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content = body = HttpMethods.IsGet(source.Method) ? null : new ForwardedBody(source, _requestBytes);

        var perHop = NamedByConnection(source.Headers.Connection);
        foreach (var (name, values) in source.Headers)
        {
            if (!NotForwarded.Contains(name) && !perHop.Contains(name) && !request.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values);
            }
        }
        return request;
    }

    private static void CopyHead(HttpResponseMessage source, HttpResponse response)
    {
        response.StatusCode = (int)source.StatusCode;
        var perHop = NamedByConnection(source.Headers.Connection);
        foreach (var (name, values) in source.Headers.NonValidated.Concat(source.Content.Headers.NonValidated))
        {
            if (!NotForwarded.Contains(name) && !perHop.Contains(name))
            {
                response.Headers[name] = values.ToArray();
            }
        }
        response.ContentLength = source.Content.Headers.ContentLength;
    }

    private static HashSet<string> NamedByConnection(IEnumerable<string?> connection) =>
        connection.SelectMany(value => value?.Split(',', StringSplitOptions.TrimEntries) ?? []).ToHashSet(StringComparer.OrdinalIgnoreCase);

    // Each chunk goes on as it comes. An upstream that breaks off breaks the client's answer off too: it must not look complete.
    private static async Task CopyBodyAsync(HttpResponseMessage source, HttpContext context)
    {
        byte[] chunk = new byte[ChunkSize];
        try
        {
            await using var body = await source.Content.ReadAsStreamAsync(context.RequestAborted);
            while (await body.ReadAsync(chunk, context.RequestAborted) is var read and > 0)
            {
                await context.Response.Body.WriteAsync(chunk.AsMemory(0, read), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        finally
        {
            Array.Clear(chunk);
        }
    }

    // No resolver is asked: what the name means would not be measured.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var host = IPAddress.TryParse(context.DnsEndPoint.Host, out var literal) ? literal : IPAddress.Loopback;
        var socket = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
