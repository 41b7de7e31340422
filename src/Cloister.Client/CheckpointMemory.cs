namespace Cloister.Client;

/// <summary>
/// Where a device keeps the largest checkpoint of the log that it accepted, so that nobody can show it an older log or another one. The text is public; what
/// matters is that nobody but the user can take it away.
/// </summary>
public abstract class CheckpointMemory
{
    /// <summary>What <see cref="SaveAsync"/> was given last; null where that was never.</summary>
    public abstract ValueTask<string?> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Keeps the text: when this returns, it is there after a crash too.</summary>
    public abstract ValueTask SaveAsync(string text, CancellationToken cancellationToken);

    /// <summary>Remembers for as long as the program runs.</summary>
    public static CheckpointMemory ForThisRun() => new Volatile();

    private sealed class Volatile : CheckpointMemory
    {
        private string? _text;

        public override ValueTask<string?> LoadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_text);

        public override ValueTask SaveAsync(string text, CancellationToken cancellationToken)
        {
            _text = text;
            return ValueTask.CompletedTask;
        }
    }
}
