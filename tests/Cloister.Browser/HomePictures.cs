using Cloister.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>Of the history and the account, for people to look at: as <see cref="Pictures"/>.</summary>
public class HomePictures(Chromium chromium)
{
    [Theory(Explicit = true)]
    [InlineData("desktop", 1280, 860, ColorScheme.Light)]
    [InlineData("desktop", 1280, 860, ColorScheme.Dark)]
    [InlineData("mobile", 390, 844, ColorScheme.Light)]
    [InlineData("mobile", 390, 844, ColorScheme.Dark)]
    public async Task Of_a_home(string kind, int width, int height, ColorScheme scheme)
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync(new BrowserNewContextOptions { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme, DeviceScaleFactor = kind == "mobile" ? 2 : 1 });
        await visitor.AddAuthenticatorAsync(hasPrf: true);
        await visitor.EnterAsync(house.Home);
        await TakeAsync("01-welcome");
        await visitor.TalkAsync(house, "Which bread keeps longest?", "Rye bread with a sour dough keeps **a week** and longer, in linen.");

        await visitor.Press("Keep my history");
        await TakeAsync("02-offer");
        await visitor.Press("I have one: sign in");
        await TakeAsync("03-sign-in");
        await visitor.Press("With my passphrase");
        await TakeAsync("04-passphrase");
        await visitor.Press("Close");
        await visitor.Press("Keep my history");
        await visitor.Press("Make an account");
        await TakeAsync("05-words");
        string[] words = [.. await visitor.Dialog.Locator(".words li").AllInnerTextsAsync()];
        await visitor.Press("I have written them down");
        await TakeAsync("06-check");
        await visitor.Press("Show the words again");
        await visitor.TypeWordsAsync(words);
        await Expect(visitor.Dialog.GetByRole(AriaRole.Button, new() { Name = "Done" })).ToBeVisibleAsync(Visitor.Patient);
        await visitor.Press("Add a passkey");
        await Expect(visitor.Dialog.Locator(".good, .fault")).ToBeVisibleAsync(Visitor.Patient);
        await TakeAsync("07-more-ways");
        await visitor.Press("Add a passphrase");
        await TakeAsync("08-new-passphrase");
        await visitor.Press("Back");
        await visitor.Press("Done");
        await TakeAsync("09-overview");
        await visitor.Dialog.GetByRole(AriaRole.Button, new() { Name = "Remove Recovery words" }).ClickAsync();
        await TakeAsync("10-remove");
        await visitor.Press("Leave it as it is");
        await visitor.Press("Let another device in");
        await TakeAsync("11-let-in");
        await visitor.Press("Close");

        foreach (var (question, answer) in ((string, string)[])[("A letter to my landlord about the heating", "Dear Mr. Marsh …"), ("What is a fugue?", "A piece in which voices enter one after the other with the same theme."), ("Plan three days in Bruges with children who like boats", "Day one …")])
        {
            await DrawerAsync();
            await visitor.Press("New conversation");
            await visitor.TalkAsync(house, question, answer);
        }
        await DrawerAsync();
        await visitor.ActAsync("What is a fugue?", "Pin");
        await visitor.Row("A letter to my landlord").Locator(".more").ClickAsync();
        await TakeAsync("12-list");
        await visitor.Row("A letter to my landlord").GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await TakeAsync("13-delete");
        await visitor.Press("Keep it");
        await DrawerAsync();
        await visitor.Page.GetByLabel("Search your conversations").FillAsync("voices");
        await Expect(visitor.Page.Locator(".hits li")).ToHaveCountAsync(1);
        await TakeAsync("14-search");
        await visitor.Page.Locator(".hits button").ClickAsync();
        house.Model.Answer("A second answer.");
        await visitor.Press("Try again");
        await Expect(visitor.Answer).ToContainTextAsync("A second answer.");
        await visitor.Page.Locator(".question").HoverAsync();
        await TakeAsync("15-siblings");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Edit", Exact = true }).ClickAsync();
        await TakeAsync("16-edit");

        async Task DrawerAsync()
        {
            if (kind == "mobile" && !await visitor.Page.Locator("#shelf-panel").IsVisibleAsync())
            {
                await visitor.Page.Locator("#drawer").ClickAsync();
            }
        }

        async Task TakeAsync(string name)
        {
            await visitor.Page.WaitForTimeoutAsync(250);
            await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "pictures", $"home-{kind}-{scheme}-{name}.png") });
        }
    }
}
