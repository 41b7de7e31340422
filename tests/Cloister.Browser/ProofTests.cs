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
        Assert.Equal(CheckCatalogue.All.Select(check => check.Name).Where(IsAsked).Order(), names.Order());
        foreach (var check in await panel.Locator("[data-check]").AllAsync())
        {
            bool waived = await check.GetAttributeAsync("data-check") == nameof(BundleCheck.Published);
            await Expect(check.Locator(".verdict")).ToHaveTextAsync(waived ? "Waived" : "Passed");
            await Expect(check.Locator("dd")).ToHaveCountAsync(waived ? 3 : 2);
            Assert.DoesNotContain(await check.Locator("dd").AllInnerTextsAsync(), string.IsNullOrWhiteSpace);
        }
        await Expect(panel.Locator(".summary")).ToContainTextAsync("not by hardware");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task The_session_is_proved_on_demand()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.Seal.ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Verify now" }).ClickAsync();
        await Expect(visitor.Page.Locator(".session")).ToContainTextAsync("this very session ends in it.", new() { Timeout = 30_000 });
        await Expect(visitor.Page.Locator("[data-check=Session] .verdict")).ToHaveTextAsync("Passed");

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Verify now" }).ClickAsync();
        await Expect(visitor.Page.Locator(".session [role=status]")).ToContainTextAsync("Ask again in a moment.");
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

    // Of every bundle, and of this machine's hardware.
    internal static bool IsAsked(string name) => name.StartsWith("Snp.", StringComparison.Ordinal) || (!name.Contains('.', StringComparison.Ordinal) && name != nameof(BundleCheck.Session));

    // In the window, and not under anything else.
    private static async Task AssertOnTopAsync(IPage page, string selector)
    {
        await Expect(page.Locator(selector)).ToBeInViewportAsync(new() { Ratio = 1 });
        Assert.True(await page.Locator(selector).EvaluateAsync<bool>(
            "label => { const box = label.getBoundingClientRect(); return label.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)); }"));
    }
}
