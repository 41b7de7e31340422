using System.Net.Sockets;
using System.Text;
using Cloister.Ledger;

namespace Cloister.Operator.Tests.Accounts;

public sealed class InFlightInSqlite(InSqlite database) : InFlightTests(database), IClassFixture<InSqlite>;

public sealed class InFlightInPostgres(InPostgres database) : InFlightTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 7.</summary>
public abstract class InFlightTests(AccountsDatabase database)
{
    private const string Page = "/account/changes?after=0";

    [Fact]
    public async Task Pages_that_nobody_reads_are_bounded_and_given_up()
    {
        await using var program = await database.StartAsync("pages", change: options => options with { BytesInFlight = 20 << 20 });
        var device = await LargeAsync(program);
        var other = await TestDevice.CreateAsync(program);
        using var idle = await AskAndReadNothingAsync(program, device);
        var refused = await device.GetAsync(Page);
        Assert.Equal(("503 unavailable", TimeSpan.FromSeconds(1)), (refused.Verdict, refused.Headers.RetryAfter?.Delta));
        await other.PushAsync(TestDevice.Change()); // what is small has its place

        // Whoever reads nothing of it is cut off after some seconds.
        await UntilAsync(200, () => device.GetAsync(Page));
    }

    [Fact]
    public async Task One_account_has_sixty_four_MiB_at_once()
    {
        var program = await database.OperatorAsync();
        var device = await LargeAsync(program);
        var idle = new List<Socket>();
        for (int i = 0; i < 4; i++)
        {
            idle.Add(await AskAndReadNothingAsync(program, device));
        }
        Assert.Equal("429 too_many", (await device.GetAsync(Page)).Verdict);
        idle.ForEach(socket => socket.Dispose());
        await UntilAsync(200, () => device.GetAsync(Page));
    }

    [Fact]
    public async Task Bodies_that_do_not_end_are_bounded()
    {
        await using var program = await database.StartAsync("bodies", change: options => options with { BytesInFlight = ChangeBatch.MaxSize + (256 << 10) });
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        using var slow = HeldContent.Client(program.Address);
        using var content = new HeldContent(new byte[ChangeBatch.MaxSize], "application/octet-stream");
        var begun = new Api(slow).SendAsync("POST", "/account/changes", content, device.Token);
        string part = $"/account/attachments/{TestDevice.NewItem()}/0";
        byte[] bytes = new byte[512 << 10];
        for (int attempt = 0; program.Accounts.InFlight.Bytes < ChangeBatch.MaxSize && attempt < 3000; attempt++)
        {
            await Task.Delay(10);
        }
        Assert.Equal("503 unavailable", (await other.Api.OctetsAsync("PUT", part, bytes, other.Token)).Verdict);
        await other.PushAsync(TestDevice.Change());
        content.Release();
        Assert.Equal("400 malformed", (await begun).Verdict);
        await UntilAsync(200, () => other.Api.OctetsAsync("PUT", part, bytes, other.Token));
    }

    [Fact]
    public async Task One_account_has_sixty_four_requests_at_once()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        using var slow = HeldContent.Client(program.Address);
        var contents = Enumerable.Range(0, 64).Select(_ => new HeldContent(new byte[10], "application/octet-stream")).ToList();
        var begun = contents.Select((content, part) => new Api(slow).SendAsync("PUT", $"/account/attachments/{TestDevice.NewItem()}/{part}", content, device.Token)).ToList();
        await Task.WhenAll(contents.Select(content => content.Asked));
        Assert.Equal("429 too_many", (await device.GetAsync("/account")).Verdict);
        Assert.Equal(200, (await other.GetAsync("/account")).Status);
        contents.ForEach(content => content.Release());
        Assert.All(await Task.WhenAll(begun), reply => Assert.Equal(200, reply.Status));
        await UntilAsync(200, () => device.GetAsync("/account"));
    }

    [Fact]
    public async Task One_account_has_sixty_four_listeners()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var feeds = new List<FeedReader>();
        for (int i = 0; i < 64; i++)
        {
            feeds.Add(await FeedReader.OpenAsync(program.Http, device.Token));
        }
        Assert.Equal("429 too_many", (await device.GetAsync("/account/feed")).Verdict);
        Assert.Equal(200, (await device.GetAsync("/account")).Status); // they are no requests of the other kind
        feeds.ForEach(feed => feed.Dispose());
        for (int attempt = 0; program.Accounts.Feeds.Count > 0 && attempt < 3000; attempt++)
        {
            await Task.Delay(10);
        }
        using var again = await FeedReader.OpenAsync(program.Http, device.Token);
        Assert.Equal(0, await again.NextAsync());
    }

    // A page of some 16 MiB: one batch that does not fill it, and one.
    private static async Task<TestDevice> LargeAsync(RunningOperator program)
    {
        var device = await TestDevice.CreateAsync(program);
        for (int i = 0; i < 2; i++)
        {
            await device.PushAsync([.. Enumerable.Range(0, 7).Select(_ => TestDevice.Change(size: 1 << 20)), TestDevice.Change(size: 900 << 10)]);
        }
        return device;
    }

    // It has the first byte of the answer, so the operator has all of it in hand.
    private static async Task<Socket> AskAndReadNothingAsync(RunningOperator program, TestDevice device)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8 << 10 };
        await socket.ConnectAsync("127.0.0.1", program.Address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /cloister/v1{Page} HTTP/1.1\r\nHost: {program.Address.Authority}\r\nAuthorization: Bearer {device.Token}\r\n\r\n"));
        Assert.Equal(1, await socket.ReceiveAsync(new byte[1]));
        return socket;
    }

    private static async Task UntilAsync(int status, Func<Task<Reply>> ask)
    {
        string verdict = "";
        for (int attempt = 0; attempt < 600; attempt++)
        {
            var reply = await ask();
            if (reply.Status == status)
            {
                return;
            }
            verdict = reply.Verdict;
            await Task.Delay(100);
        }
        Assert.Fail(verdict);
    }
}
