using System.Runtime.InteropServices.JavaScript;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Web.Accounts;

/// <summary>None is the state in which the page keeps nothing; lost the one in which the browser let go of what it had kept.</summary>
public enum AccountState { None, Opening, Open, Failed, Lost }

/// <summary>The account of this browser, where there is one.</summary>
/// <param name="place">Where its keys and its history live.</param>
public sealed class PageAccount(AccountPlace place) : IAsyncDisposable
{
    // Says whether this browser ever had an account, so that one that never had opens no storage. Other tabs hear of its going.
    private const string Mark = "cloister account";
    private const string Kept = "kept";
    private const string Expected = "expected";

    private Task _opening = Task.CompletedTask;

    public AccountState State { get; private set; }

    /// <summary>Null unless <see cref="State"/> is open.</summary>
    public AccountDevice? Device { get; private set; }

    public UserHistory? History => Device?.History;

    /// <summary>Why the account that this browser has does not open, as a sentence.</summary>
    public string? Fault { get; private set; }

    /// <summary>What the operator said about the account's keys when it was last asked, as a sentence; null where nothing is wrong.</summary>
    public string? KeysFault { get; private set; }

    public AccountEntrance Entrance { get; } = new(place);

    public KeyCustody Custody => place.Custody;

    public Uri Operator => place.Operator.Address;

    /// <summary>What is shown has changed: the account came or went, or its history did.</summary>
    public event Action? Changed;

    /// <summary>Ends when it is known how the account stands. To be awaited by who does one thing with an account and another without.</summary>
    public Task Opening => _opening;

    /// <summary>Opens what this browser kept, with the operator or without.</summary>
    public Task OpenAsync() => _opening = OpenOnceAsync();

    /// <summary>Opens it for the first time, and hears from then on what becomes of it in other tabs.</summary>
    public async Task StartAsync()
    {
        await OpenAsync();
        Shell.OnForgotten(Mark, () => _ = HearAsync());
    }

    private async Task OpenOnceAsync()
    {
        await Shell.ImportAsync();
        if (string.IsNullOrEmpty(Shell.Remembered(Mark)))
        {
            return;
        }
        (State, Fault) = (AccountState.Opening, null);
        Changed?.Invoke();
        try
        {
            if (await Entrance.OpenAsync(CancellationToken.None) is { } device)
            {
                Take(device);
            }
            else if (Shell.Remembered(Mark) == Kept)
            {
                (State, Fault) = (AccountState.Lost, "This browser let go of your account: it cleared what this page had kept. Sign in again. What was synced is at the operator.");
                Changed?.Invoke();
            }
            else
            {
                Shell.Remember(Mark, "");
                BeNone();
            }
        }
        catch (Exception fault) when (Sentence(fault) is { } sentence)
        {
            (State, Fault) = (AccountState.Failed, sentence);
            Changed?.Invoke();
        }
    }

    /// <summary>To be called before anything that may leave an account in this browser.</summary>
    public static void Expect()
    {
        if (string.IsNullOrEmpty(Shell.Remembered(Mark)))
        {
            Shell.Remember(Mark, Expected);
        }
    }

    /// <summary>The account from now on.</summary>
    public void Take(AccountDevice device)
    {
        Shell.Remember(Mark, Kept);
        (Device, State, Fault) = (device, AccountState.Open, null);
        device.History.Changed += Tell;
        device.Refreshed += Judge;
        Shell.SetKept(true);
        Changed?.Invoke();
        _ = RefreshAsync();
    }

    /// <summary>Asks the operator how the account's keys stand.</summary>
    public async Task RefreshAsync()
    {
        if (Device is not { } device)
        {
            return;
        }
        try
        {
            await device.RefreshAsync(CancellationToken.None);
            Judge(null);
        }
        catch (Exception fault) when (Sentence(fault) is not null)
        {
            Judge(fault);
        }
    }

    /// <summary>Ends the account in this browser: does what ends it, and lets go of it once that is done. Where it throws, the account is still here.</summary>
    public async Task EndAsync(Func<AccountDevice, Task> end)
    {
        var device = Device!;
        await end(device);
        await UnmarkAsync();
        await LetGoAsync(device);
    }

    /// <summary>Removes what this browser keeps of an account that does not open, or that it lost.</summary>
    public async Task ForgetAsync()
    {
        await Entrance.ForgetAsync(CancellationToken.None);
        await UnmarkAsync();
        BeNone();
    }

    /// <summary>What went wrong, for people; null for a mistake of the program.</summary>
    public static string? Sentence(Exception fault) => fault switch
    {
        AccountFaultException or PasskeyFailedException or StoreFailedException => fault.Message,
        OperatorUnreachableException => "The operator cannot be reached. What was begun is finished when it can.",
        AccountEndedException => "This device was removed from the account, or the account was deleted. What it has kept can still be read here.",
        InvalidDataException => "What this browser kept of the account is damaged. Sign in again: the history itself is at the operator.",
        JSException => "The browser did not do what it was asked for. Try again, or use another way.",
        _ => null,
    };

    public async ValueTask DisposeAsync()
    {
        if (Device is { } device)
        {
            await device.DisposeAsync();
        }
    }

    private void Tell() => Changed?.Invoke();

    // Offline is an ordinary state, and changes nothing of what is known: the history says so.
    private void Judge(Exception? fault)
    {
        if (Device is not null && fault is not (OperatorUnreachableException or OperationCanceledException))
        {
            KeysFault = fault is null ? null : Sentence(fault) ?? fault.Message;
        }
        Changed?.Invoke();
    }

    // Another tab says that the account is gone. What counts is what is kept: a mark is only a mark, and by now perhaps the next account's, so it is left alone.
    private async Task HearAsync()
    {
        try
        {
            if (State is AccountState.Lost)
            {
                BeNone();
            }
            else if (Device is { } device && !await device.IsKeptAsync(CancellationToken.None) && Device == device)
            {
                await LetGoAsync(device);
                Shell.Announce("You signed out in another window.");
            }
        }
        catch (StoreFailedException)
        {
            // The history says itself what is wrong with its store.
        }
    }

    // Unless another tab entered an account meanwhile, which stays.
    private async Task UnmarkAsync()
    {
        if (await place.Memory.LoadAsync(CancellationToken.None) is { } other)
        {
            other.Secret.Dispose();
        }
        else
        {
            Shell.Remember(Mark, "");
        }
    }

    private async Task LetGoAsync(AccountDevice device)
    {
        device.History.Changed -= Tell;
        device.Refreshed -= Judge;
        BeNone();
        await device.DisposeAsync();
    }

    private void BeNone()
    {
        Shell.SetKept(false);
        (Device, State, Fault, KeysFault) = (null, AccountState.None, null, null);
        Changed?.Invoke();
    }
}
