using Cloister.Ledger;

namespace Cloister.Operator.Accounts.Changes;

/// <summary>What there is to say to one listener. It holds no queue: a head that is followed by another is not said.</summary>
/// <param name="Head">The newest sequence to say; null where it was said.</param>
/// <param name="Comment">A sign of life is due.</param>
/// <param name="AskAgain">The session may have ended.</param>
/// <param name="End">It has.</param>
internal readonly record struct Due(ulong? Head, bool Comment, bool AskAgain, bool End);

/// <summary>One listener to an account's heads.</summary>
internal sealed class Feed(AccountNumber account, byte[] session, DateTimeOffset expires, uint turn)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _waiting;
    private ulong _newest;
    private ulong? _said;
    private bool _comment, _askAgain, _ended;

    public AccountNumber Account => account;

    public byte[] Session => session;

    public DateTimeOffset Expires => expires;

    /// <summary>In which second of its round the listener gets its comment.</summary>
    public uint Turn => turn;

    /// <summary>The newest sequence that it was told of.</summary>
    public ulong Newest
    {
        get
        {
            lock (_lock)
            {
                return _newest;
            }
        }
    }

    public void Tell(ulong sequence) => Wake(() => _newest = Math.Max(_newest, sequence));

    public void Comment() => Wake(() => _comment = true);

    public void AskAgain() => Wake(() => _askAgain = true);

    public void End() => Wake(() => _ended = true);

    /// <summary>What is due, as soon as anything is. For one reader. The first time the newest head is due at once, 0 where there is none.</summary>
    public async ValueTask<Due> NextAsync()
    {
        while (true)
        {
            Task waiting;
            lock (_lock)
            {
                var due = new Due(_said is { } said && said >= _newest ? null : _newest, _comment, _askAgain, _ended);
                if (due is { Head: not null } or { Comment: true } or { AskAgain: true } or { End: true })
                {
                    (_said, _comment, _askAgain) = (_newest, false, false);
                    return due;
                }
                waiting = (_waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await waiting;
        }
    }

    private void Wake(Action change)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            change();
            (waiting, _waiting) = (_waiting, null);
        }
        waiting?.TrySetResult();
    }
}
