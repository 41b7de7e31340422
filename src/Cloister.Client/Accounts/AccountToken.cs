using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Client.Accounts;

/// <summary>A session at the operator (docs/spec/accounts.md, section 1): whoever has the text speaks for the unlocker until it runs out. It opens nothing.</summary>
/// <param name="Text">What goes into the request's header, never into an address.</param>
/// <param name="Account">Whose.</param>
/// <param name="Unlocker">Which unlocker signed in.</param>
public sealed record AccountToken(string Text, AccountNumber Account, Identity Unlocker)
{
    private const int Size = 32;

    // Null for what is not exactly this format.
    internal static AccountToken? Read(SessionJson json) =>
        json.Token.Length <= 64 && Base64.TryDecodeUrl(json.Token, out byte[]? token) && token.Length == Size && JsonForms.TryReadAccount(json.Account, out var account) && Identity.TryParse(json.Unlocker, out var unlocker)
            ? new(json.Token, account, unlocker)
            : null;

    /// <summary>Says nothing of the token, so that none comes into a log.</summary>
    public override string ToString() => $"session of {Account}";
}

/// <summary>What a browser's WebAuthn is asked, as JSON for <c>navigator.credentials</c>, and what the operator wants back with the answer.</summary>
public sealed record PasskeyQuestion(string OptionsJson, string State);
