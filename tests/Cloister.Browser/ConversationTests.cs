using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class ConversationTests(Chromium chromium)
{
    [Fact]
    public async Task An_answer_appears_as_it_comes()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.AskAsync("Good morning");
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("Good morning");
        await Expect(visitor.Field).ToHaveValueAsync("");
        house.Model.Say("Good ");
        await Expect(visitor.Answer).ToContainTextAsync("Good");
        await Expect(visitor.Answer).ToHaveAttributeAsync("aria-busy", "true");
        house.Model.Say("morning ", "to **you**.");
        await Expect(visitor.Answer.Locator("strong")).ToHaveTextAsync("you");
        house.Model.End();
        await Expect(visitor.Answer).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(visitor.Answer.Locator("p").First).ToHaveTextAsync("Good morning to you.");
        await Expect(visitor.Page.Locator("#announcement")).ToHaveTextAsync("The answer is complete.");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task Stop_ends_the_answer_also_in_the_enclave_and_keeps_what_came()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.AskAsync("Count");
        house.Model.Say("one, two, ");
        await Expect(visitor.Answer).ToContainTextAsync("one, two,");
        await visitor.Page.GetByLabel("Stop the answer").ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("You stopped this answer.");
        await Expect(visitor.Answer).ToContainTextAsync("one, two,");
        await house.Model.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Expect(visitor.Page.GetByLabel("Send", new() { Exact = true })).ToBeVisibleAsync();
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task Enter_sends_ShiftEnter_does_not_and_the_conversation_goes_along()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.Field.PressSequentiallyAsync("one");
        await visitor.Field.PressAsync("Shift+Enter");
        await visitor.Field.PressSequentiallyAsync("two");
        await Expect(visitor.Field).ToHaveValueAsync("one\ntwo");
        house.Model.Answer("three");
        await visitor.Field.PressAsync("Enter");
        await Expect(visitor.Answer).ToHaveAttributeAsync("aria-busy", "false");

        house.Model.Answer("five");
        await visitor.AskAsync("four");
        await Expect(visitor.Answer).ToContainTextAsync("five");
        Assert.Equal(2, house.Model.Questions.Count);
        var question = house.Model.Questions.Last();
        Assert.Equal("scripted", question.GetProperty("model").GetString());
        Assert.Equal(["user: one\ntwo", "assistant: three", "user: four"], question.GetProperty("messages").EnumerateArray().Select(message => $"{message.GetProperty("role")}: {message.GetProperty("content")}"));
    }

    [Fact]
    public async Task Try_again_asks_the_last_question_once_more()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        house.Model.Answer("First try");
        await visitor.AskAsync("Well?");
        await Expect(visitor.Answer).ToContainTextAsync("First try");
        house.Model.Answer("Second try");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("Second try");
        await Expect(visitor.Page.Locator(".question")).ToHaveCountAsync(1);
        Assert.Equal(1, house.Model.Questions.Last().GetProperty("messages").GetArrayLength());
    }

    [Fact]
    public async Task A_busy_enclave_is_said_in_plain_words()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        house.Model.Refusal = 429;
        await visitor.AskAsync("Is anybody there?");
        await Expect(visitor.Answer).ToContainTextAsync("The enclave is busy");
        house.Model.Refusal = 0;
        house.Model.Answer("Now I am.");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("Now I am.");
        await Expect(visitor.Answer).Not.ToContainTextAsync("busy");
    }

    [Fact]
    public async Task The_page_follows_the_answer_unless_the_reader_scrolled_up()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);
        var latest = visitor.Page.Locator("#latest");

        await visitor.AskAsync("Tell me everything");
        house.Model.Say(string.Concat(Enumerable.Repeat("A paragraph.\n\n", 60)));
        await Expect(visitor.Answer.Locator("p")).ToHaveCountAsync(60);
        await Expect(visitor.Answer.Locator("p").Last).ToBeInViewportAsync();
        await Expect(latest).ToBeHiddenAsync();

        await visitor.Page.Mouse.MoveAsync(600, 400);
        await visitor.Page.Mouse.WheelAsync(0, -600);
        await Expect(latest).ToBeVisibleAsync();
        house.Model.Answer(string.Concat(Enumerable.Repeat("More.\n\n", 20)));
        await Expect(visitor.Answer.Locator("p")).ToHaveCountAsync(80);
        await Expect(visitor.Answer.Locator("p").Last).Not.ToBeInViewportAsync();

        await latest.ClickAsync();
        await Expect(visitor.Answer.Locator("p").Last).ToBeInViewportAsync();
        await Expect(latest).ToBeHiddenAsync();
    }

    [Fact]
    public async Task An_answer_is_read_as_Markdown()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync(new BrowserNewContextOptions { Permissions = ["clipboard-read", "clipboard-write"] });
        await visitor.EnterAsync(house);

        house.Model.Answer("# Title\n\n3. three\n4. *four*\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n```csharp\nif (1 < 2) { }\n```\n\nSee [the site](https://example.com/a?b=1).");
        await visitor.AskAsync("Show");
        var answer = visitor.Answer;
        await Expect(answer.Locator("h3")).ToHaveTextAsync("Title");
        await Expect(answer.Locator("ol[start='3'] > li")).ToHaveCountAsync(2);
        await Expect(answer.Locator("li em")).ToHaveTextAsync("four");
        await Expect(answer.Locator("blockquote")).ToHaveTextAsync("quoted");
        await Expect(answer.Locator("td code")).ToHaveTextAsync("2");
        await Expect(answer.Locator(".code-head span")).ToHaveTextAsync("csharp");
        var link = answer.Locator("a");
        await Expect(link).ToHaveAttributeAsync("href", "https://example.com/a?b=1");
        await Expect(link).ToHaveAttributeAsync("rel", "noopener noreferrer nofollow");

        await answer.Locator(".code-head button").ClickAsync();
        await Expect(answer.Locator(".code-head button")).ToHaveTextAsync("Copied");
        Assert.Equal("if (1 < 2) { }", await visitor.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        visitor.AssertNoComplaints();
    }
}
