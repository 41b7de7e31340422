using System.Text.Json.Nodes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class AccountTests(Chromium chromium)
{
    [Fact]
    public async Task A_passkey_with_a_PRF_opens_the_account_anew_until_it_is_removed_and_then_words_do()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.AddAuthenticatorAsync(hasPrf: true);
        await visitor.EnterAsync(house.Home);
        string words = await visitor.SignUpAsync();
        await visitor.Press("Add a passkey");
        await Expect(visitor.Dialog.Locator(".good")).ToHaveTextAsync("The passkey opens your account from now on.", new() { Timeout = 30_000 });
        Assert.DoesNotContain(visitor.Bodies, body => body.Contains("\"prf\"", StringComparison.Ordinal));
        await visitor.LeaveDialogAsync();
        await visitor.TalkAsync(house, "A secret of mine", "It is kept.");
        await visitor.SyncedAsync();

        // A browser that knows nothing, and the same key in its user's hand.
        await visitor.ForgetEverythingAsync(house);
        await visitor.ShowPasskeyAsync();
        await visitor.SyncedAsync();
        await visitor.Row("A secret of mine").Locator(".open").ClickAsync();
        await Expect(visitor.Answer).ToContainTextAsync("It is kept.");

        // Removed, it opens nothing any more; the words still do, and what came under the new keys is there.
        await visitor.Press("Account and devices");
        await visitor.Dialog.GetByRole(AriaRole.Button, new() { NameRegex = new("Remove Passkey") }).ClickAsync();
        await Expect(visitor.Dialog).ToContainTextAsync("New keys are made");
        await visitor.Press("Remove it");
        await Expect(visitor.Dialog.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(visitor.Dialog.GetByRole(AriaRole.Button, new() { NameRegex = new("Remove Passkey") })).ToHaveCountAsync(0);
        await visitor.Press("Close");
        await visitor.TalkAsync(house, "Under new keys", "Yes.");
        await visitor.SyncedAsync();
        await visitor.ForgetEverythingAsync(house);
        await visitor.ShowPasskeyAsync();
        await Expect(visitor.Dialog.GetByRole(AriaRole.Alert)).ToBeVisibleAsync(new() { Timeout = 30_000 });

        await using var other = await chromium.VisitAsync();
        await other.EnterAsync(house.Home);
        await other.RecoverAsync(words);
        await other.Row("A secret of mine").Locator(".open").ClickAsync();
        await Expect(other.Page.Locator(".question")).ToHaveTextAsync(["A secret of mine", "Under new keys"]);
        other.AssertNoComplaints();
    }

    [Fact]
    public async Task A_passkey_without_a_PRF_signs_in_and_says_that_it_unlocks_nothing()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.AddAuthenticatorAsync(hasPrf: false);
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.Press("Add a passkey");
        await Expect(visitor.Dialog.Locator(".good")).ToContainTextAsync("it signs in, and unlocks nothing", new() { Timeout = 30_000 });
        await Expect(visitor.Dialog.Locator(".ways")).ToContainTextAsync("Passkey: signs in, unlocks nothing");

        await visitor.ForgetEverythingAsync(house);
        await visitor.ShowPasskeyAsync();
        await Expect(visitor.Dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("it cannot unlock the account", new() { Timeout = 30_000 });
    }

    [Fact]
    public async Task Without_an_authenticator_the_page_says_so_and_other_ways_stay()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.Press("Add a passkey");
        var wait = visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Do not wait for the passkey" });
        var refusal = visitor.Dialog.GetByRole(AriaRole.Alert);
        await Expect(wait.Or(refusal)).ToBeVisibleAsync(new() { Timeout = 30_000 });
        if (await wait.IsVisibleAsync())
        {
            // Not by the mouse: while Chromium asks for a passkey its own window takes every click, without a screen too. Other browsers leave the page to its user.
            await wait.DispatchEventAsync("click");
        }
        await visitor.Dialog.GetByRole(AriaRole.Button, new() { Name = "Add recovery words" }).ClickAsync(new() { Timeout = 30_000 });
        await Expect(visitor.Dialog.Locator(".words li")).ToHaveCountAsync(12);
    }

    [Fact]
    public async Task A_device_that_is_let_in_shows_the_same_six_digits()
    {
        await using var house = await House.StartAsync();
        await using var old = await chromium.VisitAsync();
        await old.EnterAsync(house.Home);
        await old.SettleAsync(house, "From the old device", "Seen on both.");

        await using var young = await chromium.VisitAsync();
        await young.EnterAsync(house.Home);
        await young.Press("Keep my history");
        await young.Press("I have one: sign in");
        await young.Press("With another device of mine");
        string code = await young.Dialog.Locator(".digits").InnerTextAsync(new() { Timeout = 30_000 });
        await Expect(young.Dialog.Locator(".qr path")).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M"));
        await old.Press("Account and devices");
        await old.Press("Let another device in");
        await old.Dialog.GetByLabel("The code").FillAsync(code);
        await old.Press("Go on");
        await Expect(old.Dialog.Locator(".digits")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(young.Dialog).ToContainTextAsync("The other device shows six digits", new() { Timeout = 30_000 });
        Assert.Equal(await old.Dialog.Locator(".digits").InnerTextAsync(), await young.Dialog.Locator(".digits").InnerTextAsync());
        await young.Press("Yes, they are the same");
        await old.Press("Yes, they are the same");
        await Expect(old.Dialog.Locator(".good")).ToBeVisibleAsync(new() { Timeout = 30_000 });

        await Expect(young.Row("From the old device")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await young.Row("From the old device").Locator(".open").ClickAsync();
        await Expect(young.Answer).ToContainTextAsync("Seen on both.");
    }

    [Fact]
    public async Task A_device_whose_user_sees_other_digits_takes_nothing_whatever_the_other_side_says()
    {
        await using var house = await House.StartAsync();
        await using var stranger = await chromium.VisitAsync();
        await stranger.EnterAsync(house.Home);
        await stranger.SignUpAsync();
        await stranger.LeaveDialogAsync();

        await using var young = await chromium.VisitAsync();
        await young.EnterAsync(house.Home);
        await young.Press("Keep my history");
        await young.Press("I have one: sign in");
        await young.Press("With another device of mine");
        string code = await young.Dialog.Locator(".digits").InnerTextAsync(new() { Timeout = 30_000 });
        await stranger.Press("Account and devices");
        await stranger.Press("Let another device in");
        await stranger.Dialog.GetByLabel("The code").FillAsync(code);
        await stranger.Press("Go on");
        await stranger.Press("Yes, they are the same");
        await Expect(stranger.Dialog.Locator(".good")).ToBeVisibleAsync(new() { Timeout = 30_000 });

        var no = young.Dialog.GetByRole(AriaRole.Button, new() { Name = "No, they differ" });
        await Expect(no).ToBeVisibleAsync(new() { Timeout = 30_000 });
        Assert.Equal(0, await young.Page.EvaluateAsync<int>("async () => (await indexedDB.databases()).length"));
        await no.ClickAsync();
        await Expect(young.Dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("Nothing was taken.");
        await young.EnterAsync(house.Home);
        await Expect(young.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync();
        Assert.DoesNotContain(young.Requests, address => address.Contains("/sign-in", StringComparison.Ordinal));
        Assert.Equal(0, await young.Page.EvaluateAsync<int>("async () => (await indexedDB.databases()).length"));
    }

    [Fact]
    public async Task A_passkey_can_be_found_again_whatever_the_operator_asks_for()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.AddAuthenticatorAsync(hasPrf: true);
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.Page.RouteAsync("**/passkeys/options", async route =>
        {
            var answer = await route.FetchAsync();
            var body = JsonNode.Parse(await answer.TextAsync())!;
            body["options"]!["authenticatorSelection"] = new JsonObject { ["residentKey"] = "discouraged", ["userVerification"] = "discouraged" };
            await route.FulfillAsync(new() { Response = answer, Body = body.ToJsonString() });
        });
        await visitor.Press("Add a passkey");
        await Expect(visitor.Dialog.Locator(".good")).ToHaveTextAsync("The passkey opens your account from now on.", new() { Timeout = 30_000 });
        await visitor.LeaveDialogAsync();
        await visitor.TalkAsync(house, "Found again", "Yes.");
        await visitor.SyncedAsync();

        await visitor.ForgetEverythingAsync(house);
        await visitor.ShowPasskeyAsync();
        await visitor.SyncedAsync();
        await Expect(visitor.Row("Found again")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_sign_up_whose_answer_is_lost_is_tried_again_and_makes_one_account()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.Page.RouteAsync("**/cloister/v1/accounts", async route =>
        {
            await route.FetchAsync();
            await route.AbortAsync();
        });
        await visitor.Press("Keep my history");
        await visitor.Press("Make an account");
        string[] words = [.. await visitor.Dialog.Locator(".words li").AllInnerTextsAsync()];
        await visitor.TypeWordsAsync(words, right: false);
        await Expect(visitor.Dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("What was begun is finished when it can.", new() { Timeout = 30_000 });
        await visitor.Page.UnrouteAsync("**/cloister/v1/accounts");
        await visitor.Press("Go on");
        await Expect(visitor.Dialog.GetByRole(AriaRole.Button, new() { Name = "Done" })).ToBeVisibleAsync(Visitor.Patient);
        await visitor.LeaveDialogAsync();
        await visitor.SyncedAsync();
    }

    [Fact]
    public async Task Words_that_were_not_written_down_make_no_account()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.Press("Keep my history");
        await visitor.Press("Make an account");
        await visitor.TypeWordsAsync([.. Enumerable.Repeat("zoo", 12)], right: false);
        await Expect(visitor.Dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("That is not what was shown.");
        await visitor.Press("Close");
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync();
        Assert.DoesNotContain(visitor.Requests, address => address.EndsWith("/accounts", StringComparison.Ordinal));
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task Signing_out_leaves_nothing_in_the_browser()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        string words = await visitor.SettleAsync(house, "To be forgotten here", "Yes.");
        await visitor.Press("Account and devices");
        await visitor.Press("Sign out");
        await visitor.Dialog.Locator(".danger").ClickAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveCountAsync(0);

        await visitor.EnterAsync(house.Home);
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync();
        await visitor.RecoverAsync(words);
        await Expect(visitor.Row("To be forgotten here")).ToBeVisibleAsync();
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task A_device_that_the_operator_refuses_is_forgotten_all_the_same()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "To be forgotten here", "Yes.");
        await visitor.Page.RouteAsync("**/cloister/v1/account**", route => route.FulfillAsync(new() { Status = 403, Body = "{}" }));
        await visitor.Press("Account and devices");
        await visitor.Press("Sign out");
        await Expect(visitor.Dialog.GetByRole(AriaRole.Heading, new() { Name = "Sign out on this device?" })).ToBeFocusedAsync();
        await visitor.Dialog.Locator(".danger").ClickAsync();
        await Expect(visitor.Dialog.GetByRole(AriaRole.Heading, new() { Name = "Forget it in this browser?" })).ToBeFocusedAsync(new() { Timeout = 30_000 });
        await visitor.Press("Forget it here");
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(visitor.Page.Locator(".question")).ToHaveCountAsync(0);
        Assert.Equal(0, await KeptAsync(visitor));

        await visitor.EnterAsync(house.Home);
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_another_tab_signed_out_of_ends_here_too_and_nothing_more_is_written()
    {
        await using var house = await House.StartAsync();
        await using var one = await chromium.VisitAsync();
        await one.EnterAsync(house.Home);
        await one.SettleAsync(house, "Shared", "Between tabs.");
        await using var other = new Visitor(one.Context, await one.Context.NewPageAsync());
        await other.EnterAsync(house.Home);
        await other.Row("Shared").Locator(".open").ClickAsync(new() { Timeout = 60_000 });

        await one.Press("Account and devices");
        await one.Press("Sign out");
        await one.Dialog.Locator(".danger").ClickAsync();
        await Expect(one.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(other.Page.GetByRole(AriaRole.Button, new() { Name = "Keep my history" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(other.Page.Locator(".question")).ToHaveCountAsync(0);
        await other.TalkAsync(house, "After it", "Kept nowhere.");
        Assert.Equal(0, await KeptAsync(other));
    }

    [Fact]
    public async Task A_second_tab_does_not_make_an_account_over_the_first_ones()
    {
        await using var house = await House.StartAsync();
        await using var one = await chromium.VisitAsync();
        await one.EnterAsync(house.Home);
        await using var other = new Visitor(one.Context, await one.Context.NewPageAsync());
        await other.EnterAsync(house.Home);
        await one.SettleAsync(house, "The first tab's", "It stays.");

        await other.Press("Keep my history");
        await other.Press("Make an account");
        await other.TypeWordsAsync([.. await other.Dialog.Locator(".words li").AllInnerTextsAsync()], right: false);
        await Expect(other.Dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("reload the page", new() { Timeout = 30_000 });
        await other.EnterAsync(house.Home);
        await Expect(other.Row("The first tab's")).ToBeVisibleAsync(new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task A_pairing_link_that_is_followed_where_an_account_is_leads_to_letting_the_device_in()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        foreach (string code in (string[])["ABCD-EFGH", "JKMN-PQRS"])
        {
            // The first is followed into a new page, the second into one that is open.
            string link = $"{house.Home}#pair={code}.47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
            if (code[0] == 'A')
            {
                await visitor.Page.GotoAsync(new Uri(house.Home, "icon.svg").ToString());
                await visitor.Page.GotoAsync(link);
            }
            else
            {
                await visitor.Page.EvaluateAsync("link => { location.href = link; }", link);
            }
            await Expect(visitor.Dialog.GetByLabel("The code")).ToHaveValueAsync(link, new() { Timeout = 60_000 });
            Assert.DoesNotContain("#", visitor.Page.Url, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_browser_that_let_go_of_the_account_is_said_to_have()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        string words = await visitor.SettleAsync(house, "Evicted", "And fetched again.");

        await visitor.Page.GotoAsync(new Uri(house.Home, "icon.svg").ToString());
        var debugger = await visitor.Debugger();
        await debugger.SendAsync("Storage.clearDataForOrigin", new() { ["origin"] = house.Home.GetLeftPart(UriPartial.Authority), ["storageTypes"] = "indexeddb" });
        await visitor.EnterAsync(house.Home);
        await visitor.Press("History not open");
        await Expect(visitor.Dialog).ToContainTextAsync("This browser let go of your account");
        await visitor.Press("Sign in again");
        await visitor.Press("With my recovery words");
        await visitor.Dialog.GetByLabel("Recovery words").FillAsync(words);
        await visitor.Press("Sign in");
        await Expect(visitor.Row("Evicted")).ToBeVisibleAsync(new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task The_keyboard_stays_in_the_dialog_when_a_step_takes_its_button_away()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house.Home);
        await visitor.Press("Keep my history");
        var title = visitor.Page.Locator("#account-title");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Make an account" }).PressAsync("Enter");
        await Expect(title).ToHaveTextAsync("A new account");
        await Expect(title).ToBeFocusedAsync();
        await visitor.Press("I have written them down");
        await Expect(visitor.Dialog.Locator("input[data-place]").First).ToBeFocusedAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Show the words again" }).PressAsync("Enter");
        await Expect(title).ToBeFocusedAsync();
        string[] words = [.. await visitor.Dialog.Locator(".words li").AllInnerTextsAsync()];
        await visitor.TypeWordsAsync(words);
        await Expect(title).ToHaveTextAsync("Ways to your account");
        await Expect(title).ToBeFocusedAsync();
        await visitor.Press("Done");
        await Expect(title).ToBeFocusedAsync();
        await visitor.Press("Sign out");
        await visitor.Press("Leave it as it is");
        await Expect(title).ToBeFocusedAsync();
    }

    // Rows of whatever kind that the browser keeps of an account.
    private static Task<int> KeptAsync(Visitor visitor) => visitor.Page.EvaluateAsync<int>("""
        () => new Promise(resolve => {
          const request = indexedDB.open("cloister");
          request.onsuccess = async () => {
            const db = request.result;
            const counts = await Promise.all([...db.objectStoreNames].map(name => new Promise(done => {
              db.transaction(name).objectStore(name).count().onsuccess = event => done(event.target.result);
            })));
            db.close();
            resolve(counts.reduce((sum, count) => sum + count, 0));
          };
        })
        """);
}
