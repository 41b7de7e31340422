using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class ShelfTests(Chromium chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_conversation_that_is_deleted_while_its_answer_is_coming_stays_deleted(bool isShown)
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        await visitor.TalkAsync(house, "Stays", "Here.");
        await visitor.Press("New conversation");
        await visitor.AskAsync("Goes");
        house.Model.Say("Half ");
        await Expect(visitor.Answer).ToContainTextAsync("Half");
        if (!isShown)
        {
            await visitor.Row("Stays").Locator(".open").ClickAsync();
            await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["Stays"]);
        }

        await visitor.ActAsync("Goes", "Delete");
        await visitor.Page.Locator("#delete-conversation .danger").ClickAsync();
        await house.Model.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Expect(visitor.Page.Locator("#announcement")).ToHaveTextAsync("The conversation was deleted.");
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(isShown ? [] : ["Stays"]);
        await Expect(visitor.Titles).ToHaveTextAsync(["Stays"]);
        await visitor.SyncedAsync();

        await visitor.EnterAsync(house.Home);
        await Expect(visitor.Titles).ToHaveTextAsync(["Stays"], new() { Timeout = 60_000 });
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task What_was_found_in_one_account_is_not_shown_in_the_next_one()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "Between us", "Nobody else.");
        var search = visitor.Page.GetByLabel("Search your conversations");
        await search.FillAsync("nobody");
        await Expect(visitor.Page.Locator(".hits strong")).ToHaveTextAsync(["Between us"]);

        await visitor.Press("Account and devices");
        await visitor.Press("Sign out");
        await visitor.Dialog.Locator(".danger").ClickAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        await Expect(search).ToHaveValueAsync("");
        await Expect(visitor.Page.Locator(".hits")).ToHaveCountAsync(0);
        await Expect(visitor.Page.Locator("#shelf-panel")).Not.ToContainTextAsync("Between us");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task What_a_full_store_refuses_is_said_in_the_list()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "Fits", "Still fits.");
        var fault = visitor.Page.Locator("#shelf-panel").GetByRole(AriaRole.Alert);

        await FillAsync();
        await visitor.ActAsync("Fits", "Pin");
        await Expect(fault).ToHaveTextAsync("The browser gives this page no more room.");
        await MakeRoomAsync();
        await visitor.ActAsync("Fits", "Pin");
        await Expect(fault).ToHaveCountAsync(0);
        await Expect(visitor.Page.GetByRole(AriaRole.Img, new() { Name = "Pinned" })).ToBeVisibleAsync();

        await FillAsync();
        await visitor.ActAsync("Fits", "Delete");
        await visitor.Page.Locator("#delete-conversation .danger").ClickAsync();
        await Expect(fault).ToHaveTextAsync("The browser gives this page no more room.");
        await MakeRoomAsync();
        await visitor.Row("Fits").Locator(".open").ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("Still fits.");
        visitor.AssertNoComplaints();

        Task FillAsync() => visitor.Page.EvaluateAsync("() => { window.put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = () => { throw new DOMException('Full.', 'QuotaExceededError'); }; }");

        Task MakeRoomAsync() => visitor.Page.EvaluateAsync("() => { IDBObjectStore.prototype.put = window.put; }");
    }

    [Fact]
    public async Task Other_words_wait_in_their_field_while_an_answer_is_coming()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);
        await visitor.TalkAsync(house, "First", "One.");
        await visitor.Press("Edit");
        var words = visitor.Page.GetByLabel("Your question in other words");
        await words.FillAsync("First in other words");
        await visitor.AskAsync("Second");
        house.Model.Say("Two");
        await Expect(visitor.Answer).ToContainTextAsync("Two");
        await Expect(visitor.Page.Locator(".editing .main")).ToBeDisabledAsync();
        await Expect(words).ToHaveValueAsync("First in other words");

        house.Model.End();
        await Expect(visitor.Page.Locator("#stop")).ToBeHiddenAsync();
        house.Model.Answer("Three.");
        await visitor.Page.Locator(".editing .main").ClickAsync();
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["First in other words"]);
        await Expect(visitor.Answer).ToContainTextAsync("Three.");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task A_question_that_was_kept_is_still_there_after_trying_again_without_a_network()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        await visitor.AskAsync("Keep this");
        await Expect(visitor.Rows).ToHaveCountAsync(1);
        await Expect(visitor.Page.Locator("#stop")).ToBeVisibleAsync();
        await house.Model.HearAsync(1);
        await house.CloseOperatorAsync();
        await Expect(visitor.Answer.Locator(".ending")).ToContainTextAsync("The connection was lost", new() { Timeout = 60_000 });
        await visitor.Page.Locator(".answer").GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(visitor.Answer.Locator(".ending")).ToHaveTextAsync("Nothing was sent.", new() { Timeout = 60_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["Keep this"]);
        await Expect(visitor.Titles).ToHaveTextAsync(["Keep this"]);

        house.Model.Abandon();
        await house.ReopenOperatorAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.Row("Keep this").Locator(".open").ClickAsync(new() { Timeout = 60_000 });
        house.Model.Answer("Kept.");
        await visitor.Page.Locator(".answer").GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("Kept.");
    }
}
