namespace Cloister.Web.Accounts;

/// <summary>A screen that waits for another device or for a passkey, and no longer than it is shown.</summary>
public abstract class WaitingStep : AccountStep, IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private CancellationTokenSource? _asking;

    protected WaitingStep() => Ending = _ending.Token;

    /// <summary>Cancelled when the screen is left.</summary>
    protected CancellationToken Ending { get; }

    /// <summary>Whether a passkey is being waited for.</summary>
    protected bool IsAsking => _asking is not null;

    public virtual async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _ending.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits for a passkey, until its user does not want to, or leaves the screen.</summary>
    protected async Task AskAsync(Func<CancellationToken, Task> ask)
    {
        using var asking = _asking = CancellationTokenSource.CreateLinkedTokenSource(Ending);
        try
        {
            await ask(asking.Token);
        }
        finally
        {
            _asking = null;
        }
    }

    protected void StopAsking() => _asking?.Cancel();
}
