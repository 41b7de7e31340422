using Cloister.Attestation;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class ProofTests(Chromium chromium)
{
    private const string Label = "Simulated evidence: this is a development server. Nothing here is protected by hardware.";

    [Fact]
    public async Task The_panel_lists_every_check_by_name()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await Expect(visitor.Seal).ToHaveTextAsync("Simulated");
        await visitor.Seal.ClickAsync();
        var panel = visitor.Page.GetByRole(AriaRole.Dialog, new() { Name = "The proof" });
        await Expect(panel).ToBeVisibleAsync();
        var names = await panel.Locator("[data-check]").EvaluateAllAsync<string[]>("checks => checks.map(check => check.dataset.check)");
        Assert.Equal(Enum.GetNames<CheckName>().Order(), names.Order());
        foreach (var check in await panel.Locator("[data-check]").AllAsync())
        {
            await Expect(check.Locator(".verdict")).ToHaveTextAsync("Passed");
            await Expect(check.Locator("dd")).ToHaveCountAsync(2);
            Assert.DoesNotContain(await check.Locator("dd").AllInnerTextsAsync(), string.IsNullOrWhiteSpace);
        }
        await Expect(panel.Locator(".summary")).ToContainTextAsync("not by hardware");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task The_panel_is_opened_and_closed_by_keyboard()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.Seal.FocusAsync();
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Expect(visitor.Page.Locator("#proof-title")).ToBeFocusedAsync();
        await visitor.Page.Keyboard.PressAsync("Escape");
        await Expect(visitor.Page.Locator("#proof-panel")).ToBeHiddenAsync();
        await Expect(visitor.Seal).ToBeFocusedAsync();
    }

    [Theory]
    [InlineData(1280, 800)]
    [InlineData(360, 640)]
    public async Task Simulated_evidence_is_labelled_wherever_one_looks(int width, int height)
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = height } });
        await visitor.EnterAsync(house);
        var label = visitor.Page.Locator("#label .label");
        await Expect(label).ToHaveTextAsync(Label);
        await AssertOnTopAsync(visitor.Page, "#label .label");

        house.Model.Answer(string.Concat(Enumerable.Repeat("A paragraph.\n\n", 80)));
        await visitor.AskAsync("Long");
        await Expect(visitor.Answer.Locator("p")).ToHaveCountAsync(80);
        await AssertOnTopAsync(visitor.Page, "#label .label");

        await visitor.Seal.ClickAsync();
        await AssertOnTopAsync(visitor.Page, "#proof-panel .label");
        await visitor.Page.Locator("#proof-panel").EvaluateAsync("panel => panel.scrollTop = panel.scrollHeight");
        await AssertOnTopAsync(visitor.Page, "#proof-panel .label");
    }

    // In the window, and not under anything else.
    private static async Task AssertOnTopAsync(IPage page, string selector)
    {
        await Expect(page.Locator(selector)).ToBeInViewportAsync(new() { Ratio = 1 });
        Assert.True(await page.Locator(selector).EvaluateAsync<bool>(
            "label => { const box = label.getBoundingClientRect(); return label.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)); }"));
    }
}
