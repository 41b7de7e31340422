using Cloister.Enclave.Engines;
using Microsoft.AspNetCore.Hosting.Server;

namespace Cloister.Enclave.Api;

/// <summary>The enclave's API as a web application that knows no configuration, no logger and no environment.</summary>
/// <remarks>
/// docs/spec/statement.md: nothing unmeasured steers the enclave. The builder is the empty one: it reads no
/// <c>appsettings.json</c>, no environment variable and no argument, and it brings no server of its own.
/// </remarks>
public static class EnclaveApi
{
    /// <param name="server">The only door. In production that is <c>SealedServer</c>; the application ends it.</param>
    /// <param name="besides">What is answered besides the engine's API. Null: nothing.</param>
    public static WebApplication Build(Engine engine, IServer server, Action<IEndpointRouteBuilder>? besides = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "cloister-enclave",
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Services.AddSingleton(server);
        builder.Services.AddSingleton<IHostLifetime, ProgramsLifetime>();
        builder.Services.AddRoutingCore();

        var application = builder.Build();
        application.Use(AnswerEveryFaultAsync);
        application.UseRouting();
        engine.Map(application);
        besides?.Invoke(application);
        application.UseEndpoints(_ => { });
        return application;
    }

    // Past the head there is no status to send any more. The exception then goes on to the server, which ends the exchange without
    // its end, so that a cut answer does not look complete. No logger hears of it.
    private static async Task AnswerEveryFaultAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception fault) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            context.Response.Clear();
            var error = fault is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } ? ApiError.TooLarge : ApiError.Failed;
            await error.WriteAsync(context);
        }

        if (!context.Response.HasStarted && context.Response is { StatusCode: StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed, ContentLength: null, ContentType: null })
        {
            await (context.Response.StatusCode == StatusCodes.Status404NotFound ? ApiError.NoSuchPath : ApiError.WrongMethod).WriteAsync(context);
        }
    }

    // The host's own would listen for Ctrl-C; when to stop is for the program to say.
    private sealed class ProgramsLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
