using System.Collections.Immutable;
using System.Net;

namespace Cloister.Log;

/// <summary>What the log and the witness have in common as programs.</summary>
internal static class Programs
{
    private const int MaxRequestHeaders = 16 * 1024; // ours to choose: a request here is a path and a body

    /// <exception cref="ArgumentException">There are faults: the message lists them all.</exception>
    public static WebApplicationBuilder CreateBuilder(string name, ImmutableArray<string> faults, string listen, long maxBody, Action<ILoggingBuilder>? logging)
    {
        if (!faults.IsEmpty)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, faults));
        }

        // The empty builder reads neither the environment nor files: the options are all there is.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = name, EnvironmentName = Environments.Production });
        (logging ?? LogToConsole)(builder.Logging);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = maxBody;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxRequestHeaders;
            kestrel.Limits.MaxRequestLineSize = MaxRequestHeaders / 4;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            kestrel.Listen(IPEndPoint.Parse(listen));
        });
        builder.Services.AddRoutingCore();
        return builder;
    }

    // Standard output belongs to what a program says; its log lines go beside it.
    private static void LogToConsole(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
