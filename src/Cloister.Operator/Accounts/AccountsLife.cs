using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts;

/// <summary>The database's life within the program's: nothing is served before it is open, and what is over is swept out of it.</summary>
internal sealed class AccountsLife(AccountRoom room, IHostApplicationLifetime lifetime) : IHostedLifecycleService, IAsyncDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private Task _sweeping = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await room.Database.OpenAsync(cancellationToken);
        lifetime.ApplicationStopping.Register(room.Feeds.EndAll);
        _sweeping = Task.Run(SweepAlwaysAsync, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sweeping;
        _stop.Dispose();
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task SweepAlwaysAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Sweep.OverdueAsync(room.Database, room.Time.GetUtcNow(), _stop.Token);
                await Sweep.EndedAccountsAsync(room.Database, _stop.Token);
            }
            catch (Exception fault) when (Database.IsFault(fault) || fault is OperationCanceledException)
            {
                // Next time.
            }
            await Task.WhenAny(Task.Delay(SweepEvery, room.Time, _stop.Token));
        }
    }
}
