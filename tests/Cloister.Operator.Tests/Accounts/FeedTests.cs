using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class FeedInSqlite(InSqlite database) : FeedTests(database), IClassFixture<InSqlite>;

public sealed class FeedInPostgres(InPostgres database) : FeedTests(database), IClassFixture<InPostgres>
{
    private readonly InPostgres _database = database;

    [Fact]
    public async Task Heads_are_heard_from_whichever_process_they_are_written_through()
    {
        await using var one = await _database.StartAsync("several");
        await using var two = await _database.StartAsync("several");
        var device = await TestDevice.CreateAsync(one);
        using var feed = await FeedReader.OpenAsync(two.Http, device.Token);
        Assert.Equal(0, await feed.NextAsync());
        for (int i = 0; i < 5; i++)
        {
            device.Api = new Api(i % 2 == 0 ? one.Http : two.Http);
            await device.PushAsync(TestDevice.Change());
            Assert.True(await feed.HearAsync(device.Sequence));
        }

        // And when a session ends.
        Assert.Equal(204, (await new Api(one.Http).AskAsync("DELETE", "/session", device.Token)).Status);
        Assert.Null(await feed.NextAsync());
    }

    [Fact]
    public async Task A_number_that_anybody_shouts_into_the_database_is_told_to_nobody()
    {
        await using var one = await _database.StartAsync("shouts");
        await using var two = await _database.StartAsync("shouts");
        var device = await TestDevice.CreateAsync(one);
        using var feed = await FeedReader.OpenAsync(two.Http, device.Token);
        Assert.Equal(0, await feed.NextAsync());
        await using var anybody = RawDatabase.Open(await _database.NameAsync("shouts"));
        await anybody.ScalarAsync($"SELECT pg_notify('cloister_heads', '{device.Account} 999')");
        await device.PushAsync(TestDevice.Change()); // through the other process, and heard after that
        Assert.Equal(1, await feed.NextAsync());
    }

    [Fact]
    public async Task A_lost_connection_to_the_database_loses_no_head()
    {
        await using var one = await _database.StartAsync("lost");
        await using var two = await _database.StartAsync("lost");
        var device = await TestDevice.CreateAsync(one);
        using var feed = await FeedReader.OpenAsync(two.Http, device.Token);
        Assert.Equal(0, await feed.NextAsync());
        await using var source = Npgsql.NpgsqlDataSource.Create(await _database.NameAsync("lost"));
        for (int i = 0; i < 3; i++)
        {
            await using var cut = source.CreateCommand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'cloister-operator%' AND datname = current_database()");
            Assert.True((long)(await cut.ExecuteScalarAsync())! >= 2);
            var batch = device.Batch([TestDevice.Change()]);
            Reply reply;
            while ((reply = await device.PushAsync(batch)).Status == 503)
            {
                Assert.Equal(TimeSpan.FromSeconds(1), reply.Headers.RetryAfter?.Delta);
            }
            Assert.Equal(200, reply.Status);
            device.Head = batch.Head;
            Assert.True(await feed.HearAsync(device.Sequence));
        }
    }
}

/// <summary>docs/spec/accounts.md, section 3: the feed.</summary>
public abstract class FeedTests(AccountsDatabase database)
{
    [Fact]
    public async Task The_newest_head_is_told_at_once_and_whenever_there_is_a_newer_one()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        using var early = await FeedReader.OpenAsync(program.Http, device.Token);
        Assert.Equal(0, await early.NextAsync());
        await device.PushAsync();
        Assert.Equal(1, await early.NextAsync());
        using var late = await FeedReader.OpenAsync(program.Http, device.Token);
        Assert.Equal(1, await late.NextAsync());

        // Another account's heads are nobody's business, the same head again is no news.
        var other = await TestDevice.CreateAsync(program);
        await other.PushAsync();
        await device.PushAsync(await device.PushAsync(TestDevice.Change()));
        await device.PushAsync();
        foreach (var feed in (FeedReader[])[early, late])
        {
            long? heard = await feed.NextAsync();
            Assert.True(heard == 3 || (heard == 2 && await feed.NextAsync() == 3));
        }
    }

    [Fact]
    public async Task A_comment_comes_every_twenty_seconds_and_the_end_with_the_session()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("comment", time);
        var device = await TestDevice.CreateAsync(program);
        using var feed = await FeedReader.OpenAsync(program.Http, device.Token);
        Assert.Equal(0, await feed.NextAsync());
        for (int i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromSeconds(20));
            Assert.Equal(-1, await feed.NextAsync());
        }
        time.Advance(TimeSpan.FromMinutes(14));
        while (await feed.NextAsync() is { } heard)
        {
            Assert.Equal(-1, heard);
        }
    }

    [Fact]
    public async Task A_feed_ends_with_its_session_and_goes_on_when_another_ends()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        string other = (string)(await device.SignInAsync()).Json["token"]!;
        using var own = await FeedReader.OpenAsync(program.Http, device.Token);
        using var others = await FeedReader.OpenAsync(program.Http, other);
        Assert.Equal((0, 0), (await own.NextAsync(), await others.NextAsync()));
        Assert.Equal(204, (await device.Api.AskAsync("DELETE", "/session", other)).Status);
        Assert.Null(await others.NextAsync());
        await device.PushAsync();
        Assert.Equal(1, await own.NextAsync());
    }

    [Fact]
    public async Task A_feed_ends_when_its_unlocker_does()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var removed = new TestUnlocker();
        Assert.Equal(200, (await UnlockerTests.PutAsync(device, removed.Json())).Status);
        using var feed = await FeedReader.OpenAsync(program.Http, (string)(await device.SignInAsync(removed)).Json["token"]!);
        Assert.Equal(0, await feed.NextAsync());
        using var next = Ed25519PrivateKey.Generate();
        var body = UnlockerTests.Epoch(TestDevice.MakeRecord(device.Account, 2, next, device.HeadKey), (device.Unlocker.Id, TestUnlocker.WrapToKey(2)));
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/account/epochs", body, device.Token)).Status);
        Assert.Null(await feed.NextAsync());
    }

    [Fact]
    public async Task Feeds_end_when_the_operator_stops()
    {
        await using var program = await database.StartAsync("stop");
        var device = await TestDevice.CreateAsync(program);
        using var feed = await FeedReader.OpenAsync(program.Http, device.Token);
        Assert.Equal(0, await feed.NextAsync());
        await program.StopAsync();
        Assert.Null(await feed.NextAsync());
    }
}
