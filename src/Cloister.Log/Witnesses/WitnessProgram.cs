using System.Buffers;
using System.Collections.Immutable;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Witnesses;

/// <summary>The witness (C2SP tlog-witness): it cosigns what goes on from what it cosigned before, and nothing else.</summary>
public static partial class WitnessProgram
{
    /// <summary>Makes the program, not yet started. Its addresses are in <see cref="WebApplication.Urls"/> once it is.</summary>
    /// <param name="options">Checked here as a whole.</param>
    /// <param name="logging">Where log lines go; null writes warnings to the console.</param>
    /// <exception cref="ArgumentException">The options have faults: the message lists them all.</exception>
    /// <exception cref="LogStoppedException">Another process has the folder, or its memory is damaged.</exception>
    public static WebApplication Build(WitnessOptions options, Action<ILoggingBuilder>? logging = null) => Build(options, logging, TimeProvider.System, Disk.Real);

    internal static WebApplication Build(WitnessOptions options, Action<ILoggingBuilder>? logging, TimeProvider time, Disk disk)
    {
        ArgumentNullException.ThrowIfNull(options);
        var builder = Programs.CreateBuilder("Cloister.Witness", options.Faults(), options.Listen, AddCheckpointRequest.MaxSize, logging);

        ImmutableArray<VerifierKey> logs = [.. options.Logs.Select(text => VerifierKey.TryParse(text, out var key) ? key : throw new ArgumentException("A log's key is none.", nameof(options)))];
        ImmutableArray<SignerKey> keys = [.. options.Keys.Select(file => KeyFiles.TryRead(file, out var key) ? key : throw new ArgumentException("A key cannot be read.", nameof(options)))];
        var memory = new WitnessMemory(options.Folder, logs.Select(key => key.Name), disk);

        var program = builder.Build();
        var desk = new WitnessDesk(logs, keys, memory, time, program.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Cloister.Witness"));
        program.Lifetime.ApplicationStopped.Register(() =>
        {
            desk.Dispose();
            memory.Dispose();
            Array.ForEach([.. keys], key => key.Dispose());
        });
        program.UseRouting();
        program.MapPost("/add-checkpoint", context => AnswerAsync(context, desk));
        return program;
    }

    private static async Task AnswerAsync(HttpContext context, WitnessDesk desk)
    {
        byte[] body = await ReadAsync(context);
        var decision = await desk.DecideAsync(body, context.RequestAborted);
        var response = context.Response;
        response.StatusCode = decision is null ? StatusCodes.Status503ServiceUnavailable : (int)decision.Answer;
        response.ContentType = decision?.Answer is WitnessAnswer.Conflict ? "text/x.tlog.size" : "text/plain; charset=utf-8";
        response.ContentLength = decision?.Body.Length ?? 0;
        response.Headers.CacheControl = "no-store";
        await response.Body.WriteAsync(decision?.Body.AsMemory() ?? default, context.RequestAborted);
    }

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var body = new ArrayBufferWriter<byte>();
        while (await context.Request.Body.ReadAsync(body.GetMemory(4096), context.RequestAborted) is > 0 and var read)
        {
            body.Advance(read);
        }
        return body.WrittenMemory.ToArray();
    }
}

/// <summary>Decides and remembers, one request of a log after the other.</summary>
internal sealed partial class WitnessDesk(ImmutableArray<VerifierKey> logs, ImmutableArray<SignerKey> keys, WitnessMemory memory, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Null where it could not be remembered: then nothing leaves.</summary>
    public async Task<WitnessDecision?> DecideAsync(ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var decision = Witness.Decide(body.Span, logs, memory.Last, keys, time.GetUtcNow());
            if (decision.State is { } state && !state.Equals(memory.Last(state.Origin)))
            {
                memory.Remember(state);
            }
            if (decision.Answer is WitnessAnswer.Inconsistent)
            {
                LogInconsistent(); // perhaps a log that misbehaves: its signature was good
            }
            return decision;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogForgetful(fault.Message);
            return null;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    [LoggerMessage(LogLevel.Critical, "A checkpoint that a log signed does not go on from the one before.")]
    private partial void LogInconsistent();

    [LoggerMessage(LogLevel.Error, "Nothing is cosigned, because it cannot be remembered: {Reason}")]
    private partial void LogForgetful(string reason);
}
