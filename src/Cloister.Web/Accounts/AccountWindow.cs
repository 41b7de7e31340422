namespace Cloister.Web.Accounts;

/// <summary>What the account's dialog shows.</summary>
public enum AccountScreen { Offer, SignUp, SignIn, Join, More, Overview, LetIn, Damaged }

/// <summary>Which screen of the account's dialog is open.</summary>
public sealed class AccountWindow(PageAccount account)
{
    public AccountScreen Screen { get; private set; }

    public bool IsOpen { get; private set; }

    /// <summary>What a pairing's link brought along.</summary>
    public string PairingLink { get; private set; } = "";

    public event Action? Changed;

    /// <summary>The first screen, as the account stands.</summary>
    public void Open() => Show(account.State switch
    {
        AccountState.Open                        => AccountScreen.Overview,
        AccountState.Failed or AccountState.Lost => AccountScreen.Damaged,
        _                                        => AccountScreen.Offer,
    });

    public void Show(AccountScreen screen)
    {
        (Screen, IsOpen) = (screen, true);
        Changed?.Invoke();
    }

    /// <summary>A link that another device shows brought its user here. What it means shows once it is known whether an account is here.</summary>
    public async Task AnswerAsync(string link)
    {
        await account.Opening;
        PairingLink = link;
        if (account.State is AccountState.Open)
        {
            Show(AccountScreen.LetIn);
        }
        else if (!IsOpen)
        {
            Open(); // and where it is open, somebody may have just written down words
        }
    }

    public void Close()
    {
        (IsOpen, PairingLink) = (false, "");
        Changed?.Invoke();
    }
}
