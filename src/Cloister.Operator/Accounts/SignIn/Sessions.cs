using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Changes;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Storage;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>Who asks, as the database knew it when the request came.</summary>
/// <param name="Token">SHA-256 of it.</param>
/// <param name="HeadKey">Of the account's epoch.</param>
internal sealed record SignedIn(byte[] Token, AccountNumber Account, Identity Unlocker, DateTimeOffset Expires, Ed25519PublicKey HeadKey);

/// <summary>Sessions: random tokens, of which the database has the hash. Docs/spec/accounts.md, section 1.</summary>
internal sealed class Sessions(Database database, Feeds feeds, TimeProvider time)
{
    private const int TokenSize = 32;
    private const string Scheme = "Bearer ";
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    // Ours to choose: pages of one browser that are open at once. The one that ends first gives way.
    private const long MaxPerUnlocker = 32;

    // Ours to choose: some hundred bytes each.
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<string, SignedIn> _remembered = new();

    /// <summary>Null where there is no token, or its session ended.</summary>
    public async Task<SignedIn?> FindAsync(HttpRequest request, CancellationToken cancellation) =>
        TryRead(request, out byte[]? token) ? await FindAsync(token, cancellation) : null;

    /// <summary>Whom the database last knew by the token, for who asks it again in any case before anything comes of it: with <see cref="LockAsync"/>.</summary>
    public async Task<SignedIn?> RecallAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (!TryRead(request, out byte[]? token))
        {
            return null;
        }
        string name = Convert.ToHexString(token);
        if (_remembered.TryGetValue(name, out var known) && known.Expires > time.GetUtcNow())
        {
            return known;
        }
        if (await FindAsync(token, cancellation) is not { } found)
        {
            return null;
        }
        if (_remembered.Count >= MaxRemembered)
        {
            _remembered.Clear();
        }
        return _remembered[name] = found;
    }

    /// <summary>The database knew otherwise, or may: the next <see cref="RecallAsync"/> asks it.</summary>
    public void Forget(SignedIn session) => _remembered.TryRemove(Convert.ToHexString(session.Token), out _);

    /// <param name="token">Its hash.</param>
    public Task<SignedIn?> FindAsync(byte[] token, CancellationToken cancellation)
    {
        long now = time.GetUtcNow().ToUnixTimeSeconds();
        return database.ReadAsync(statements => statements.FirstAsync(
            "SELECT s.account, s.unlocker, s.expires, a.head_key FROM sessions s JOIN accounts a ON a.account = s.account WHERE s.token = $1 AND s.expires > $2 AND a.ended = 0",
            row => new SignedIn(token, AccountNumber.Read(Statements.Bytes(row, 0)), Identity.Read(Statements.Bytes(row, 1)), DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(2)), new Ed25519PublicKey(Statements.Bytes(row, 3))),
            token, now), cancellation);
    }

    /// <summary>Takes the account for who is still signed in to it. Everything that a request writes comes after this: its session may have ended since the request began, which its sender can delay for long.</summary>
    /// <returns>Null where the session has ended, or the account.</returns>
    public Task<LockedAccount?> LockAsync(Statements statements, SignedIn session, IReadOnlyList<SealedChange>? changes = null) =>
        statements.LockAsync(session.Account, new Standing(session.Token, time.GetUtcNow().ToUnixTimeSeconds()), changes ?? []);

    /// <summary>The account of who is still signed in to it, for who only reads, at once with what they read: nothing of an account that ended since the request began looks like an account with nothing in it.</summary>
    /// <returns>Null where the session has ended, or the account.</returns>
    public Task<LockedAccount?> AccountAsync(Statements statements, SignedIn session) => statements.FirstAsync(
        $"SELECT {LockedAccount.Columns} FROM accounts WHERE account = (SELECT account FROM sessions WHERE token = $1 AND expires > $2) AND ended = 0", LockedAccount.Read, session.Token, time.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>Begins a session within the account's order: what ended meanwhile signs nobody in.</summary>
    /// <param name="prove">Finds the unlocker that signs in, in the transaction; null where none does.</param>
    public async Task<SessionBody?> BeginAsync(AccountNumber account, Func<Statements, Task<Identity?>> prove, CancellationToken cancellation)
    {
        var (session, gaveWay) = await database.WriteAsync(
            account, async statements => await statements.LockAsync(account) is not null && await prove(statements) is { } unlocker ? await BeginAsync(statements, account, unlocker) : ((SessionBody?)null, false), cancellation);
        if (gaveWay)
        {
            feeds.AskAgain(account);
        }
        return session;
    }

    /// <summary>The same within a transaction that has the account and found the unlocker in it.</summary>
    /// <returns>The session, and whether another one gave way to it.</returns>
    public async Task<(SessionBody Session, bool GaveWay)> BeginAsync(Statements statements, AccountNumber account, Identity unlocker)
    {
        byte[] token = RandomNumberGenerator.GetBytes(TokenSize);
        var expires = time.GetUtcNow() + Lifetime;
        bool gaveWay = await statements.ExecuteAsync(
            "DELETE FROM sessions WHERE token IN (SELECT token FROM sessions WHERE account = $1 AND unlocker = $2 ORDER BY expires DESC LIMIT 1000 OFFSET $3)",
            account.ToArray(), unlocker.ToArray(), MaxPerUnlocker - 1) > 0;
        if (gaveWay)
        {
            await statements.TellEndedAsync(account);
        }
        await statements.ExecuteAsync("INSERT INTO sessions (token, account, unlocker, expires) VALUES ($1, $2, $3, $4)", SHA256.HashData(token), account.ToArray(), unlocker.ToArray(), expires.ToUnixTimeSeconds());
        return (new SessionBody(token, expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), account, unlocker), gaveWay);
    }

    public async Task EndAsync(SignedIn session, CancellationToken cancellation) => await database.WriteAsync(session.Account, async statements =>
    {
        await statements.ExecuteAsync("DELETE FROM sessions WHERE token = $1", session.Token);
        await statements.TellEndedAsync(session.Account);
        return true;
    }, cancellation);

    /// <param name="token">Its hash.</param>
    private static bool TryRead(HttpRequest request, [NotNullWhen(true)] out byte[]? token)
    {
        byte[]? bytes = null;
        bool read = request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && Base64.TryDecodeUrl(header.AsSpan(Scheme.Length), out bytes) && bytes.Length == TokenSize;
        token = read ? SHA256.HashData(bytes!) : null;
        return read;
    }
}
