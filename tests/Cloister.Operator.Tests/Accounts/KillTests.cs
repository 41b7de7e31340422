using System.Diagnostics;

namespace Cloister.Operator.Tests.Accounts;

public sealed class KillsInSqlite(InSqlite database, ITestOutputHelper output) : KillTests(database, output), IClassFixture<InSqlite>;

public sealed class KillsInPostgres(InPostgres database, ITestOutputHelper output) : KillTests(database, output), IClassFixture<InPostgres>
{
    private readonly InPostgres _database = database;
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public async Task Of_three_processes_one_is_killed_under_load_and_the_devices_go_on()
    {
        Assert.SkipWhen(_database.Missing is not null, _database.Missing ?? "");
        string name = await _database.NameAsync("three");
        var processes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => VictimProcess.StartAsync(name)));
        try
        {
            // Three accounts with two devices each: one at the process that will die, one at another, and one that listens at the third.
            var writers = new List<TestWriter>();
            var feeds = new List<FeedReader>();
            for (int account = 0; account < 3; account++)
            {
                var device = await TestDevice.CreateAsync(new Api(processes[0].Http));
                var second = device.Beside(new Api(processes[1].Http));
                writers.AddRange([new(device, account), new(second, 100 + account)]);
                feeds.Add(await FeedReader.OpenAsync(processes[2].Http, device.Token));
            }
            async Task LoadAsync(TestWriter writer, CancellationToken cancellation)
            {
                while (!cancellation.IsCancellationRequested)
                {
                    await writer.WriteAsync(cancellation);
                    writer.Device.Api = new Api(processes[1 + Random.Shared.Next(2)].Http);
                }
            }
            using var end = new CancellationTokenSource();
            var load = writers.Select(writer => LoadAsync(writer, end.Token)).ToArray();

            // However slow the machine is, every device has written; one that failed is heard of at once.
            Task EachWritesAsync() => Task.WhenAny([.. load, Task.WhenAll(writers.Select(writer => writer.AcknowledgeAsync()))]);
            await EachWritesAsync();
            await Task.Delay(500);
            int before = writers.Sum(writer => writer.Acknowledged);
            await processes[0].KillAsync();
            await EachWritesAsync();
            await Task.Delay(500);
            await end.CancelAsync();
            await Task.WhenAll(load);

            Assert.True(before > 0 && writers.Sum(writer => writer.Acknowledged) > before);
            for (int account = 0; account < 3; account++)
            {
                TestWriter[] pair = [writers[2 * account], writers[(2 * account) + 1]];
                var device = pair[0].Device;
                device.Api = new Api(processes[1].Http);
                ulong newest = await KillTests.AssertWholeAsync(device, pair);
                Assert.True(await feeds[account].HearAsync(newest));
                feeds[account].Dispose();
            }
            _output.WriteLine($"{before} batches before the kill, {writers.Sum(writer => writer.Acknowledged)} in all.");
        }
        finally
        {
            foreach (var process in processes)
            {
                await process.KillAsync();
            }
        }
    }
}

/// <summary>Real processes, killed at random under load.</summary>
public abstract class KillTests(AccountsDatabase database, ITestOutputHelper output)
{
    // All three hundred: -explicit only -method '*Three_hundred*'.
    [Fact]
    public Task Fifteen_kills_lose_nothing_and_double_nothing() => KillManyAsync(15, 20_261);

    [Fact(Explicit = true)]
    public Task Three_hundred_kills_lose_nothing_and_double_nothing() => KillManyAsync(300, 7);

    private async Task KillManyAsync(int kills, int seed)
    {
        Assert.SkipWhen(database.Missing is not null, database.Missing ?? "");
        string name = await database.NameAsync($"kills-{kills}");
        var random = new Random(seed);
        var writers = new List<TestWriter>();
        int early = 0;
        for (int killed = 0; killed < kills; killed++)
        {
            if (random.Next(5) == 0)
            {
                // Before it listens, while it opens the database.
                await using var young = await VictimProcess.StartAsync(name, TimeSpan.FromMilliseconds(random.Next(50, 400)));
                early++;
                continue;
            }
            await using var process = await VictimProcess.StartAsync(name);
            var api = new Api(process.Http);
            for (int i = writers.Count; i < 6; i++)
            {
                writers.Add(new(await TestDevice.CreateAsync(api), random.Next()));
            }
            using var end = new CancellationTokenSource();
            var load = writers.Select(writer =>
            {
                writer.Device.Api = api;
                return writer.WriteAsync(end.Token);
            }).ToArray();
            if (random.Next(3) > 0)
            {
                await Task.WhenAny(load[0], writers[0].AcknowledgeAsync());
            }
            await Task.Delay(random.Next(5, 250));
            await process.KillAsync();
            await end.CancelAsync();
            await Task.WhenAll(load);
        }

        await using var last = await VictimProcess.StartAsync(name);
        foreach (var writer in writers)
        {
            writer.Device.Api = new Api(last.Http);
            await AssertWholeAsync(writer.Device, writer);
        }
        output.WriteLine($"{kills} kills, {early} before it listened, {writers.Sum(writer => writer.Acknowledged)} batches acknowledged, {writers.Sum(writer => writer.Items.Count)} items there.");
    }

    /// <summary>What was acknowledged is there, once and as it was sent, and nothing else is.</summary>
    internal static async Task<ulong> AssertWholeAsync(TestDevice device, params TestWriter[] writers)
    {
        foreach (var writer in writers)
        {
            writer.Device.Api = device.Api;
            await writer.SignInAsync();
            int before = writer.Acknowledged;
            for (int i = 0; i < 200 && writer.Acknowledged == before; i++)
            {
                await writer.WriteOnceAsync(); // what was not answered, and with it is settled what was taken
            }
            Assert.Equal(before + 1, writer.Acknowledged);
        }
        var newest = (await device.PageAsync(0)).Newest;
        Assert.Equal((ulong)writers.Sum(writer => writer.Acknowledged), newest.Head.Sequence);
        var there = await device.EverythingAsync();
        var known = writers.SelectMany(writer => writer.Items).ToList();
        Assert.Equal(known.Count, there.Count);
        Assert.All(known, change => Assert.True(there.TryGetValue(change.Item, out var kept) && kept.Version == change.Version && kept.Sealed.Span.SequenceEqual(change.Sealed.Span)));

        ulong after = 1;
        for (byte[]? previous = null; after < newest.Head.Sequence;)
        {
            foreach (var head in (await device.PageAsync(after)).Heads)
            {
                Assert.Equal(++after, head.Head.Sequence);
                Assert.True(previous is null || head.Head.Previous.Span.SequenceEqual(previous));
                previous = head.Hash();
            }
        }
        return newest.Head.Sequence;
    }
}

/// <summary>An operator that can be killed.</summary>
internal sealed class VictimProcess : IAsyncDisposable
{
    private readonly Process _process;

    private VictimProcess(Process process, Uri address) => (_process, Http) = (process, new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address });

    public HttpClient Http { get; }

    /// <param name="lifetime">After which it is killed, whatever it is doing; null where it lives until it is asked to die.</param>
    public static async Task<VictimProcess> StartAsync(string database, TimeSpan? lifetime = null)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["victim", database]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        if (lifetime is { } time)
        {
            await Task.Delay(time);
            return new(process, new Uri("http://127.0.0.1:1"));
        }
        var errors = process.StandardError.ReadToEndAsync();
        string? address = await process.StandardOutput.ReadLineAsync();
        return new(process, new Uri(address ?? throw new InvalidOperationException(await errors)));
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Assert.Equal(137, _process.ExitCode); // it did not give up by itself
        _process.Dispose();
        Http.Dispose();
    }
}
