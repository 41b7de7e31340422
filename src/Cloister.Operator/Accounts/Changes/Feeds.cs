using System.Collections.Concurrent;
using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Changes;

/// <summary>Everybody of this process who listens to an account's heads. One clock for all of them.</summary>
internal sealed class Feeds : IDisposable
{
    // Docs/spec/accounts.md, section 3.
    private const int SecondsBetweenComments = 20;

    // Docs/spec/accounts.md, section 7.
    private const int MaxPerAccount = 64;

    private readonly ConcurrentDictionary<Feed, byte> _all = [];
    private readonly ConcurrentDictionary<AccountNumber, Feed[]> _byAccount = [];
    private readonly TimeProvider _time;
    private readonly ITimer _clock;
    private uint _next;
    private uint _second;

    public Feeds(TimeProvider time)
    {
        _time = time;
        _clock = time.CreateTimer(static feeds => ((Feeds)feeds!).Tick(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    public int Count => _all.Count;

    /// <param name="session">The hash of its token.</param>
    /// <param name="expires">When the session ends, and the feed with it.</param>
    /// <returns>Null where the account has as many as it may.</returns>
    public Feed? Join(AccountNumber account, byte[] session, DateTimeOffset expires)
    {
        var feed = new Feed(account, session, expires, Interlocked.Increment(ref _next) % SecondsBetweenComments);
        while (!_byAccount.TryAdd(account, [feed]))
        {
            if (!_byAccount.TryGetValue(account, out var others))
            {
                continue;
            }
            if (others.Length >= MaxPerAccount)
            {
                return null;
            }
            if (_byAccount.TryUpdate(account, [.. others, feed], others))
            {
                break;
            }
        }
        _all.TryAdd(feed, 0);
        return feed;
    }

    public void Leave(Feed feed)
    {
        _all.TryRemove(feed, out _);
        while (_byAccount.TryGetValue(feed.Account, out var feeds))
        {
            Feed[] left = [.. feeds.Where(other => other != feed)];
            if (left.Length == 0 ? _byAccount.TryRemove(new(feed.Account, feeds)) : _byAccount.TryUpdate(feed.Account, left, feeds))
            {
                break;
            }
        }
    }

    public IEnumerable<Feed> Listening() => _all.Keys;

    public IReadOnlyList<Feed> ListeningTo(AccountNumber account) => _byAccount.GetValueOrDefault(account) ?? [];

    /// <summary>The account has a head of this sequence.</summary>
    public void Tell(AccountNumber account, ulong sequence)
    {
        foreach (var feed in ListeningTo(account))
        {
            feed.Tell(sequence);
        }
    }

    /// <summary>Sessions of the account ended: each of its feeds asks whether its own did.</summary>
    public void AskAgain(AccountNumber account)
    {
        foreach (var feed in ListeningTo(account))
        {
            feed.AskAgain();
        }
    }

    public void EndAll()
    {
        foreach (var feed in _all.Keys)
        {
            feed.End();
        }
    }

    public void Dispose() => _clock.Dispose();

    private void Tick()
    {
        uint turn = unchecked(_second++) % SecondsBetweenComments;
        var now = _time.GetUtcNow();
        foreach (var feed in _all.Keys)
        {
            if (feed.Expires <= now)
            {
                feed.End();
            }
            else if (feed.Turn == turn)
            {
                feed.Comment();
            }
        }
    }
}
