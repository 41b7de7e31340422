using Cloister.Client.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>What an account needs around it on this device: the operator, where keys live, where its way in and its history are kept.</summary>
public sealed record AccountPlace
{
    public required OperatorAccounts Operator { get; init; }

    /// <summary>In memory for a program of its own, in WebCrypto for a browser.</summary>
    public required KeyCustody Custody { get; init; }

    public required DeviceMemory Memory { get; init; }

    /// <summary>Opens the history's store: of one account and no other. It is disposed of with the account.</summary>
    public required Func<CancellationToken, ValueTask<DeviceStore>> OpenStore { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal DateOnly Today => DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime);
}

/// <summary>Asks a passkey: gives WebAuthn's options to <c>navigator.credentials</c> and takes the answer. Null where its user said no.</summary>
public delegate Task<PasskeyAnswer?> PasskeyCeremony(PasskeyQuestion question, CancellationToken cancellationToken);

/// <summary>What came of asking a passkey.</summary>
/// <param name="CredentialJson">The browser's JSON, without the results of extensions.</param>
/// <param name="Secret">Of kind passkey, from the output of its PRF; null where the authenticator has none: then it signs in and unlocks nothing.</param>
public sealed record PasskeyAnswer(string CredentialJson, UnlockerSecret? Secret);

/// <summary>An unlocker that somebody just showed: what must be at hand to add another.</summary>
/// <param name="Unlocker">Its identity at the operator.</param>
/// <param name="Secret">Its secret, which stays the caller's.</param>
public sealed record ShownUnlocker(Ledger.Identity Unlocker, UnlockerSecret Secret);
