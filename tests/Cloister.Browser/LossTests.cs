using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class LossTests(Chromium chromium)
{
    [Fact]
    public async Task A_connection_cut_in_the_middle_of_an_answer_is_mended()
    {
        using var relay = new Relay();
        await using var house = await House.StartAsync(relay.Between);
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.AskAsync("Tell me a story");
        house.Model.Say("Once upon ");
        await Expect(visitor.Answer).ToContainTextAsync("Once upon");
        relay.Cut();
        house.Model.Say("a time.");
        house.Model.End();
        await Expect(visitor.Answer.Locator("p").First).ToHaveTextAsync("Once upon a time.", new() { Timeout = 30_000 });
        await Expect(visitor.Answer.Locator(".ending")).ToHaveCountAsync(0);
        Assert.Equal(2, relay.Sessions);
    }

    [Fact]
    public async Task What_had_arrived_is_kept_when_the_operator_goes_away()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await visitor.AskAsync("Tell me a story");
        house.Model.Say("Once upon ");
        await Expect(visitor.Answer).ToContainTextAsync("Once upon");
        await house.CloseOperatorAsync();
        await Expect(visitor.Answer.Locator(".ending")).ToContainTextAsync("What had arrived is kept", new() { Timeout = 60_000 });
        await Expect(visitor.Answer).ToContainTextAsync("Once upon");
    }

    [Fact]
    public async Task A_question_that_could_not_be_sent_is_given_back_and_sent_when_the_operator_is_back()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        await house.CloseOperatorAsync();
        await visitor.AskAsync("Are you there?");
        await Expect(visitor.Page.GetByRole(Microsoft.Playwright.AriaRole.Alert)).ToContainTextAsync("The enclave cannot be reached.", new() { Timeout = 60_000 });
        await Expect(visitor.Field).ToHaveValueAsync("Are you there?");
        await Expect(visitor.Page.Locator(".question")).ToHaveCountAsync(0);

        await visitor.Field.PressAsync("Enter");
        await Expect(visitor.Note).ToContainTextAsync("once the enclave can be reached");
        house.Model.Answer("Here I am.");
        await house.ReopenOperatorAsync();
        await visitor.Page.GetByText("Try now").ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("Here I am.", new() { Timeout = 60_000 });
        await Expect(visitor.Field).ToHaveValueAsync("");
    }
}
