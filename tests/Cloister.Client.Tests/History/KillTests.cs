using System.Diagnostics;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Client.Tests.Accounts;
using Cloister.Log.Tests;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Cloister.Client.Tests.History;

/// <summary>Real devices, killed at random under load, on a store on disk and with the real operator.</summary>
public class KillTests(PostgresServer postgres, ITestOutputHelper output)
{
    [Fact]
    public Task Eight_kills_lose_nothing_and_double_nothing() => KillAsync(8, null, 20_261);

    [Fact]
    public async Task Eight_kills_lose_nothing_and_double_nothing_in_PostgreSQL() => await KillAsync(8, await DatabaseAsync("kills"), 20_262);

    // All three hundred: -explicit only -method '*Three_hundred*'.
    [Fact(Explicit = true)]
    public Task Three_hundred_kills_lose_nothing_and_double_nothing() => KillAsync(300, null, 1);

    [Fact(Explicit = true)]
    public async Task Three_hundred_kills_lose_nothing_and_double_nothing_in_PostgreSQL() => await KillAsync(300, await DatabaseAsync("more_kills"), 2);

    private async Task KillAsync(int kills, string? database, int seed)
    {
        await using var accounts = await RealOperator.StartAsync(database);
        var (folder, random) = (Directory.CreateTempSubdirectory("cloister-kill-").FullName, new Random(seed));
        using var http = new HttpClient();
        var place = HistoryVictim.Place(folder, accounts.Address, http);
        var draft = new AccountEntrance(place).SignUp("the one that is killed");
        await using (await draft.CreateAsync(null, default))
        {
        }

        var confirmed = new List<string>();
        for (int killed = 0; killed < kills; killed++)
        {
            await OneAsync(folder, accounts.Address, random, confirmed);
        }

        await using var survivor = await new AccountEntrance(place).OpenAsync(default) ?? throw new InvalidOperationException("There is no account.");
        await survivor.History.SyncNowAsync(default);
        Assert.True(survivor.History.Sync is { State: SyncState.Synced, Unsent: 0 }, $"{survivor.History.Sync}");
        using var other = new TestDevice(accounts, "another");
        await using var another = await other.Entrance.EnterWithWordsAsync(draft.Words, "another", default);
        await another.History.SyncNowAsync(default);
        foreach (var device in new[] { survivor, another })
        {
            var texts = (await device.History.ReadAsync(HistoryVictim.Conversation, default)).Tree.Roots.Select(message => message.Text).ToList();
            Assert.Equal(texts.Count, texts.Distinct().Count());
            Assert.Empty(confirmed.Except(texts));
            Assert.Equal(texts.Count, device.History.Conversations.Single().Messages);
        }
        Assert.NotEmpty(confirmed);
        output.WriteLine($"{kills} kills, {confirmed.Count} messages confirmed, {another.History.Conversations.Single().Messages} there.");
        Directory.Delete(folder, true);
    }

    private static async Task OneAsync(string folder, Uri address, Random random, List<string> confirmed)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["victim", folder, address.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var first = new TaskCompletionSource();
        var reading = Task.Run(async () =>
        {
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                lock (confirmed)
                {
                    confirmed.Add(line);
                }
                first.TrySetResult();
            }
        });
        // Mostly under load; sometimes while it starts.
        await Task.WhenAny(random.Next(5) == 0 ? Task.Delay(random.Next(50, 600)) : first.Task, process.WaitForExitAsync());
        await Task.Delay(random.Next(400));
        process.Kill();
        await process.WaitForExitAsync();
        await reading;
        Assert.True(process.ExitCode is 137, $"It did not die, it gave up: {process.ExitCode} {await errors}");
    }

    private async Task<string> DatabaseAsync(string name)
    {
        Assert.SkipWhen(postgres.Missing is not null, postgres.Missing ?? "");
        await using var connection = new NpgsqlConnection($"{postgres.Connection};Pooling=false");
        await connection.OpenAsync();
#pragma warning disable CA2100 // a name made here
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
#pragma warning restore CA2100
        await create.ExecuteNonQueryAsync();
        return postgres.Connection.Replace("Database=postgres", $"Database={name}", StringComparison.Ordinal);
    }
}
