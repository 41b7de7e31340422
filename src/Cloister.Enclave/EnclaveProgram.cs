using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Cloister.Attestation;
using Cloister.Enclave.Engines;
using Cloister.Enclave.Evidence;
using Cloister.Inference;

namespace Cloister.Enclave;

/// <summary>The program of a confidential virtual machine. Nothing but the one file steers it.</summary>
public static class EnclaveProgram
{
    private const int Usage = 2, NotStarted = 3;

    /// <summary>Runs until <paramref name="stopping"/>. Says one line: where the enclave is ready, or why it is not.</summary>
    /// <returns>An exit code: 0 stopped, 2 wrong usage, 3 not started.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter say, CancellationToken stopping)
    {
        if (arguments is not ["--configuration", var file])
        {
            await say.WriteLineAsync("usage: Cloister.Enclave --configuration FILE");
            return Usage;
        }

        try
        {
            await using var enclave = await StartAsync(ProgramOptions.Read(file), stopping);
            await say.WriteLineAsync($"The enclave is ready at {enclave.Endpoint}.");
            await Task.Delay(Timeout.InfiniteTimeSpan, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
            return 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ModelException)
        {
            // Before the first request there is nothing of a user's in any message.
            await say.WriteLineAsync(fault.Message);
            return NotStarted;
        }
    }

    private static async Task<EnclaveHost> StartAsync(ProgramOptions options, CancellationToken cancellation)
    {
        var host = options.Endorsements is null ? null : new HostCollateral(new SharedFolder(options.Endorsements), options.Wanted is null ? null : new SharedFolder(options.Wanted));
        var evidence = await ConfidentialMachine.OpenAsync(options.Reports, host, cancellation);
        if (options.Gpus)
        {
            // Open for as long as the program runs: each renewal of the statement asks them again.
            var gpus = NvidiaDevices.Open();
            evidence = evidence with { Gpus = new NvidiaEvidenceSource(nonce => gpus.Attest(nonce.Span), host!).Attest };
        }
        var (engine, models) = Open(options);
        try
        {
            return await EnclaveHost.StartAsync(new EnclaveSetup
            {
                Configuration = options.Config,
                Engine = engine,
                Models = models,
                Evidence = evidence,
                Publication = options.Publication is { } file ? cancel => ReadPublicationAsync(file, cancel) : null,
                Endpoint = IPEndPoint.Parse(options.Listen),
            }, cancellation);
        }
        catch (SocketException fault)
        {
            throw new IOException($"The enclave cannot listen at {options.Listen}: {fault.Message}.", fault);
        }
    }

    // It comes from the host and says nothing by itself: clients verify it. A file that is none must not end the enclave either.
    private static async Task<Publication?> ReadPublicationAsync(string file, CancellationToken cancellation)
    {
        try
        {
            var place = new FileInfo(file);
            return place.Exists && place.Length <= EnclaveBundle.MaxSize && Publication.TryParse(await File.ReadAllBytesAsync(file, cancellation), out var publication) ? publication : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static (Engine, ImmutableArray<ServedModel>) Open(ProgramOptions options)
    {
        var limits = options.Config.Limits;
        if (options.Config.Engine.Upstream is { } upstream)
        {
            return (new UpstreamEngine(new Uri(upstream), limits), [.. options.Models.Select(model => new ServedModel { Name = model.Name })]);
        }

        var loaded = options.Models.Select(model => EmbeddedModel.Load(model.Name, model.Folder!, limits)).ToList();
        return (new EmbeddedEngine([.. loaded.Select(model => model.Model)], limits, TimeProvider.System), [.. loaded.Select(model => model.Statement)]);
    }
}
