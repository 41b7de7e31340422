using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Accounts;

/// <summary>Speaks for one unlocker at the operator, and signs in again by itself whenever its token has run out. Many requests at once, but for the one that ends it.</summary>
/// <param name="accounts">Where.</param>
/// <param name="account">Whose: a session of another account is refused.</param>
/// <param name="unlocker">Its identity.</param>
/// <param name="secret">Its secret, which signs. Is not disposed.</param>
public sealed class AccountSession(OperatorAccounts accounts, AccountNumber account, Identity unlocker, UnlockerSecret secret) : IDisposable
{
    // Ours to choose: more than a device ever makes.
    private const int Places = 32;

    private readonly SemaphoreSlim _signingIn = new(1, 1);
    private readonly SemaphoreSlim _places = new(Places, Places); // a request has one, the one that leaves has all
    private readonly SemaphoreSlim _leaving = new(1, 1);

    // Written under the semaphore.
    private volatile AccountToken? _token;

    private volatile bool _hasLeft;

    public OperatorAccounts Accounts => accounts;

    public AccountNumber Account => account;

    public Identity Unlocker => unlocker;

    /// <summary>Makes a request with a token that is good, and once more with a new one where the operator no longer knew it.</summary>
    /// <exception cref="AccountEndedException">The unlocker signs in no longer: it was removed, or left, or the account was deleted.</exception>
    /// <exception cref="AccountFaultException">The request's own fault, or too many attempts.</exception>
    /// <exception cref="OperatorUnreachableException">Nobody answers.</exception>
    public async Task<T> UseAsync<T>(Func<AccountToken, Task<T>> request, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RequestAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <inheritdoc cref="UseAsync{T}"/>
    public Task UseAsync(Func<AccountToken, Task> request, CancellationToken cancellationToken) =>
        UseAsync(async token =>
        {
            await request(token).ConfigureAwait(false);
            return true;
        }, cancellationToken);

    /// <summary>Ends the session at the operator, where there is one.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (_token is { } token)
        {
            _token = null;
            await accounts.EndSessionAsync(token, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Makes the request that ends this unlocker or its account, alone: those under way are answered first, and those that come later are not made any more, because their answer is known. Where it
    /// throws, the session goes on.
    /// </summary>
    /// <inheritdoc cref="UseAsync{T}"/>
    public async Task LeaveAsync(Func<AccountToken, Task> request, CancellationToken cancellationToken)
    {
        int taken = 0;
        await _leaving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (; taken < Places; taken++)
            {
                await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            _hasLeft = await RequestAsync(async token =>
            {
                await request(token).ConfigureAwait(false);
                return true;
            }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (taken > 0)
            {
                _places.Release(taken);
            }
            _leaving.Release();
        }
    }

    public void Dispose()
    {
        _signingIn.Dispose();
        _leaving.Dispose();
    }

    private async Task<T> RequestAsync<T>(Func<AccountToken, Task<T>> request, CancellationToken cancellationToken)
    {
        var token = await TokenAsync(null, cancellationToken).ConfigureAwait(false);
        try
        {
            return await request(token).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.SessionEnded)
        {
            return await request(await TokenAsync(token, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    // One signs in, the others wait for it: a token that somebody else has replaced already is not replaced again.
    private async Task<AccountToken> TokenAsync(AccountToken? ended, CancellationToken cancellationToken)
    {
        if (_hasLeft)
        {
            throw new AccountEndedException("This device left the account.");
        }
        if (_token is { } good && good != ended)
        {
            return good;
        }
        await _signingIn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _token is { } other && other != ended ? other : _token = await SignInAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.Wrong)
        {
            throw new AccountEndedException("This device was removed from the account, or the account was deleted.", fault);
        }
        finally
        {
            _signingIn.Release();
        }
    }

    private async Task<AccountToken> SignInAsync(CancellationToken cancellationToken)
    {
        var token = await SignInAsync(accounts, account, new(unlocker, secret), cancellationToken).ConfigureAwait(false);
        return token.Account == account ? token : throw new AccountFaultException(AccountFault.Unexpected);
    }

    /// <param name="account">Of no matter to the key that signs: words and shares do not know it, and it is the default then.</param>
    internal static async Task<AccountToken> SignInAsync(OperatorAccounts accounts, AccountNumber account, ShownUnlocker shown, CancellationToken cancellationToken)
    {
        byte[] challenge = await accounts.ChallengeAsync(cancellationToken).ConfigureAwait(false);
        byte[] signature = await shown.Secret.SignAsync(account, SignInMessage.SignIn(shown.Unlocker, challenge)).ConfigureAwait(false);
        return await accounts.SignInAsync(shown.Unlocker, account == default ? null : account, challenge, signature, cancellationToken).ConfigureAwait(false);
    }
}
