using Cloister.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>For people to look at, made on request: <c>Cloister.Browser -explicit only</c>. They are left in <c>artifacts/pictures</c>.</summary>
public class Pictures(Chromium chromium)
{
    private const string Story =
        """
        An enclave is a machine that keeps a secret **from its own operator**. Three things make it one:

        1. *Memory that is encrypted* by the processor, so that whoever holds the machine sees noise.
        2. *A measurement* of everything that was started, taken by the hardware.
        3. *A signature* over both, which your device checks before it says anything.

        > Nothing here asks to be believed. It asks to be checked.

        In code, the order is the whole point:

        ```csharp
        if (Appraisal.Appraise(bundle, policy, now).TryAccept(out var enclave))
        {
            await using var channel = await SealedStream.OpenAsync(transport, enclave, options, stop);
        }
        ```

        | who | sees |
        |---|---|
        | the operator | sealed records of a few sizes |
        | the network | the same |
        | the enclave | what you wrote, while it answers |

        More is in [the specification](https://example.com/spec).
        """;

    [Theory(Explicit = true)]
    [InlineData("desktop", 1280, 860, ColorScheme.Light)]
    [InlineData("desktop", 1280, 860, ColorScheme.Dark)]
    [InlineData("mobile", 390, 844, ColorScheme.Light)]
    [InlineData("mobile", 390, 844, ColorScheme.Dark)]
    public async Task Of_the_page(string kind, int width, int height, ColorScheme scheme)
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync(new BrowserNewContextOptions { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme, DeviceScaleFactor = kind == "mobile" ? 2 : 1 });
        var runtime = await visitor.HoldAsync("**/_framework/*.wasm");
        await visitor.Page.GotoAsync(house.Address.ToString(), new() { WaitUntil = WaitUntilState.Commit });
        await visitor.AskAsync("What is an enclave?");
        await TakeAsync(visitor, $"{kind}-{scheme}-1-waiting");

        runtime.SetResult();
        await Expect(visitor.Page.Locator(".question")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await TakeAsync(visitor, $"{kind}-{scheme}-2-asked");
        house.Model.Say(Story[..430]);
        await Expect(visitor.Answer.Locator("ol li")).ToHaveCountAsync(3);
        await TakeAsync(visitor, $"{kind}-{scheme}-3-streaming");
        house.Model.Answer(Story[430..]);
        await Expect(visitor.Answer).ToHaveAttributeAsync("aria-busy", "false");
        await TakeAsync(visitor, $"{kind}-{scheme}-4-answered");
        await visitor.Page.EvaluateAsync("scrollTo(0, 0)");
        await TakeAsync(visitor, $"{kind}-{scheme}-5-top");
        await visitor.Seal.ClickAsync();
        await TakeAsync(visitor, $"{kind}-{scheme}-6-proof");
        await visitor.Page.Locator("#proof-panel").EvaluateAsync("panel => panel.scrollTop = panel.scrollHeight");
        await TakeAsync(visitor, $"{kind}-{scheme}-7-proof-end");
    }

    [Theory(Explicit = true)]
    [InlineData("desktop", 1280, 860, ColorScheme.Light)]
    [InlineData("mobile", 390, 844, ColorScheme.Dark)]
    public async Task Of_a_refusal(string kind, int width, int height, ColorScheme scheme)
    {
        using var relay = new Relay { Spoil = bundle => [.. bundle[..^3000], (byte)(bundle[^3000] == 'A' ? 'B' : 'A'), .. bundle[^2999..]] };
        await using var house = await House.StartAsync(relay.Between);
        await using var visitor = await chromium.VisitAsync(new BrowserNewContextOptions { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
        await visitor.Page.GotoAsync(house.Address.ToString());
        await visitor.AskAsync("A secret");
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync(Visitor.Patient);
        await TakeAsync(visitor, $"{kind}-{scheme}-refused");
        await visitor.Seal.ClickAsync();
        await TakeAsync(visitor, $"{kind}-{scheme}-refused-proof");
    }

    // Which socket is opened when: the way to the enclave, as soon as the appraisal allows it.
    private const string WatchSockets =
        """
        globalThis.WebSocket = new Proxy(WebSocket, {
          construct(target, given) {
            performance.mark("cloister appraised");
            return Reflect.construct(target, given);
          }
        });
        """;

    /// <summary>
    /// Milliseconds from the navigation's start, and the processor time of the page's thread; cold, and warm with the browser's cache. Between the last byte of the list of enclaves and "appraised" lie
    /// the reading of the list, the appraisal, and what the page draws meanwhile.
    /// </summary>
    [Fact(Explicit = true)]
    public async Task Of_the_start_in_numbers()
    {
        await using var house = await House.StartAsync();
        for (int round = 0; round < 5; round++)
        {
            await using var visitor = await chromium.VisitAsync();
            await visitor.Page.AddInitScriptAsync(WatchSockets);
            var debugger = await visitor.Page.Context.NewCDPSessionAsync(visitor.Page);
            await debugger.SendAsync("Performance.enable", new() { ["timeDomain"] = "threadTicks" });
            double before = 0;
            foreach (string kind in (string[])["cold", "warm", "warm"])
            {
                await visitor.EnterAsync(house);
                var marks = await visitor.Page.EvaluateAsync<Dictionary<string, double>>(
                    """
                    () => Object.fromEntries([
                      ...performance.getEntriesByType('mark').filter(mark => mark.name.startsWith('cloister ')).map(mark => [mark.name, Math.round(mark.startTime)]),
                      ...performance.getEntriesByType('resource').filter(resource => resource.name.endsWith('/enclaves')).map(list => ['list of enclaves', Math.round(list.responseEnd)]),
                      ...performance.getEntriesByType('paint').map(paint => [paint.name, Math.round(paint.startTime)]),
                    ])
                    """);
                var metrics = (await debugger.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray().ToDictionary(metric => metric.GetProperty("name").GetString()!, metric => metric.GetProperty("value").GetDouble());
                double after = metrics["TaskDuration"] * 1000;
                TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {string.Join(", ", marks.Select(mark => $"{mark.Key} {mark.Value} ms"))}; processor {after - before:0} ms");
                before = after;
            }
        }
    }

    internal static async Task TakeAsync(Visitor visitor, string name)
    {
        await visitor.Page.WaitForTimeoutAsync(400);
        await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "pictures", $"{name}.png") });
    }
}
