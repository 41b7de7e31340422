using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>What a browser does with its storage: two tabs share it, it is evicted, it is full.</summary>
public class StorageTests(Chromium chromium)
{
    [Fact]
    public async Task Two_tabs_write_one_history_and_lose_nothing()
    {
        await using var house = await House.StartAsync();
        await using var one = await chromium.VisitAsync();
        await one.EnterAsync(house.Home);
        await one.SignUpAsync();
        await one.LeaveDialogAsync();
        await one.TalkAsync(house, "Shared", "Between tabs.");
        await using var other = new Visitor(one.Context, await one.Context.NewPageAsync());
        await other.EnterAsync(house.Home);
        await Expect(other.Row("Shared")).ToBeVisibleAsync(Visitor.Patient);

        // Both at once, without the operator in between: what one writes the other must find in the store.
        await one.Context.SetOfflineAsync(true);
        await Task.WhenAll(one.ActAsync("Shared", "Pin"), RenameAsync(other, "Shared", "Shared by two"));
        foreach (var tab in (Visitor[])[one, other])
        {
            await Expect(tab.Titles).ToHaveTextAsync(["Shared by two"], new() { Timeout = 30_000 });
            await Expect(tab.Page.GetByRole(AriaRole.Img, new() { Name = "Pinned" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        }
        await one.Context.SetOfflineAsync(false);
        await one.TryAgainAsync();
        await one.SyncedAsync();
    }

    [Fact]
    public async Task A_history_that_the_browser_evicted_comes_back_from_the_operator()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        string words = await visitor.SettleAsync(house, "Evicted", "And fetched again.");

        await visitor.ForgetEverythingAsync(house);
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await visitor.RecoverAsync(words);
        await visitor.Row("Evicted").Locator(".open").ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("And fetched again.");
    }

    [Fact]
    public async Task Where_the_browser_gives_no_room_the_page_says_so_and_shows_the_message_until_it_is_closed()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "Fits", "Still fits.");

        // The browser's word for a full disk, said where the page writes.
        await visitor.Page.EvaluateAsync("() => { IDBObjectStore.prototype.put = () => { throw new DOMException('Full.', 'QuotaExceededError'); }; }");
        await visitor.TalkAsync(house, "Does not fit", "Not kept.");
        await Expect(visitor.Page.Locator(".ending.fault")).ToContainTextAsync("The browser gives this page no more room.");
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["Fits", "Does not fit"]);

        await visitor.EnterAsync(house.Home);
        await visitor.Row("Fits").Locator(".open").ClickAsync(new() { Timeout = 60_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["Fits"]);
        await Expect(visitor.Answer).ToContainTextAsync("Still fits.");
    }

    // A browser may ask its user whether to keep what the page stores, and the user may look elsewhere.
    [Fact]
    public async Task Nothing_waits_for_a_promise_to_keep_it_and_the_account_says_whether_there_is_one()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.AddInitScriptAsync("""
            window.asked = 0;
            StorageManager.prototype.persist = () => { window.asked++; return new Promise(() => { }); };
            StorageManager.prototype.persisted = async () => window.name === "kept";
            """);
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "Kept", "At once.");
        Assert.Equal(1, await visitor.Page.EvaluateAsync<int>("() => window.asked"));
        foreach (var (name, sentence) in new[] { ("", "May clear it"), ("kept", "Keeps it until you clear it.") })
        {
            await visitor.Page.EvaluateAsync("name => { window.name = name; }", name);
            await visitor.Press("Account and devices");
            await Expect(visitor.Dialog.Locator("dl")).ToContainTextAsync(sentence);
            await visitor.Press("Close");
        }
    }

    private static async Task RenameAsync(Visitor visitor, string title, string renamed)
    {
        await visitor.ActAsync(title, "Rename");
        await visitor.Page.GetByLabel("Title").FillAsync(renamed);
        await visitor.Page.GetByLabel("Title").PressAsync("Enter");
    }
}
