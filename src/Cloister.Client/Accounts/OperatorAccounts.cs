using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Client.Accounts;

/// <summary>The operator's accounts as docs/spec/accounts.md has them, a method for each request. It knows no key, keeps no state, and believes no answer further than its form.</summary>
/// <remarks>
/// Every method throws <see cref="AccountFaultException"/> where the operator refuses or answers something that is no answer, and <see cref="OperatorUnreachableException"/>
/// where nobody answers or the answer is a fault of its own (5xx): then the request may have been taken.
/// </remarks>
/// <param name="http">Is not disposed. Its timeout should be no shorter than a minute.</param>
/// <param name="operatorAddress">Ends in a slash.</param>
public sealed class OperatorAccounts(HttpClient http, Uri operatorAddress)
{
    /// <summary>Relative to the operator's address.</summary>
    public const string Path = "cloister/v1/";

    private const int MaxChallenge = SignInMessage.MaxChallenge;

    private readonly OperatorRequests _requests = new(http, new Uri(operatorAddress, Path));

    /// <summary>The operator's address.</summary>
    public Uri Address { get; } = operatorAddress;

    internal OperatorRequests Requests => _requests;

    /// <summary>Makes an account. The first of <paramref name="unlockers"/> that has a sign-in key is signed in.</summary>
    public async Task<AccountToken> CreateAsync(EpochRecord first, IReadOnlyList<AccountUnlocker> unlockers, CancellationToken cancellationToken)
    {
        var body = new NewAccountJson { Account = JsonForms.Write(first.Account), EpochRecord = Base64.EncodeUrl(first.Bytes.Span), Unlockers = [.. unlockers.Select(one => one.ToJson())] };
        var answer = await _requests.SendAsync(HttpMethod.Post, "accounts", Json(body, AccountJson.Default.NewAccountJson), null, cancellationToken).ConfigureAwait(false);
        return ReadToken(answer);
    }

    /// <summary>Bytes to be signed with <see cref="SignInMessage"/>, within two minutes.</summary>
    public async Task<byte[]> ChallengeAsync(CancellationToken cancellationToken)
    {
        var answer = await _requests.SendAsync(HttpMethod.Post, "sign-in/challenge", null, null, cancellationToken).ConfigureAwait(false);
        return Base64.TryDecodeUrl(answer.Read(AccountJson.Default.ChallengeJson).Challenge, out byte[]? challenge) && challenge.Length is >= 32 and <= MaxChallenge ? challenge : throw Unexpected();
    }

    /// <param name="account">Whose unlocker it is, where that is known: it is looked for there only, so nobody else's of the same identity is in its way.</param>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.Wrong"/>, or <see cref="AccountFault.TooManyAttempts"/>.</exception>
    public async Task<AccountToken> SignInAsync(Identity unlocker, AccountNumber? account, ReadOnlyMemory<byte> challenge, ReadOnlyMemory<byte> signature, CancellationToken cancellationToken)
    {
        var proof = Proof(unlocker, challenge, signature) with { Account = account is { } known ? JsonForms.Write(known) : null };
        var answer = await _requests.SendAsync(HttpMethod.Post, "sign-in", Json(proof, AccountJson.Default.ProofJson), null, cancellationToken).ConfigureAwait(false);
        var token = ReadToken(answer);
        return token.Unlocker == unlocker ? token : throw Unexpected();
    }

    /// <summary>What to ask a passkey for, which account it may ever be.</summary>
    public async Task<PasskeyQuestion> PasskeySignInOptionsAsync(CancellationToken cancellationToken)
    {
        var answer = await _requests.SendAsync(HttpMethod.Post, "sign-in/passkey/options", null, null, cancellationToken).ConfigureAwait(false);
        return ReadQuestion(answer);
    }

    /// <param name="credentialJson">The browser's answer as JSON, without the results of extensions: the PRF's output is not for the operator.</param>
    /// <param name="state">Of the question.</param>
    public async Task<AccountToken> SignInWithPasskeyAsync(string credentialJson, string state, CancellationToken cancellationToken)
    {
        var body = new CredentialJson { Credential = ParseCredential(credentialJson), State = state };
        return ReadToken(await _requests.SendAsync(HttpMethod.Post, "sign-in/passkey", Json(body, AccountJson.Default.CredentialJson), null, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What to ask for a new passkey.</summary>
    public async Task<PasskeyQuestion> NewPasskeyOptionsAsync(AccountToken session, string label, CancellationToken cancellationToken)
    {
        var body = new LabelJson { Label = Labels.Cut(label) };
        return ReadQuestion(await _requests.SendAsync(HttpMethod.Post, "passkeys/options", Json(body, AccountJson.Default.LabelJson), session, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The passkey signs in from now on. Its wrap comes by <see cref="PutUnlockerAsync"/>.</summary>
    public async Task AddPasskeyAsync(AccountToken session, Identity unlocker, string credentialJson, string state, CancellationToken cancellationToken)
    {
        var body = new CredentialJson { Unlocker = unlocker.ToString(), Credential = ParseCredential(credentialJson), State = state };
        await _requests.SendAsync(HttpMethod.Post, "passkeys", Json(body, AccountJson.Default.CredentialJson), session, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The account as the operator shows it: of the session's account, and otherwise only claimed.</summary>
    public async Task<AccountListing> ReadAsync(AccountToken session, CancellationToken cancellationToken)
    {
        var answer = await _requests.SendAsync(HttpMethod.Get, "account", null, session, cancellationToken, OperatorRequests.MaxListing).ConfigureAwait(false);
        return AccountListing.Read(answer.Read(AccountJson.Default.ListingJson)) is { } listing && listing.Account == session.Account ? listing : throw Unexpected();
    }

    /// <summary>Adds it, or replaces the wrap of a known one. The same again changes nothing.</summary>
    public Task PutUnlockerAsync(AccountToken session, AccountUnlocker unlocker, CancellationToken cancellationToken) =>
        _requests.SendAsync(HttpMethod.Put, $"account/unlockers/{unlocker.Id}", Json(unlocker.ToJson(), AccountJson.Default.UnlockerJson), session, cancellationToken);

    /// <summary>Removes one that has no wrap. All others end by <see cref="BeginEpochAsync"/>.</summary>
    public Task DeleteUnlockerAsync(AccountToken session, Identity unlocker, CancellationToken cancellationToken) =>
        _requests.SendAsync(HttpMethod.Delete, $"account/unlockers/{unlocker}", null, session, cancellationToken);

    /// <summary>Begins an epoch: unlockers without a wrap end.</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.EpochPassed"/> where it does not follow the operator's newest.</exception>
    public Task BeginEpochAsync(AccountToken session, EpochRecord record, IReadOnlyDictionary<Identity, ReadOnlyMemory<byte>> wraps, CancellationToken cancellationToken)
    {
        var body = new EpochJson { Record = Base64.EncodeUrl(record.Bytes.Span), Wraps = wraps.ToDictionary(wrap => wrap.Key.ToString(), wrap => Base64.EncodeUrl(wrap.Value.Span)) };
        return _requests.SendAsync(HttpMethod.Post, "account/epochs", Json(body, AccountJson.Default.EpochJson), session, cancellationToken);
    }

    /// <summary>Everything of the account goes, for good. The signature is over <see cref="SignInMessage.DeleteAccount"/>.</summary>
    public Task DeleteAccountAsync(AccountToken session, ReadOnlyMemory<byte> challenge, ReadOnlyMemory<byte> signature, CancellationToken cancellationToken) =>
        _requests.SendAsync(HttpMethod.Delete, "account", Json(Proof(session.Unlocker, challenge, signature), AccountJson.Default.ProofJson), session, cancellationToken);

    public Task EndSessionAsync(AccountToken session, CancellationToken cancellationToken) => _requests.SendAsync(HttpMethod.Delete, "session", null, session, cancellationToken);

    /// <summary>Writes a message of a pairing, once (docs/spec/accounts.md, section 5).</summary>
    /// <exception cref="AccountFaultException"><see cref="AccountFault.Taken"/> where somebody else wrote it.</exception>
    public Task PutPairingAsync(string slot, int message, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _requests.SendAsync(HttpMethod.Put, $"pairing/{slot}/{message}", OperatorRequests.Octets(bytes), null, cancellationToken);

    /// <summary>Null while it is not there.</summary>
    public async Task<byte[]?> GetPairingAsync(string slot, int message, CancellationToken cancellationToken)
    {
        try
        {
            return (await _requests.SendAsync(HttpMethod.Get, $"pairing/{slot}/{message}", null, null, cancellationToken, OperatorRequests.MaxPairing).ConfigureAwait(false)).Bytes;
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.NotThere)
        {
            return null;
        }
    }

    private static ProofJson Proof(Identity unlocker, ReadOnlyMemory<byte> challenge, ReadOnlyMemory<byte> signature) =>
        new() { Unlocker = unlocker.ToString(), Challenge = Base64.EncodeUrl(challenge.Span), Signature = Base64.EncodeUrl(signature.Span) };

    private static AccountToken ReadToken(OperatorAnswer answer) => AccountToken.Read(answer.Read(AccountJson.Default.SessionJson)) ?? throw Unexpected();

    private static PasskeyQuestion ReadQuestion(OperatorAnswer answer)
    {
        var json = answer.Read(AccountJson.Default.PasskeyOptionsJson);
        return json.Options.ValueKind is JsonValueKind.Object ? new(json.Options.GetRawText(), json.State) : throw Unexpected();
    }

    // Ours: what the browser gave. Not JSON means a mistake of the program.
    private static JsonElement ParseCredential(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) => OperatorRequests.Typed(JsonSerializer.SerializeToUtf8Bytes(body, type), "application/json");

    private static AccountFaultException Unexpected() => new(AccountFault.Unexpected);
}
