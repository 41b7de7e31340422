namespace Cloister.Client.History;

/// <summary>
/// Where a device keeps a history: a durable key-value store, ordered by key as bytes are, whose writes are taken whole or not at all (docs/spec/vault.md,
/// section 9). SQLite on disk, IndexedDB in a browser. What is in it is sealed, but for the names, versions and sizes of items and which conversation they belong to.
/// </summary>
/// <remarks>
/// Several programs, or several tabs, may have one store open: every batch of <see cref="UserHistory"/> begins with an expectation
/// (<see cref="StoreWrite.Expect"/>), so the store must compare and write in one transaction that excludes others. Members may be called from several threads.
/// </remarks>
public abstract class DeviceStore : IAsyncDisposable
{
    /// <summary>The value, or null where there is none.</summary>
    public abstract ValueTask<byte[]?> GetAsync(StoreTable table, ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>The values of <paramref name="keys"/>, in their order, null where there is none: what a browser does in one transaction.</summary>
    public virtual async ValueTask<byte[]?[]> GetAllAsync(StoreTable table, IReadOnlyList<ReadOnlyMemory<byte>> keys, CancellationToken cancellationToken)
    {
        byte[]?[] values = new byte[]?[keys.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = await GetAsync(table, keys[i], cancellationToken).ConfigureAwait(false);
        }
        return values;
    }

    /// <summary>In order of their keys, those from <paramref name="from"/> on that are before <paramref name="to"/>, at most <paramref name="limit"/>. An empty <paramref name="to"/>: to the end.</summary>
    public abstract ValueTask<IReadOnlyList<StoreRow>> ReadRangeAsync(StoreTable table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Writes all of it or nothing, in order. When this returns, it is there after a crash and a power cut as well. When it throws, nothing was written, or, where the store
    /// cannot know, all of it: the next expectation tells.
    /// </summary>
    /// <exception cref="StoreConflictException">An expectation does not hold: another program wrote. Nothing was written.</exception>
    /// <exception cref="StoreFailedException">The disk is full or broken, or the browser's quota is spent.</exception>
    public abstract ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, CancellationToken cancellationToken);

    /// <summary>Lets go of the store. What was written stays.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The tables of a device's store. The numbers are stored: a new table takes a new number.</summary>
public enum StoreTable : byte
{
    /// <summary>What there is one of: the format, the account, the accepted head, the turn.</summary>
    Meta = 0,
    /// <summary>Items that live, sealed, by conversation and item.</summary>
    Items = 1,
    /// <summary>Every item, tombstones too: its version, hash and conversation. What the tree of section 7 is made of.</summary>
    Leaves = 2,
    /// <summary>What was fetched and is not verified yet.</summary>
    Staged = 3,
    /// <summary>What was made here and is not known to be taken, sealed.</summary>
    Outbox = 4,
    /// <summary>What was derived, and can be thrown away.</summary>
    Index = 5,
    /// <summary>Parts of attachments, sealed.</summary>
    Attachments = 6,
}

/// <summary>A key with its value.</summary>
public readonly record struct StoreRow(byte[] Key, byte[] Value);

/// <summary>What a write does.</summary>
public enum StoreAction : byte
{
    None = 0,
    /// <summary>Puts the value in place of whatever is there.</summary>
    Put = 1,
    /// <summary>Removes the key where it is there.</summary>
    Delete = 2,
    /// <summary>Removes the keys from <see cref="StoreWrite.Key"/> on that are before <see cref="StoreWrite.Value"/>; to the end where that is empty.</summary>
    DeleteRange = 3,
    /// <summary>Refuses the whole batch unless the value is this one; null: unless there is none.</summary>
    Expect = 4,
}

/// <summary>One write of a batch.</summary>
/// <param name="Action">What it does.</param>
/// <param name="Table">Where.</param>
/// <param name="Key">At most 64 bytes, not empty but for the beginning of a range.</param>
/// <param name="Value">What <paramref name="Action"/> says of it.</param>
public sealed record StoreWrite(StoreAction Action, StoreTable Table, byte[] Key, byte[]? Value)
{
    public static StoreWrite Put(StoreTable table, byte[] key, byte[] value) => new(StoreAction.Put, table, key, value);

    public static StoreWrite Delete(StoreTable table, byte[] key) => new(StoreAction.Delete, table, key, null);

    public static StoreWrite DeleteRange(StoreTable table, byte[] from, byte[] to) => new(StoreAction.DeleteRange, table, from, to);

    public static StoreWrite Expect(StoreTable table, byte[] key, byte[]? value) => new(StoreAction.Expect, table, key, value);
}

/// <summary>Another program wrote to the store since it was read. Nothing was written.</summary>
public sealed class StoreConflictException(Exception? inner = null) : IOException("Another program wrote to this device's store.", inner);

/// <summary>The store could not be read or written: the disk is full or broken, or the browser gives no more room. What was confirmed before is still there.</summary>
public sealed class StoreFailedException(string message, Exception? inner = null) : IOException(message, inner);
