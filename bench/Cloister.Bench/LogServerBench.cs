using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Cloister.Log;
using Cloister.Log.Sequencing;

namespace Cloister.Bench;

/// <summary>How many entries a second become durable, cosigned by three witnesses and proved, beside a loop that appends to a file and flushes it.</summary>
internal static class LogServerBench
{
    private const int EntrySize = 1_000;
    private const int Rounds = 5;
    private const int Hands = 2_048; // requests at once: a receipt takes some 100 ms, whatever the load
    private const int Half = 5_000; // entries a second: half of the target

    public static async Task<List<Row>> RunAsync()
    {
        await using var parties = await LogParties.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(parties.Log.Address) };
        await SaturateAsync(http, Hands, TimeSpan.FromSeconds(3)); // warm

        var (ours, bare, again) = (new double[Rounds], new double[Rounds], new double[Rounds]);
        for (int round = 0; round < Rounds; round++)
        {
            bare[round] = AppendAndFlush(parties.Folder, 1);
            ours[round] = await SaturateAsync(http, Hands, TimeSpan.FromSeconds(4));
            again[round] = AppendAndFlush(parties.Folder, 1);
        }
        double[] grouped = [.. Enumerable.Range(0, Rounds).Select(_ => AppendAndFlush(parties.Folder, 1_000))];
        double all = SideBySide.Median([.. bare, .. again]), median = SideBySide.Median(ours);
        var delays = await PacedAsync(http, Half, TimeSpan.FromSeconds(10));

        return
        [
            new("entries/s by HTTP until the receipt, three witnesses, beside appending and flushing one by one", "/s", median, all, median / all, SideBySide.Median(bare) / SideBySide.Median(again), "≥ 10,000"),
            new("the same, beside appending and flushing a thousand at once", "/s", median, SideBySide.Median(grouped), median / SideBySide.Median(grouped), null, ""),
            new($"from add to the receipt at {Half:#,0} entries/s, p50 beside p99", "ms", SideBySide.Quantile(delays, 0.5), SideBySide.Quantile(delays, 0.99), SideBySide.Quantile(delays, 0.5) / SideBySide.Quantile(delays, 0.99), null, "p99 ≤ 300 ms"),
            new("the log's own memory afterwards", "MB", parties.Log.ResidentBytes / 1e6, 0, 0, null, "≤ 300 MB"),
        ];
    }

    /// <summary>Grows a log within this process, so that no HTTP stands between, and says what an entry costs on the way.</summary>
    public static async Task GrowAsync(long count)
    {
        await using var parties = await LogParties.StartAsync(within: true);
        await using var program = LogProgram.Build(parties.Options with { MaxPending = 16_384 }, logging => logging.ClearProviders());
        await program.StartAsync();
        var sequencer = program.Services.GetRequiredService<Sequencer>();
        using var process = Process.GetCurrentProcess();
        Console.WriteLine("| entries | entries/s since the last line | CPU µs an entry | private memory MB |\n|---:|---:|---:|---:|");
        long done = 0, next = 10_000;
        while (done < count)
        {
            (long start, long end) = (done, Math.Min(next, count));
            var (began, cpu) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
            long number = start - 1;
            await Task.WhenAll(Enumerable.Range(0, 8_192).Select(async _ =>
            {
                while (Interlocked.Increment(ref number) is var mine && mine < end)
                {
                    var entry = new byte[200];
                    BitConverter.TryWriteBytes(entry, mine);
                    var outcome = await sequencer.AddAsync(entry, CancellationToken.None);
                    if (outcome.Refusal is not AddRefusal.None)
                    {
                        throw new InvalidOperationException($"{outcome.Refusal}");
                    }
                }
            }));
            process.Refresh();
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {end:#,0} | {(end - start) / seconds:#,0} | {(process.TotalProcessorTime - cpu).TotalMicroseconds / (end - start):0.0} | {PrivateBytes() / 1e6:0} |"));
            (done, next) = (end, end >= 1_000_000 ? end + 1_000_000 : end * 10);
        }
        await program.StopAsync();
    }

    // The kernel's account of what is this process's own.
    private static long PrivateBytes()
    {
        string line = File.ReadLines("/proc/self/smaps_rollup").First(entry => entry.StartsWith("Private_Dirty:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan()["Private_Dirty:".Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    // As many at once as there are hands: what comes out in a second.
    private static async Task<double> SaturateAsync(HttpClient http, int hands, TimeSpan time)
    {
        int done = 0;
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, hands).Select(async _ =>
        {
            while (Stopwatch.GetElapsedTime(began) < time)
            {
                await AddAsync(http);
                Interlocked.Increment(ref done);
            }
        }));
        return done / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    // As many a second, whether or not the ones before are done: how long each takes, in milliseconds.
    private static async Task<double[]> PacedAsync(HttpClient http, int perSecond, TimeSpan time)
    {
        var underway = new List<Task<double>>();
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) is var elapsed && elapsed < time)
        {
            for (int due = (int)(elapsed.TotalSeconds * perSecond); underway.Count < due;)
            {
                underway.Add(Task.Run(async () =>
                {
                    long sent = Stopwatch.GetTimestamp();
                    await AddAsync(http);
                    return Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
                }));
            }
            await Task.Delay(1);
        }
        return await Task.WhenAll(underway);
    }

    private static async Task AddAsync(HttpClient http)
    {
        using var body = new ByteArrayContent(RandomNumberGenerator.GetBytes(EntrySize));
        using var response = await http.PostAsync("/add", body);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
    }

    private static double AppendAndFlush(string folder, int atOnce)
    {
        byte[] entries = RandomNumberGenerator.GetBytes(EntrySize * atOnce);
        using var file = File.OpenHandle(Path.Combine(folder, "bare"), FileMode.Create, FileAccess.Write);
        long began = Stopwatch.GetTimestamp(), offset = 0;
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(1))
        {
            RandomAccess.Write(file, entries, offset);
            RandomAccess.FlushToDisk(file);
            offset += entries.Length;
        }
        return offset / EntrySize / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
