using Cloister.Client.Accounts;
using Microsoft.AspNetCore.Components;

namespace Cloister.Web.Accounts;

/// <summary>A screen of the account's dialog: what it does may take a while, and may go wrong, which it says in words.</summary>
public abstract class AccountStep : ComponentBase
{
    [Inject]
    protected PageAccount Account { get; set; } = default!;

    [Inject]
    protected AccountWindow Window { get; set; } = default!;

    /// <summary>What is being done, as a sentence; null where nothing is.</summary>
    protected string? Doing { get; private set; }

    /// <summary>What went wrong, as a sentence; null where nothing did.</summary>
    protected string? Fault { get; set; }

    /// <summary>Does something and says meanwhile what. False where it went wrong.</summary>
    protected async Task<bool> DoAsync(string doing, Func<Task> act)
    {
        if (Doing is not null)
        {
            return false;
        }
        (Doing, Fault) = (doing, null);
        StateHasChanged();
        try
        {
            // So that the sentence is seen before something heavy takes the page's one thread.
            await Task.Delay(50);
            await act();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception fault) when (PageAccount.Sentence(fault) is { } sentence)
        {
            Fault = sentence;
            return false;
        }
        finally
        {
            Doing = null;
            StateHasChanged();
        }
    }

    /// <summary>Does what may leave an account in this browser, and goes on with it: to a screen, or out of the dialog. Without one where there is null, which its user decided.</summary>
    protected Task EnterAsync(string doing, Func<Task<AccountDevice?>> enter, AccountScreen? next = null) => DoAsync(doing, async () =>
    {
        PageAccount.Expect();
        if (await enter() is not { } device)
        {
            return;
        }
        Account.Take(device);
        if (next is { } screen)
        {
            Window.Show(screen);
        }
        else
        {
            Shell.CloseDialog("account-dialog");
            Shell.Announce("You are signed in.");
        }
    });
}
