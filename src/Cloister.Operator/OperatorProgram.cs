using System.Collections.Frozen;
using System.Net;
using Cloister.Operator.Accounts;

namespace Cloister.Operator;

/// <summary>The operator: a directory of enclaves, a carrier of sealed bytes, the web app's files, accounts with what is sealed of them. It holds no key and opens nothing.</summary>
public static class OperatorProgram
{
    // Ours to choose. A request here is a path and a few fields. None has a body but those of accounts, which say how much each.
    private const int MaxRequestHeaders = 16 * 1024;
    private const int UsualSessions = 10_000;

    /// <summary>Makes the program, not yet started. Its addresses are in <see cref="WebApplication.Urls"/> once it is.</summary>
    /// <param name="options">Checked here as a whole.</param>
    /// <param name="logging">Where log lines go; null writes warnings and the counts of sessions to the console. No line holds anything of a message.</param>
    /// <exception cref="ArgumentException">The options have faults: the message lists them all.</exception>
    public static WebApplication Build(OperatorOptions options, Action<ILoggingBuilder>? logging = null) => Build(options, logging, TimeProvider.System);

    internal static WebApplication Build(OperatorOptions options, Action<ILoggingBuilder>? logging, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Faults() is { IsEmpty: false } faults)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, faults), nameof(options));
        }

        // The empty builder reads neither the environment nor files: the options are all there is.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Cloister.Operator", EnvironmentName = Environments.Production });
        (logging ?? LogToConsole)(builder.Logging);
        Listen(builder, options);
        builder.Services.AddRoutingCore();
        if (options.Accounts is { } accounts)
        {
            builder.Services.AddSingleton(services => new AccountRoom(accounts, time, services.GetRequiredService<ILoggerFactory>().CreateLogger("Cloister.Operator")));
            builder.Services.AddHostedService<AccountsLife>();
        }

        var program = builder.Build();
        var enclaves = options.Enclaves.ToFrozenDictionary(enclave => enclave.Key, enclave => new Enclave(enclave.Key, CarrierAddress.Parse(enclave.Value), options.SessionsPerEnclave ?? UsualSessions));

        program.UseSecurityHeaders();
        program.UseRouting();
        program.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(30), KeepAliveTimeout = TimeSpan.FromSeconds(60) });
        program.MapDirectory(new EnclaveDirectory(enclaves.Values, time));
        program.MapChannels(enclaves);
        program.MapLog(options.Log is null ? null : new Uri(options.Log));
        program.MapWebClient(options.WebClient);
        if (options.Accounts is not null)
        {
            AccountRoutes.Map(program, program.Services.GetRequiredService<AccountRoom>());
        }
        program.MapWeb(WebFiles.Load(options.WebRoot, options.Policy));
        return program;
    }

    private static void Listen(WebApplicationBuilder builder, OperatorOptions options)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxRequestHeaders;
            kestrel.Limits.MaxRequestLineSize = MaxRequestHeaders / 4;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            kestrel.Listen(IPEndPoint.Parse(options.Listen));
        });

        // Nothing here blocks (a file of SQLite has threads of its own), so a message is forwarded on the thread that its bytes arrive on.
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.UnsafePreferInlineScheduling = true;
            sockets.NoDelay = true;
        });
    }

    private static void LogToConsole(ILoggingBuilder logging) =>
        logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning).AddFilter("Cloister", LogLevel.Information);
}
