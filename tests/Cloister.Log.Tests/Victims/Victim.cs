using Cloister.Log.Tests.Disks;
using Microsoft.Extensions.Hosting;

namespace Cloister.Log.Tests.Victims;

/// <summary>A log in a process of its own, which the tests kill. It says where it listens.</summary>
internal static class Victim
{
    public static async Task<int> RunAsync(string folder, int seed)
    {
        var options = new LogOptions
        {
            Listen = "127.0.0.1:0",
            Key = Path.Combine(folder, "log.key"),
            Folder = Path.Combine(folder, "log"),
            Witnesses = Path.Combine(folder, "policy"),
            Open = true,
            PaceMilliseconds = 0,
        };
        await using var program = LogProgram.Build(options, _ => { }, TimeProvider.System, new FaultyDisk(seed));
        await program.StartAsync();
        Console.WriteLine(program.Urls.Single());
        await program.WaitForShutdownAsync();
        return 0;
    }
}
