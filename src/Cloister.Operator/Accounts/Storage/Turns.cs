using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>A few at once for each account; the others wait here, and not with what everybody needs in their hands.</summary>
internal sealed class Turns(int atOnce)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AccountNumber, Queue> _accounts = [];

    public async Task<T> TakeAsync<T>(AccountNumber account, Func<Task<T>> work, CancellationToken cancellation)
    {
        var queue = Join(account);
        try
        {
            await queue.Free.WaitAsync(cancellation);
            try
            {
                return await work();
            }
            finally
            {
                queue.Free.Release();
            }
        }
        finally
        {
            Leave(account, queue);
        }
    }

    private Queue Join(AccountNumber account)
    {
        lock (_lock)
        {
            if (!_accounts.TryGetValue(account, out var queue))
            {
                _accounts[account] = queue = new Queue(new SemaphoreSlim(atOnce));
            }
            queue.Members++;
            return queue;
        }
    }

    private void Leave(AccountNumber account, Queue queue)
    {
        lock (_lock)
        {
            if (--queue.Members == 0)
            {
                _accounts.Remove(account);
                queue.Free.Dispose();
            }
        }
    }

    private sealed class Queue(SemaphoreSlim free)
    {
        public SemaphoreSlim Free => free;

        public int Members { get; set; }
    }
}
