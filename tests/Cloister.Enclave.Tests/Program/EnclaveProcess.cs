using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Enclave.Tests.Host;
using Cloister.Operator;
using Cloister.Simulation;
using Cloister.Testing;
using Microsoft.AspNetCore.Builder;

namespace Cloister.Enclave.Tests.Program;

/// <summary>The real program of the enclave in a process of its own, on a simulated machine, behind a real operator.</summary>
internal sealed partial class EnclaveProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Machine _machine;
    private readonly WebApplication _operator;

    private EnclaveProcess(Process process, Machine machine, WebApplication carrier) => (_process, _machine, _operator) = (process, machine, carrier);

    /// <summary>The published program that CLOISTER_ENCLAVE names, otherwise the one that was built with this test.</summary>
    private static string Path { get; } = Environment.GetEnvironmentVariable("CLOISTER_ENCLAVE") ?? System.IO.Path.Combine(
        Repository.Root, "src", "Cloister.Enclave", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "Cloister.Enclave");

    /// <summary>Native code: a runtime that reads no variable but those of its memory.</summary>
    public static bool IsPublished { get; } = !File.Exists($"{Path}.dll");

    /// <param name="options">The configuration's JSON; REPORTS in it becomes the machine's place.</param>
    /// <param name="folder">Where it is started.</param>
    /// <param name="machine">What it runs on; one of its own where it is not given.</param>
    public static async Task<EnclaveProcess> StartAsync(string options, string? folder = null, IReadOnlyDictionary<string, string>? environment = null, Machine? machine = null)
    {
        machine ??= await Machine.StartAsync();
        string file = System.IO.Path.Combine(machine.Reports, "options.json");
        await File.WriteAllTextAsync(file, options.Replace("REPORTS", machine.Reports, StringComparison.Ordinal));

        var process = Start(["--configuration", file], folder, environment);
        string line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The enclave said nothing.");
        var endpoint = IPEndPoint.TryParse(line.Split(' ')[^1].TrimEnd('.'), out var parsed) ? parsed : throw new InvalidOperationException(line);

        var carrier = OperatorProgram.Build(new OperatorOptions { Listen = "127.0.0.1:0", Enclaves = ImmutableDictionary<string, string>.Empty.Add("one", $"{endpoint}") }, _ => { });
        await carrier.StartAsync();
        return new EnclaveProcess(process, machine, carrier);
    }

    /// <summary>Runs it on a machine to its end.</summary>
    public static async Task<(int ExitCode, string Said)> FailAsync(string options)
    {
        using var machine = await Machine.StartAsync();
        string file = System.IO.Path.Combine(machine.Reports, "options.json");
        await File.WriteAllTextAsync(file, options.Replace("REPORTS", machine.Reports, StringComparison.Ordinal));
        return await RunAsync("--configuration", file);
    }

    public static async Task<(int ExitCode, string Said)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said);
    }

    /// <summary>What the operator hands out about it.</summary>
    public async Task<ReadOnlyMemory<byte>> BundleAsync()
    {
        using var http = new HttpClient();
        return (await EnclaveDirectory.FetchAsync(http, new Uri(_operator.Urls.First()), CancellationToken.None)).Single().Bundle;
    }

    /// <summary>As a service manager ends it.</summary>
    public async Task<int> StopAsync()
    {
        const int Terminate = 15;
        Assert.Equal(0, Kill(_process.Id, Terminate));
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public HttpClient Client(Action<AttestationResult>? appraised = null) =>
        new(new SealedHttpHandler(new ClientOptions { Operator = new Uri(_operator.Urls.First()), Policy = SimulatedEnclave.Policy(RunningEnclave.Authority), Appraised = appraised }))
        {
            BaseAddress = SealedHttpHandler.EnclaveAddress,
        };

    public async ValueTask DisposeAsync()
    {
        await _operator.DisposeAsync();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        _machine.Dispose();
    }

    private static Process Start(string[] arguments, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Path, arguments) { RedirectStandardOutput = true, WorkingDirectory = folder ?? System.IO.Path.GetTempPath() };
        foreach (var (name, value) in environment ?? ImmutableDictionary<string, string>.Empty)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
