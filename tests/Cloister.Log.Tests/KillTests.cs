using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cloister.Log.Client;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>Real processes, killed at random under load, on a disk that fills and tears.</summary>
public class KillTests(ITestOutputHelper output)
{
    // All five hundred: -explicit only -method '*Five_hundred*'.
    [Fact]
    public Task Forty_kills_lose_nothing_and_fork_nothing() => KillAsync(40, 20_261);

    [Fact(Explicit = true)]
    public Task Five_hundred_kills_lose_nothing_and_fork_nothing() => KillAsync(500, 7);

    private async Task KillAsync(int kills, int seed)
    {
        await using var town = await Town.BuildAsync(1);
        var random = new Random(seed);
        var acknowledged = new ConcurrentDictionary<string, long>();
        var roots = new ConcurrentDictionary<long, TreeHash>(); // of every checkpoint that anybody was shown
        int number = 0, early = 0, killed = 0, forks = 0;
        while (killed < kills)
        {
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["victim", town.Folder, random.Next().ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            string? address = await process.StandardOutput.ReadLineAsync();
            if (address is null)
            {
                await process.WaitForExitAsync();
                Assert.True(process.ExitCode is 137, $"It did not die, it gave up: {process.ExitCode} {await errors}");
                (early, killed) = (early + 1, killed + 1);
                continue;
            }

            using var end = new CancellationTokenSource();
            var receipt = new TaskCompletionSource();
            var load = Enumerable.Range(0, 8).Select(_ => LoadAsync(new Uri(address), receipt, end.Token)).ToArray();
            if (killed % 4 == 0)
            {
                // However slow the machine is, some lives get as far as a receipt. A disk that is full gives none.
                await Task.WhenAny(receipt.Task, Task.Delay(TimeSpan.FromSeconds(10)), process.WaitForExitAsync());
            }
            await Task.WhenAny(Task.Delay(random.Next(5, 250)), process.WaitForExitAsync());
            if (!process.HasExited)
            {
                process.Kill();
            }
            await process.WaitForExitAsync();
            Assert.Equal(137, process.ExitCode);
            killed++;
            await end.CancelAsync();
            await Task.WhenAll(load);
        }

        // What was acknowledged is where its receipt said, and every checkpoint is a prefix of the log.
        await using var log = await town.OpenLogAsync();
        await log.AddAsync("the last one");
        var entries = await log.EntriesAsync();
        Assert.All(acknowledged, one => Assert.Equal(one.Key, entries[(int)one.Value]));
        Assert.Equal(entries.Count, entries.Distinct().Count());
        var frontier = new TreeFrontier();
        foreach (string entry in entries)
        {
            frontier.Append(TreeHash.OfLeaf(Encoding.UTF8.GetBytes(entry)));
            Assert.True(!roots.TryGetValue(frontier.Size, out var root) || root == frontier.Root);
        }
        Assert.Equal(0, forks);
        Assert.NotEmpty(acknowledged);
        output.WriteLine($"{killed} kills ({early} before the log was open), {acknowledged.Count} entries acknowledged, {entries.Count} in the log, {roots.Count} checkpoints seen.");

        async Task LoadAsync(Uri address, TaskCompletionSource receipt, CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                string entry = $"entry {Interlocked.Increment(ref number)}";
                try
                {
                    var result = await LogSubmission.AddAsync(town.Http, address, Encoding.UTF8.GetBytes(entry), town.Policy, TimeProvider.System, TimeSpan.FromSeconds(5), cancellation);
                    if (result.Proof is { } bytes && LogProof.TryParse(bytes.Span, out var proof) && Checkpoint.TryParse(proof.Checkpoint.Text, out var checkpoint))
                    {
                        acknowledged[entry] = proof.Index;
                        receipt.TrySetResult();
                        if (roots.GetOrAdd(checkpoint.Size, checkpoint.Root) != checkpoint.Root)
                        {
                            Interlocked.Increment(ref forks);
                        }
                    }
                    Assert.True(result.Fault is SubmissionFault.None or SubmissionFault.Busy or SubmissionFault.Refused, $"{result.Fault} {result.Reason}");
                }
                catch (Exception cut) when (cut is HttpRequestException or IOException or OperationCanceledException)
                {
                    // Killed before the receipt.
                }
            }
        }
    }
}
