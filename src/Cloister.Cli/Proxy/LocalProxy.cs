using System.Net;
using System.Text.Json;
using Cloister.Client;
using Yarp.ReverseProxy.Forwarder;

namespace Cloister.Cli.Proxy;

/// <summary>A web server on loopback that hands every request to the sealed channel, and every answer back as it comes.</summary>
internal static class LocalProxy
{
    // Between two pieces of an answer. A long prompt is read in silence.
    private static readonly ForwarderRequestConfig Patience = new() { ActivityTimeout = TimeSpan.FromMinutes(15) };

    /// <param name="handler">Appraises before it sends anything. It belongs to the caller.</param>
    /// <param name="key">Null: any caller of this machine is answered.</param>
    public static WebApplication Build(SealedHttpHandler handler, IPEndPoint endpoint, string? key)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "cloister-proxy", EnvironmentName = Environments.Production });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(endpoint);
        });
        builder.WebHost.UseSockets(sockets => sockets.NoDelay = true);
        builder.Services.AddHttpForwarder();

        var proxy = builder.Build();
        var forwarder = proxy.Services.GetRequiredService<IHttpForwarder>();
        var channel = new HttpMessageInvoker(handler, disposeHandler: false);
        var callers = new LocalCallers(key);
        var transformer = new ToEnclave(dropKey: key is not null);
        proxy.Run(async context =>
        {
            if (callers.Refuse(context.Request) is var (status, message))
            {
                await WriteErrorAsync(context, status, "permission_error", "caller_refused", message);
                return;
            }

            var error = await forwarder.SendAsync(context, SealedHttpHandler.EnclaveAddress.ToString(), channel, Patience, transformer);
            if (error is not ForwarderError.None && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
            {
                await ExplainAsync(context, context.Features.Get<IForwarderErrorFeature>()?.Exception);
            }
        });
        return proxy;
    }

    private static Task ExplainAsync(HttpContext context, Exception? fault) => fault switch
    {
        EnclaveRefusedException     => WriteErrorAsync(context, StatusCodes.Status502BadGateway, "enclave_error", "enclave_refused", fault.Message),
        EnclaveUnreachableException => WriteErrorAsync(context, StatusCodes.Status502BadGateway, "enclave_error", "enclave_unreachable", fault.Message),
        _ => WriteErrorAsync(context, StatusCodes.Status502BadGateway, "enclave_error", "enclave_lost", "The connection to the enclave was lost before it answered."),
    };

    private static async Task WriteErrorAsync(HttpContext context, int status, string type, string code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("message", message);
        json.WriteString("type", type);
        json.WriteNull("param");
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    // The key is between the tool and this port. Nothing is added: the enclave need not learn how the request came here.
    private sealed class ToEnclave(bool dropKey) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = null;
            if (dropKey)
            {
                proxyRequest.Headers.Authorization = null;
            }
        }
    }
}
