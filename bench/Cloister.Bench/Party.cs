using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Cloister.Bench;

/// <summary>One party of the journey in a process of its own, so that its memory and CPU time are its own.</summary>
public sealed class Party : IAsyncDisposable
{
    private readonly Process _process;

    private Party(Process process, string address) => (_process, Address) = (process, address);

    /// <summary>What the party printed when it was ready: where it listens.</summary>
    public string Address { get; }

    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident bytes that are the process's own, from the kernel's accounting.</summary>
    public long ResidentBytes
    {
        get
        {
            string line = File.ReadLines($"/proc/{_process.Id}/smaps_rollup").First(entry => entry.StartsWith("Private_Dirty:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan()["Private_Dirty:".Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture) * 1024;
        }
    }

    /// <summary>Starts this program again as <paramref name="arguments"/> and waits until it says where it listens.</summary>
    public static async Task<Party> StartAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        var process = Process.Start(start) ?? throw new InvalidOperationException("The party did not start.");
        string? address = await process.StandardOutput.ReadLineAsync();
        return new Party(process, address ?? throw new InvalidOperationException($"The party '{arguments[0]}' ended before it was ready."));
    }

    /// <summary>Asks the party to collect its garbage, so that what is counted afterwards is in use.</summary>
    public async Task SettleAsync()
    {
        await _process.StandardInput.WriteLineAsync("settle");
        await _process.StandardOutput.ReadLineAsync();
    }

    /// <summary>The other end: serves until the parent closes standard input.</summary>
    public static async Task ServeAsync(WebApplication app)
    {
        await app.StartAsync();
        await ObeyAsync(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await app.StopAsync();
    }

    /// <summary>Says where the party listens, then settles on request until the parent is gone.</summary>
    public static async Task ObeyAsync(string address)
    {
        Console.WriteLine(address);
        // On a thread of its own, because reading from the console holds one, and this one may be the one that sockets are served by (decision 0009).
        while (await Task.Run(Console.In.ReadLine) is not null)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Console.WriteLine("settled");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
