using System.Globalization;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>What somebody with an account does at the page.</summary>
internal static class Resident
{
    /// <summary>Gives the browser an authenticator, built in, whose user always says yes.</summary>
    public static async Task AddAuthenticatorAsync(this Visitor visitor, bool hasPrf)
    {
        var debugger = await visitor.Debugger();
        await debugger.SendAsync("WebAuthn.enable");
        await debugger.SendAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2",
                ["ctap2Version"] = "ctap2_1",
                ["transport"] = "internal",
                ["hasResidentKey"] = true,
                ["hasUserVerification"] = true,
                ["hasPrf"] = hasPrf,
                ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
            },
        });
    }

    /// <summary>Makes an account with recovery words alone, and gives the words.</summary>
    public static async Task<string> SignUpAsync(this Visitor visitor)
    {
        await visitor.Press("Keep my history");
        await visitor.Press("Make an account");
        string[] words = [.. await visitor.Dialog.Locator(".words li").AllInnerTextsAsync()];
        Assert.Equal(12, words.Length);
        await visitor.TypeWordsAsync(words);
        await Expect(visitor.Dialog.GetByRole(AriaRole.Button, new() { Name = "Done" })).ToBeVisibleAsync(Visitor.Patient);
        return string.Join(' ', words);
    }

    /// <summary>Answers which two of the words were written down.</summary>
    public static async Task TypeWordsAsync(this Visitor visitor, string[] words, bool right = true)
    {
        await visitor.Press("I have written them down");
        await Expect(visitor.Dialog.Locator("input[data-place]")).ToHaveCountAsync(2);
        foreach (var field in await visitor.Dialog.Locator("input[data-place]").AllAsync())
        {
            int place = int.Parse((await field.GetAttributeAsync("data-place"))!, CultureInfo.InvariantCulture);
            await field.FillAsync(words[place - 1]);
        }
        await visitor.Press("Go on");
        if (right)
        {
            await Expect(visitor.Dialog.Locator("input[data-place]")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
        }
    }

    /// <summary>Makes an account and has a first conversation in it, which is synced when this returns.</summary>
    /// <returns>The recovery words.</returns>
    public static async Task<string> SettleAsync(this Visitor visitor, House house, string question, string answer)
    {
        string words = await visitor.SignUpAsync();
        await visitor.LeaveDialogAsync();
        await visitor.TalkAsync(house, question, answer);
        await visitor.SyncedAsync();
        return words;
    }

    public static async Task LeaveDialogAsync(this Visitor visitor)
    {
        await visitor.Press("Done");
        await visitor.Press("Close");
    }

    public static Task SyncedAsync(this Visitor visitor) => Expect(visitor.Sync).ToHaveTextAsync("Synced", new() { Timeout = 30_000 });

    /// <summary>Does not wait for the next attempt to reach the operator.</summary>
    public static async Task TryAgainAsync(this Visitor visitor)
    {
        if (!await visitor.Page.Locator("#shelf-panel .sync[open]").IsVisibleAsync())
        {
            await visitor.Sync.ClickAsync();
        }
        var again = visitor.Page.Locator("#shelf-panel .sync .quiet");
        if (await again.IsVisibleAsync())
        {
            try
            {
                await again.ClickAsync(new() { Timeout = 5_000 });
            }
            catch (TimeoutException)
            {
                // It goes away as soon as the page tries again by itself: what comes of it, the test looks at.
            }
        }
    }

    /// <summary>As if the site's data had been cleared; the authenticator keeps what it has.</summary>
    public static async Task ForgetEverythingAsync(this Visitor visitor, House house)
    {
        await visitor.Page.GotoAsync(new Uri(house.Home, "icon.svg").ToString());
        var debugger = await visitor.Debugger();
        await debugger.SendAsync("Storage.clearDataForOrigin", new() { ["origin"] = house.Home.GetLeftPart(UriPartial.Authority), ["storageTypes"] = "indexeddb,local_storage" });
        await visitor.EnterAsync(house.Home);
    }

    public static async Task ShowPasskeyAsync(this Visitor visitor)
    {
        await visitor.Press("Keep my history");
        await visitor.Press("I have one: sign in");
        await visitor.Press("With a passkey");
    }

    /// <summary>Goes in with recovery words.</summary>
    public static async Task RecoverAsync(this Visitor visitor, string words)
    {
        await visitor.Press("Keep my history");
        await visitor.Press("I have one: sign in");
        await visitor.Press("With my recovery words");
        await visitor.Dialog.GetByLabel("Recovery words").FillAsync(words);
        await visitor.Press("Sign in");
        await visitor.SyncedAsync();
    }

    /// <summary>Asks, has the model answer, and waits until both are kept.</summary>
    public static async Task TalkAsync(this Visitor visitor, House house, string question, string answer)
    {
        house.Model.Answer(answer);
        await visitor.AskAsync(question);
        await Expect(visitor.Answer).ToContainTextAsync(answer);
        await Expect(visitor.Answer).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(visitor.Page.Locator("#stop")).ToBeHiddenAsync();
    }

    public static Task Press(this Visitor visitor, string name) => visitor.Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).ClickAsync();

    public static ILocator Row(this Visitor visitor, string title) => visitor.Rows.Filter(new() { HasText = title });

    /// <summary>Opens a conversation's actions and takes one.</summary>
    public static async Task ActAsync(this Visitor visitor, string title, string action)
    {
        await visitor.Row(title).Locator(".more").ClickAsync();
        await visitor.Row(title).GetByRole(AriaRole.Button, new() { Name = action, Exact = true }).ClickAsync();
    }
}
