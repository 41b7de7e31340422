using Cloister.Log.Queue;
using Cloister.Log.Sequencing;
using Cloister.Log.Storage;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Log;

/// <summary>The log: takes entries, grows the tree, asks witnesses, shows everything to everybody.</summary>
public static class LogProgram
{
    // Ours to choose.
    private const int UsualPending = 16_384;
    private const long MaxPendingBytes = 64L * 1024 * 1024;

    /// <summary>Makes the program, not yet started. When it has started the log is open, and its addresses are in <see cref="WebApplication.Urls"/>.</summary>
    /// <param name="options">Checked here as a whole.</param>
    /// <param name="logging">Where log lines go; null writes warnings to the console.</param>
    /// <exception cref="ArgumentException">The options have faults: the message lists them all.</exception>
    /// <remarks>Starting it, and running it, ends with a <see cref="LogStoppedException"/> where the log must not go on.</remarks>
    public static WebApplication Build(LogOptions options, Action<ILoggingBuilder>? logging = null) => Build(options, logging, TimeProvider.System, Disk.Real);

    internal static WebApplication Build(LogOptions options, Action<ILoggingBuilder>? logging, TimeProvider time, Disk disk)
    {
        ArgumentNullException.ThrowIfNull(options);
        var builder = Programs.CreateBuilder("Cloister.Log", options.Faults(), options.Listen, EntryBundle.MaxEntrySize, logging);

        var key = KeyFiles.TryRead(options.Key, out var read) ? read : throw new ArgumentException("The key cannot be read.", nameof(options));
        var policy = options.ReadPolicy();
        string tiles = Path.Combine(options.Folder, "tiles");
        var bucket = options.Bucket is { } named ? new Bucket(named, time) : null;
        Func<ITileStore> openStore = bucket is null ? () => new TileFolder(tiles, disk) : () => new TileBucket(bucket);
        Func<IPendingQueue> openQueue = options.Postgres is { } connection ? () => new PostgresQueue(connection) : () => new SqliteQueue(options.Folder, disk);

        builder.Services.AddSingleton(services => new WitnessCircle(policy, TimeSpan.FromSeconds(options.WitnessSeconds ?? 5), time, services.GetRequiredService<ILoggerFactory>().CreateLogger<WitnessCircle>()));
        builder.Services.AddSingleton(services => new Sequencer(
            cancellation => OpenLog.OpenAsync(key, openQueue, openStore, cancellation),
            services.GetRequiredService<WitnessCircle>(), policy, LimitsOf(options), time, services.GetRequiredService<ILoggerFactory>().CreateLogger<Sequencer>()));
        builder.Services.AddHostedService<SequencerHost>();

        var program = builder.Build();
        program.Lifetime.ApplicationStopped.Register(() =>
        {
            key.Dispose();
            bucket?.Dispose();
        });
        program.UseRouting();
        program.MapLog(program.Services.GetRequiredService<Sequencer>(), new Submitters(options), bucket is null ? new TileFiles(tiles) : new TileBucket(bucket), time);
        return program;
    }

    internal static SequencerLimits LimitsOf(LogOptions options) => new()
    {
        MaxEntries = options.MaxPending ?? UsualPending,
        MaxBytes = MaxPendingBytes,
        Patience = TimeSpan.FromSeconds(options.AddSeconds ?? 30),
        Pace = TimeSpan.FromMilliseconds(options.PaceMilliseconds ?? 100),
        Refresh = TimeSpan.FromMinutes(options.RefreshMinutes ?? 60),
    };
}

/// <summary>The sequencer's life within the program's: nothing is served before the log is open, and when it must stop everything does.</summary>
internal sealed class SequencerHost(Sequencer sequencer, IHostApplicationLifetime lifetime) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _run = RunAsync();
        await sequencer.Started.WaitAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _run; // a log that stopped by itself says here why
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync()
    {
        try
        {
            await sequencer.RunAsync(_stop.Token);
        }
        finally
        {
            // Before it had started the start itself fails, and says why.
            if (sequencer.Started.IsCompletedSuccessfully)
            {
                lifetime.StopApplication();
            }
        }
    }
}
