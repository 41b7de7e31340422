using Cloister.Client.History;

namespace Cloister.Testing.Vaults;

/// <summary>What happens at a write.</summary>
public enum WriteFate
{
    Done,
    /// <summary>The program dies before anything is written.</summary>
    DiesBefore,
    /// <summary>The program dies after everything is written and before it hears of it.</summary>
    DiesAfter,
    /// <summary>The disk is full: nothing is written.</summary>
    Full,
    /// <summary>Everything is written and the store says that it failed.</summary>
    DoneAndDenied,
}

/// <summary>The program died. Nothing catches it but the test.</summary>
public sealed class CrashException : Exception;

/// <summary>What stays of a device's store when its program dies; several stores may be open on it.</summary>
public sealed class MemoryDisk
{
    private readonly Lock _gate = new();
    private readonly SortedList<byte[], byte[]>[] _tables = [.. Enum.GetValues<StoreTable>().Select(_ => new SortedList<byte[], byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))))];

    /// <summary>Asked at each write of any store on it.</summary>
    public Func<WriteFate> Fate { get; set; } = () => WriteFate.Done;

    /// <summary>Writes that were tried.</summary>
    public int Writes { get; private set; }

    public MemoryDeviceStore Open() => new(this);

    public int Count(StoreTable table) => _tables[(int)table].Count;

    /// <summary>A browser takes everything away.</summary>
    public void Evict()
    {
        foreach (var table in _tables)
        {
            table.Clear();
        }
    }

    /// <summary>What was derived is thrown away.</summary>
    public void ForgetIndex() => _tables[(int)StoreTable.Index].Clear();

    internal byte[]? Get(StoreTable table, byte[] key)
    {
        lock (_gate)
        {
            return _tables[(int)table].GetValueOrDefault(key);
        }
    }

    internal List<StoreRow> Read(StoreTable table, byte[] from, byte[] to, int limit)
    {
        lock (_gate)
        {
            var rows = _tables[(int)table];
            var read = new List<StoreRow>();
            for (int at = LowerBound(rows, from); at < rows.Count && read.Count < limit && (to.Length == 0 || rows.Keys[at].AsSpan().SequenceCompareTo(to) < 0); at++)
            {
                read.Add(new(rows.Keys[at], rows.Values[at]));
            }
            return read;
        }
    }

    internal void Write(IReadOnlyList<StoreWrite> writes)
    {
        var fate = Fate();
        lock (_gate)
        {
            Writes++;
            if (writes.Any(write => write.Action is StoreAction.Expect && !Holds(write)))
            {
                throw new StoreConflictException();
            }
            if (fate is WriteFate.Done or WriteFate.DiesAfter or WriteFate.DoneAndDenied)
            {
                foreach (var write in writes)
                {
                    Apply(write);
                }
            }
        }
        switch (fate)
        {
            case WriteFate.DiesBefore or WriteFate.DiesAfter:
                throw new CrashException();
            case WriteFate.Full or WriteFate.DoneAndDenied:
                throw new StoreFailedException("The disk is full.");
        }
    }

    private bool Holds(StoreWrite write)
    {
        byte[]? there = _tables[(int)write.Table].GetValueOrDefault(write.Key);
        return there is null ? write.Value is null : write.Value is not null && there.AsSpan().SequenceEqual(write.Value);
    }

    private void Apply(StoreWrite write)
    {
        var rows = _tables[(int)write.Table];
        switch (write.Action)
        {
            case StoreAction.Put:
                rows[write.Key] = write.Value!;
                break;
            case StoreAction.Delete:
                rows.Remove(write.Key);
                break;
            case StoreAction.DeleteRange:
                int first = LowerBound(rows, write.Key);
                for (int last = (write.Value!.Length == 0 ? rows.Count : LowerBound(rows, write.Value)) - 1; last >= first; last--)
                {
                    rows.RemoveAt(last);
                }
                break;
        }
    }

    private static int LowerBound(SortedList<byte[], byte[]> rows, byte[] key)
    {
        int low = 0;
        for (int high = rows.Count; low < high;)
        {
            int middle = (low + high) / 2;
            (low, high) = rows.Keys[middle].AsSpan().SequenceCompareTo(key) < 0 ? (middle + 1, high) : (low, middle);
        }
        return low;
    }
}

/// <summary>A device's store in memory, on a disk that outlives it.</summary>
public sealed class MemoryDeviceStore(MemoryDisk disk) : DeviceStore
{
    public override ValueTask<byte[]?> GetAsync(StoreTable table, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => new(disk.Get(table, key.ToArray()));

    public override ValueTask<IReadOnlyList<StoreRow>> ReadRangeAsync(StoreTable table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to, int limit, CancellationToken cancellationToken) =>
        new(disk.Read(table, from.ToArray(), to.ToArray(), limit));

    public override ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, CancellationToken cancellationToken)
    {
        disk.Write(writes);
        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
