using Cloister.Client.History;

namespace Cloister.Client.Tests.Accounts;

/// <summary>A store whose one table takes no more writes.</summary>
internal sealed class BrokenStore(DeviceStore store, StoreTable broken) : DeviceStore
{
    public bool IsDisposed { get; private set; }

    public override ValueTask<byte[]?> GetAsync(StoreTable table, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => store.GetAsync(table, key, cancellationToken);

    public override ValueTask<IReadOnlyList<StoreRow>> ReadRangeAsync(StoreTable table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to, int limit, CancellationToken cancellationToken) =>
        store.ReadRangeAsync(table, from, to, limit, cancellationToken);

    public override ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, CancellationToken cancellationToken) =>
        writes.Any(write => write.Action is StoreAction.Put && write.Table == broken) ? throw new StoreFailedException("The disk is full.") : store.WriteAsync(writes, cancellationToken);

    public override ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return store.DisposeAsync();
    }
}
