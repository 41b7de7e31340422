using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>The operator shows a browser another history than the true one: its answers are altered on their way.</summary>
public class LyingOperatorTests(Chromium chromium)
{
    private const string Changes = "**/account/changes?after=*";

    [Fact]
    public async Task A_history_that_is_rolled_back_is_refused_by_name_and_the_device_goes_on_alone()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "The first", "One.");
        byte[] earlier = await AskAsync(visitor, house);
        await visitor.Press("New conversation");
        await visitor.TalkAsync(house, "The second", "Two.");
        await visitor.SyncedAsync();

        await visitor.Page.RouteAsync(Changes, route => route.FulfillAsync(new() { BodyBytes = earlier, ContentType = "application/octet-stream" }));
        await visitor.EnterAsync(house.Home);
        await Expect(visitor.Sync).ToHaveTextAsync("Refused. Saved on this device", new() { Timeout = 60_000 });
        await visitor.Sync.ClickAsync();
        await Expect(visitor.Page.Locator(".sync p")).ToContainTextAsync("The operator shows an older state of your history than it showed this device before.");
        await Expect(visitor.Titles).ToHaveTextAsync(["The second", "The first"]);

        int sent = Sent(visitor);
        await visitor.ActAsync("The first", "Rename");
        await visitor.Page.GetByLabel("Title").FillAsync("Alone");
        await visitor.Page.GetByLabel("Title").PressAsync("Enter");
        await Expect(visitor.Titles).ToHaveTextAsync(["The second", "Alone"]);
        await visitor.EnterAsync(house.Home);
        await Expect(visitor.Titles).ToHaveTextAsync(["The second", "Alone"], new() { Timeout = 60_000 });
        await Expect(visitor.Sync).ToHaveTextAsync("Refused. Saved on this device", new() { Timeout = 60_000 });
        Assert.Equal(sent, Sent(visitor));

        // The truth again, and somebody asks for it: what was kept back is sent.
        await visitor.Page.UnrouteAsync(Changes);
        await visitor.TryAgainAsync();
        await visitor.SyncedAsync();
        Assert.True(Sent(visitor) > sent);
    }

    [Fact]
    public async Task A_history_with_one_changed_bit_is_refused_by_a_new_device_and_nothing_of_it_is_shown()
    {
        await using var house = await House.StartAsync();
        await using var one = await chromium.VisitAsync();
        await using var two = await chromium.VisitAsync();
        await Task.WhenAll(one.EnterAsync(house.Home), two.EnterAsync(house.Home));
        string words = await one.SettleAsync(house, "A secret", "Kept.");

        await two.Page.RouteAsync(Changes, async route =>
        {
            var answer = await route.FetchAsync();
            byte[] body = await answer.BodyAsync();
            if (body.Length > 0)
            {
                body[^1] ^= 1;
            }
            await route.FulfillAsync(new() { Response = answer, BodyBytes = body });
        });
        await two.Press("Keep my history");
        await two.Press("I have one: sign in");
        await two.Press("With my recovery words");
        await two.Dialog.GetByLabel("Recovery words").FillAsync(words);
        await two.Press("Sign in");
        await Expect(two.Sync).ToHaveTextAsync("Refused. Saved on this device", new() { Timeout = 60_000 });
        await Expect(two.Rows).ToHaveCountAsync(0);
        await Expect(two.Page.Locator(".sync p")).ToContainTextAsync("Nothing more is taken from the operator", new() { Timeout = 5_000 });
    }

    private static int Sent(Visitor visitor) => visitor.Requests.Count(address => address.EndsWith("/account/changes", StringComparison.Ordinal));

    // What the operator tells this browser now.
    private static async Task<byte[]> AskAsync(Visitor visitor, House house)
    {
        var told = new TaskCompletionSource<byte[]>();
        await visitor.Page.RouteAsync(Changes, async route =>
        {
            var answer = await route.FetchAsync();
            told.TrySetResult(await answer.BodyAsync());
            await route.FulfillAsync(new() { Response = answer });
        });
        await visitor.EnterAsync(house.Home);
        byte[] body = await told.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await visitor.SyncedAsync();
        await visitor.Page.UnrouteAsync(Changes);
        return body;
    }
}
