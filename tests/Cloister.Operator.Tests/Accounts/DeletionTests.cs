using System.Security.Cryptography;
using Cloister.Operator.Accounts.Changes;
using Cloister.Operator.Accounts.Storage;
using Cloister.Wire;
using Microsoft.AspNetCore.Http;

namespace Cloister.Operator.Tests.Accounts;

public sealed class DeletionInSqlite(InSqlite database) : DeletionTests(database), IClassFixture<InSqlite>;

public sealed class DeletionInPostgres(InPostgres database) : DeletionTests(database), IClassFixture<InPostgres>
{
    private readonly InPostgres _database = database;

    [Fact]
    public async Task Two_sweeps_of_one_account_leave_nothing()
    {
        await using var program = await _database.StartAsync("sweeps", new ManualTime());
        string name = await _database.NameAsync("sweeps");
        var device = await TestDevice.CreateAsync(program);
        await device.PushAsync([.. Enumerable.Range(0, 1000).Select(_ => TestDevice.Change(size: 10))]);
        await device.PushAsync([.. Enumerable.Range(0, 500).Select(_ => TestDevice.Change(size: 10))]);

        // Another process is in its first step, and dies right after it.
        await using var other = RawDatabase.Open(name);
        foreach (string statement in (string[])["UPDATE accounts SET ended = 1", "SET enable_seqscan = off", "SET enable_bitmapscan = off", "BEGIN", "DELETE FROM items WHERE (account, item) IN (SELECT account, item FROM items LIMIT 1000)"])
        {
            await other.ScalarAsync(statement);
        }
        var sweep = Sweep.EndedAccountAsync(program.Accounts.Database, device.Account, CancellationToken.None);
        await using var watch = RawDatabase.Open(name);
        while (!sweep.IsCompleted && await watch.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is 0L)
        {
            await Task.Delay(10);
        }
        await other.ScalarAsync("COMMIT");
        await sweep;
        Assert.Equal((0L, 0L), (await watch.ScalarAsync("SELECT count(*) FROM items"), await watch.ScalarAsync("SELECT count(*) FROM accounts")));
    }
}

/// <summary>docs/spec/accounts.md, section 2: DELETE /account.</summary>
public abstract class DeletionTests(AccountsDatabase database)
{
    [Fact]
    public async Task Everything_of_the_account_is_gone()
    {
        await using var program = await database.StartAsync("gone");
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        await other.PushAsync(TestDevice.Change());
        for (int i = 0; i < 3; i++)
        {
            await device.PushAsync([.. Enumerable.Range(0, 1000).Select(_ => TestDevice.Change(size: 10))]);
        }
        for (int part = 0; part < 20; part++)
        {
            Assert.Equal(200, (await device.Api.OctetsAsync("PUT", $"/account/attachments/{TestDevice.NewItem()}/{part}", [1], device.Token)).Status);
        }
        using var feed = await FeedReader.OpenAsync(program.Http, device.Token);
        Assert.Equal(3, await feed.NextAsync());

        Assert.Equal(204, (await DeleteAsync(device)).Status);
        Assert.Null(await feed.NextAsync());
        Assert.Equal("401 session", (await device.GetAsync("/account")).Verdict);
        Assert.Equal("401 wrong", (await device.SignInAsync()).Verdict);
        Assert.Equal(["accounts 1", "epochs 1", "heads 1", "items 1", "parts 0", "passkeys 0", "sessions 1", "unlockers 1"], await CountAsync(await database.NameAsync("gone")));
        Assert.Equal(1UL, (await other.PageAsync(0)).Newest.Head.Sequence);

        // The number is free, and nothing of what was is in it.
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/accounts", device.NewAccount())).Status);
    }

    [Fact]
    public async Task Who_reads_while_the_account_is_deleted_hears_that_the_session_ended()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        Assert.True(Base64.TryDecodeUrl(device.Token, out byte[]? token));
        var session = (await program.Accounts.Sessions.FindAsync(SHA256.HashData(token), CancellationToken.None))!;
        async Task<int?> ShowAsync() => (await new ChangeEndpoints(program.Accounts, CancellationToken.None).ShowAsync(new DefaultHttpContext { Request = { QueryString = new("?after=0") } }, session))?.Status;

        // Not 204, which is an account without a head: to a device that knows one the operator would have gone back behind it.
        Assert.Equal(204, await ShowAsync());
        await device.PushAsync(TestDevice.Change());
        Assert.Equal(200, await ShowAsync());
        Assert.Equal(204, (await DeleteAsync(device)).Status);
        Assert.Equal(401, await ShowAsync());
        Assert.Equal(201, (await device.Api.JsonAsync("POST", "/accounts", device.NewAccount())).Status);
        Assert.Equal(401, await ShowAsync());
    }

    [Fact]
    public async Task Only_an_unlocker_of_the_account_deletes_it_and_by_no_other_signature()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        Task<Reply> SendAsync(System.Text.Json.Nodes.JsonObject proof) => device.Api.JsonAsync("DELETE", "/account", proof, device.Token);
        Assert.Equal("401 wrong", (await SendAsync(TestDevice.Proof(device.Unlocker, await device.ChallengeAsync()))).Verdict);
        Assert.Equal("401 wrong", (await SendAsync(TestDevice.Proof(other.Unlocker, await device.ChallengeAsync(), delete: true))).Verdict);
        Assert.Equal("401 wrong", (await SendAsync(TestDevice.Proof(new TestUnlocker(), await device.ChallengeAsync(), delete: true))).Verdict);
        Assert.Equal("401 wrong", (await SendAsync(TestDevice.Proof(device.Unlocker, new byte[72], delete: true))).Verdict);
        Assert.Equal("400 malformed", (await device.Api.JsonAsync("DELETE", "/account", "{}", device.Token)).Verdict);
        Assert.Equal(200, (await device.GetAsync("/account")).Status);
        Assert.Equal(200, (await other.GetAsync("/account")).Status);
    }

    [Fact]
    public async Task What_a_killed_process_left_is_swept_before_the_number_is_free()
    {
        string name = await StartedAsync("killed");
        TestDevice device;
        await using (var program = await database.StartAsync("killed"))
        {
            device = await TestDevice.CreateAsync(program);
            await device.PushAsync(TestDevice.Change());
        }
        foreach (string statement in (string[])["UPDATE accounts SET ended = 1", "DELETE FROM sessions", "DELETE FROM unlockers", "DELETE FROM epochs"])
        {
            await ExecuteAsync(name, statement);
        }
        await using var again = await database.StartAsync("killed");
        device.Api = new Api(again.Http);
        Assert.Equal("401 session", (await device.GetAsync("/account")).Verdict);
        string verdict = "";
        for (int attempt = 0; attempt < 500 && verdict != "201"; attempt++)
        {
            verdict = (await device.Api.JsonAsync("POST", "/accounts", device.NewAccount())).Verdict;
            await Task.Delay(20);
        }
        Assert.Equal("201", verdict);
        Assert.Contains("items 0", await CountAsync(name));
    }

    [Fact]
    public async Task A_sweep_that_fails_does_not_hide_that_the_account_is_deleted()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("unswept", time);
        string name = await database.NameAsync("unswept");
        var device = await TestDevice.CreateAsync(program);
        await device.PushAsync(TestDevice.Change());
        await ExecuteAsync(name, "ALTER TABLE parts RENAME TO away");
        Assert.Equal("204", (await DeleteAsync(device)).Verdict);
        Assert.Equal("401 session", (await device.GetAsync("/account")).Verdict);

        await ExecuteAsync(name, "ALTER TABLE away RENAME TO parts");
        string verdict = "";
        for (int attempt = 0; attempt < 500 && verdict != "201"; attempt++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            verdict = (await device.Api.JsonAsync("POST", "/accounts", device.NewAccount())).Verdict;
            await Task.Delay(20);
        }
        Assert.Equal("201", verdict);
    }

    [Fact]
    public async Task A_late_sweep_takes_nothing_of_who_has_the_number_now()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        await device.PushAsync(TestDevice.Change());
        await Sweep.EndedAccountAsync(program.Accounts.Database, device.Account, CancellationToken.None);
        Assert.Single((await device.PageAsync(0)).Changes);
    }

    private async Task<string> StartedAsync(string name)
    {
        await using var program = await database.StartAsync(name);
        return await database.NameAsync(name);
    }

    private static async Task<Reply> DeleteAsync(TestDevice device) => await device.Api.JsonAsync("DELETE", "/account", TestDevice.Proof(device.Unlocker, await device.ChallengeAsync(), delete: true), device.Token);

    private static async Task<string[]> CountAsync(string name)
    {
        await using var rows = RawDatabase.Open(name);
        var counts = new List<string>();
        foreach (string table in (string[])["accounts", "epochs", "heads", "items", "parts", "passkeys", "sessions", "unlockers"])
        {
            counts.Add($"{table} {await rows.ScalarAsync($"SELECT count(*) FROM {table}")}");
        }
        return [.. counts];
    }

    private static async Task ExecuteAsync(string name, string statement)
    {
        await using var rows = RawDatabase.Open(name);
        await rows.ScalarAsync(statement);
    }
}
