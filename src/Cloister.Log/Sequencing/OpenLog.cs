using Cloister.Log.Queue;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>A log's writer with what belongs to it, from one opening to the next fault.</summary>
internal sealed record OpenLog(LogWriter Writer, RecentEntries Recent, ITileStore Store) : IAsyncDisposable
{
    /// <summary>Opens a log on a queue and a store, which are its own from here on, whatever happens.</summary>
    public static async Task<OpenLog> OpenAsync(SignerKey key, Func<IPendingQueue> openQueue, Func<ITileStore> openStore, CancellationToken cancellation)
    {
        var queue = openQueue();
        ITileStore? store = null;
        try
        {
            store = openStore();
            var writer = await LogWriter.OpenAsync(key, queue, store, cancellation);
            return new(writer, await RecentEntries.ReadAsync(store, writer.Size, cancellation), store);
        }
        catch
        {
            store?.Dispose();
            await queue.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => Writer.DisposeAsync();
}
