using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Http;

/// <summary>What this process has in its hands for requests that are not over: how many of each account, and the bytes of their bodies and answers. Docs/spec/accounts.md, section 7.</summary>
/// <param name="most">Bytes for everybody together.</param>
internal sealed class InFlight(long most)
{
    /// <summary>Bytes of a body or an answer that are not counted: a connection takes as much by itself.</summary>
    public const int Small = 64 << 10;

    // Docs/spec/accounts.md, section 7.
    private const int MaxRequests = 64;
    private const long MaxBytes = 64 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<AccountNumber, (int Requests, long Bytes)> _accounts = [];
    private readonly long _most = most;
    private long _bytes;

    /// <summary>A quarter of the memory that the process may have: what is counted once may be there twice while it is copied.</summary>
    public static long Usual => Math.Max(MaxBytes * 2, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>That are counted now.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    private static Answer Busy => Answer.Refuse(StatusCodes.Status503ServiceUnavailable, "unavailable", "The operator has its hands full now.") with { RetryAfterSeconds = 1 };

    private static Answer TooMuch => Answer.Refuse(StatusCodes.Status429TooManyRequests, "too_many", "The account has too many requests at once.") with { RetryAfterSeconds = 1 };

    /// <summary>A request's share of it, until it is disposed.</summary>
    public sealed class Share(InFlight all) : IDisposable
    {
        private AccountNumber? _account;
        private long _bytes;

        /// <summary>It is a request of that account.</summary>
        /// <returns>How it is refused; null where it is not.</returns>
        public Answer? Enter(AccountNumber account)
        {
            lock (all._lock)
            {
                var (requests, bytes) = all._accounts.GetValueOrDefault(account);
                if (requests >= MaxRequests)
                {
                    return TooMuch;
                }
                all._accounts[account] = (requests + 1, bytes);
                _account = account;
            }
            return null;
        }

        /// <summary>How it would be refused that many bytes more; null where it would not.</summary>
        public Answer? Refusal(long bytes)
        {
            lock (all._lock)
            {
                long held = _account is { } account ? all._accounts[account].Bytes : 0;
                return held + bytes > MaxBytes ? TooMuch : all._bytes + bytes > all._most ? Busy : null;
            }
        }

        /// <summary>It has that many bytes more.</summary>
        /// <returns>How it is refused; null where it is not.</returns>
        public Answer? Hold(long bytes)
        {
            lock (all._lock)
            {
                if (Refusal(bytes) is { } refusal)
                {
                    return refusal;
                }
                if (_account is { } account)
                {
                    var held = all._accounts[account];
                    all._accounts[account] = held with { Bytes = held.Bytes + bytes };
                }
                all._bytes += bytes;
                _bytes += bytes;
            }
            return null;
        }

        public void Dispose()
        {
            lock (all._lock)
            {
                all._bytes -= _bytes;
                if (_account is { } account)
                {
                    var (requests, bytes) = all._accounts[account];
                    if (requests == 1)
                    {
                        all._accounts.Remove(account);
                    }
                    else
                    {
                        all._accounts[account] = (requests - 1, bytes - _bytes);
                    }
                }
                (_account, _bytes) = (null, 0);
            }
        }
    }
}
