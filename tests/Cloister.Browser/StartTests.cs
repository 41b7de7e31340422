using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class StartTests(Chromium chromium)
{
    [Fact]
    public async Task What_is_sent_before_the_runtime_is_there_waits_and_then_goes()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        var runtime = await visitor.HoldAsync("**/_framework/*.wasm");

        await visitor.Page.GotoAsync(house.Address.ToString(), new() { WaitUntil = Microsoft.Playwright.WaitUntilState.Commit });
        await Expect(visitor.Field).ToBeFocusedAsync();
        await visitor.Page.Keyboard.TypeAsync("Early bird");
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Expect(visitor.Note).ToContainTextAsync("sent once the enclave has been checked");
        await Expect(visitor.Field).ToHaveValueAsync("Early bird");
        await Expect(visitor.Seal).ToHaveTextAsync("Checking the enclave…");
        Assert.Empty(house.Model.Questions);

        house.Model.Answer("Good morning.");
        runtime.SetResult();
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("Early bird", new() { Timeout = 60_000 });
        await Expect(visitor.Answer).ToContainTextAsync("Good morning.");
        await Expect(visitor.Field).ToHaveValueAsync("");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task What_is_only_typed_before_stays_and_is_not_sent()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        var runtime = await visitor.HoldAsync("**/_framework/*.wasm");

        await visitor.Page.GotoAsync(house.Address.ToString(), new() { WaitUntil = Microsoft.Playwright.WaitUntilState.Commit });
        await visitor.Field.PressSequentiallyAsync("A thought not fin");
        runtime.SetResult();
        await Expect(visitor.Page.Locator("body[data-state=open]")).ToBeVisibleAsync(Visitor.Patient);
        await visitor.Page.Keyboard.TypeAsync("ished");
        await Expect(visitor.Field).ToHaveValueAsync("A thought not finished");
        await Expect(visitor.Page.Locator(".question")).ToHaveCountAsync(0);
        Assert.Empty(house.Model.Questions);
    }

    [Fact]
    public async Task Everything_comes_from_the_operator_and_nothing_is_refused_by_the_policy()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);
        Assert.All(visitor.Requests, address => Assert.True(address.StartsWith(house.Address.ToString(), StringComparison.Ordinal) || address.StartsWith("data:", StringComparison.Ordinal), address));
        visitor.AssertNoComplaints();
        Assert.True(await visitor.Page.EvaluateAsync<bool>("crossOriginIsolated"));
    }
}
