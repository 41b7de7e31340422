using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class HistoryTests(Chromium chromium)
{
    [Fact]
    public async Task What_was_said_before_the_account_and_after_it_is_there_when_the_page_is_opened_again()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.TalkAsync(house, "Before the account", "Kept along.");
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        await Expect(visitor.Rows).ToHaveCountAsync(1);
        await visitor.TalkAsync(house, "After it", "Kept as well.");
        await visitor.SyncedAsync();

        await visitor.EnterAsync(house.Home);
        await visitor.Row("Before the account").Locator(".open").ClickAsync(new() { Timeout = 60_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["Before the account", "After it"]);
        await Expect(visitor.Page.Locator(".answer").First).ToContainTextAsync("Kept along.");
        await Expect(visitor.Answer).ToContainTextAsync("Kept as well.");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task An_account_that_is_made_while_an_answer_is_coming_keeps_the_answer_with_its_question()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.AskAsync("A long story");
        house.Model.Say("Once upon ");
        await Expect(visitor.Answer).ToContainTextAsync("Once upon");
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        await Expect(visitor.Rows).ToHaveCountAsync(1);
        house.Model.Answer("a time.");
        await Expect(visitor.Page.Locator("#stop")).ToBeHiddenAsync();
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["A long story"]);
        await Expect(visitor.Answer).ToContainTextAsync("Once upon a time.");
        await visitor.SyncedAsync();

        await visitor.EnterAsync(house.Home);
        await visitor.Row("A long story").Locator(".open").ClickAsync(new() { Timeout = 60_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync(["A long story"]);
        await Expect(visitor.Page.Locator(".answer")).ToHaveCountAsync(1);
        await Expect(visitor.Answer).ToContainTextAsync("Once upon a time.");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task Another_wording_and_another_answer_stand_beside_the_first_ones()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();

        await visitor.TalkAsync(house, "What is a fuge?", "First answer");
        house.Model.Answer("Second answer");
        await visitor.Press("Try again");
        await Expect(visitor.Answer).ToContainTextAsync("Second answer");
        await Expect(visitor.Answer.Locator(".siblings span")).ToHaveTextAsync("2/2");
        await visitor.Press("Previous answer");
        await Expect(visitor.Answer).ToContainTextAsync("First answer");

        await visitor.Press("Edit");
        await visitor.Page.GetByLabel("Your question in other words").FillAsync("What is a fugue?");
        house.Model.Answer("Third answer");
        await visitor.Page.Locator(".editing .main").ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("Third answer");
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("What is a fugue?");
        await Expect(visitor.Page.Locator(".asked .siblings span")).ToHaveTextAsync("2/2");
        Assert.Equal(1, house.Model.Questions.Last().GetProperty("messages").GetArrayLength());
        await visitor.Press("Previous wording");
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("What is a fuge?");
        await visitor.SyncedAsync();

        await visitor.EnterAsync(house.Home);
        await visitor.Rows.Locator(".open").ClickAsync(new() { Timeout = 60_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("What is a fuge?");
        await Expect(visitor.Page.Locator(".asked .siblings span")).ToHaveTextAsync("1/2");
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task The_list_is_renamed_pinned_ordered_searched_and_deleted_from()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        foreach (string topic in (string[])["Bread", "Bruges", "Fugues"])
        {
            await visitor.Press("New conversation");
            await visitor.TalkAsync(house, topic, $"All about {topic}.");
        }
        await Expect(visitor.Titles).ToHaveTextAsync(["Fugues", "Bruges", "Bread"]);

        await visitor.ActAsync("Bread", "Rename");
        await visitor.Page.GetByLabel("Title").FillAsync("Rye");
        await visitor.Page.GetByLabel("Title").PressAsync("Enter");
        await Expect(visitor.Titles).ToHaveTextAsync(["Fugues", "Bruges", "Rye"]);
        await Expect(visitor.Row("Rye").Locator(".open")).ToBeFocusedAsync();
        await visitor.ActAsync("Rye", "Pin");
        await Expect(visitor.Titles).ToHaveTextAsync(["Rye", "Fugues", "Bruges"]);
        await visitor.ActAsync("Bruges", "Pin");
        await Expect(visitor.Titles).ToHaveTextAsync(["Rye", "Bruges", "Fugues"]);
        await visitor.Row("Bruges").Locator(".open").PressAsync("Alt+ArrowUp");
        await Expect(visitor.Titles).ToHaveTextAsync(["Bruges", "Rye", "Fugues"]);
        await Expect(visitor.Row("Bruges").Locator(".open")).ToBeFocusedAsync();
        await visitor.Row("Fugues").DragToAsync(visitor.Row("Bruges"));
        await Expect(visitor.Titles).ToHaveTextAsync(["Fugues", "Bruges", "Rye"]);

        var search = visitor.Page.GetByLabel("Search your conversations");
        await search.FillAsync("about brug");
        await Expect(visitor.Page.Locator(".hits strong")).ToHaveTextAsync(["Bruges"]);
        await Expect(visitor.Page.Locator("#shelf-panel > [role=status]")).ToHaveTextAsync("One was found.");
        await Expect(visitor.Page.Locator(".hits mark")).ToHaveTextAsync(["about", "Bruges"]);
        await visitor.Page.Locator(".hits button").ClickAsync();
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("Bruges");
        await search.FillAsync("");

        await visitor.ActAsync("Bruges", "Delete");
        await Expect(visitor.Page.Locator("#delete-conversation")).ToContainTextAsync("It cannot be brought back.");
        await visitor.Press("Keep it");
        await visitor.Row("Bruges").GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await visitor.Page.Locator("#delete-conversation .danger").ClickAsync();
        await Expect(visitor.Titles).ToHaveTextAsync(["Fugues", "Rye"]);
        await Expect(visitor.Page.Locator("#welcome")).ToBeVisibleAsync();
        await visitor.SyncedAsync();

        await visitor.EnterAsync(house.Home);
        await Expect(visitor.Titles).ToHaveTextAsync(["Fugues", "Rye"], new() { Timeout = 60_000 });
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task Two_devices_that_were_offline_merge_when_they_are_back()
    {
        await using var house = await House.StartAsync();
        await using var one = await chromium.VisitAsync();
        await one.EnterAsync(house.Home);
        string words = await one.SignUpAsync();
        await one.LeaveDialogAsync();
        await one.TalkAsync(house, "Bread", "Rye.");
        await one.Press("New conversation");
        await one.TalkAsync(house, "Bruges", "Boats.");
        await one.SyncedAsync();

        await using var two = await chromium.VisitAsync();
        await two.EnterAsync(house.Home);
        await two.RecoverAsync(words);
        await Expect(two.Titles).ToHaveTextAsync(["Bruges", "Bread"]);
        await two.Row("Bread").Locator(".open").ClickAsync();
        await Expect(two.Answer).ToContainTextAsync("Rye.");

        await one.Context.SetOfflineAsync(true);
        await two.Context.SetOfflineAsync(true);
        await one.ActAsync("Bread", "Rename");
        await one.Page.GetByLabel("Title").FillAsync("Loaves");
        await one.Page.GetByLabel("Title").PressAsync("Enter");
        await Expect(one.Row("Loaves")).ToBeVisibleAsync();
        await two.ActAsync("Bread", "Pin");
        await Expect(two.Titles).ToHaveTextAsync(["Bread", "Bruges"]);
        await Expect(one.Sync).ToContainTextAsync("Saved on this device", new() { Timeout = 30_000 });

        await one.Context.SetOfflineAsync(false);
        await two.Context.SetOfflineAsync(false);
        await one.TryAgainAsync();
        await two.TryAgainAsync();
        await Expect(one.Titles).ToHaveTextAsync(["Loaves", "Bruges"], new() { Timeout = 60_000 });
        await Expect(two.Titles).ToHaveTextAsync(["Loaves", "Bruges"], new() { Timeout = 60_000 });
        await Expect(one.Rows.First).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("pinned"), new() { Timeout = 60_000 });
    }
}
