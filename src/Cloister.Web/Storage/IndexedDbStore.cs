using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices.JavaScript;
using Cloister.Client.History;

namespace Cloister.Web.Storage;

/// <summary>
/// A device's store in the browser's IndexedDB, for this origin. Its transactions are taken whole, exclude other tabs, and are on the disk when they end, as far as the browser keeps its word
/// (<c>durability: "strict"</c>). The browser may evict all of it at once: then the device fetches its history again.
/// </summary>
internal sealed class IndexedDbStore : DeviceStore
{
    private readonly JSObject _store;

    private IndexedDbStore(JSObject store) => _store = store;

    /// <exception cref="StoreFailedException">The browser opens none, as in some private windows.</exception>
    public static async Task<IndexedDbStore> OpenAsync()
    {
        return new(await OpenDatabaseAsync());
    }

    internal static async Task<JSObject> OpenDatabaseAsync()
    {
        await StoreModule.ImportAsync();
        try
        {
            return await StoreModule.OpenAsync("cloister");
        }
        catch (JSException fault)
        {
            throw new StoreFailedException(fault.Message, fault);
        }
    }

    public override async ValueTask<byte[]?> GetAsync(StoreTable table, ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => (await GetAllAsync(table, [key], cancellationToken))[0];

    public override async ValueTask<byte[]?[]> GetAllAsync(StoreTable table, IReadOnlyList<ReadOnlyMemory<byte>> keys, CancellationToken cancellationToken)
    {
        using var packed = new MemoryStream();
        foreach (var key in keys)
        {
            WriteKey(packed, key.Span);
        }
        byte[] rows = await AskAsync(() => StoreModule.ReadAsync(_store, Name(table), packed.ToArray()));
        byte[]?[] values = new byte[]?[keys.Count];
        for (int i = 0, at = 0; i < values.Length; i++)
        {
            int length = (int)BinaryPrimitives.ReadUInt32BigEndian(rows.AsSpan(at + 1));
            values[i] = rows[at] == 0 ? null : rows.AsSpan(at + 5, length).ToArray();
            at += 5 + length;
        }
        return values;
    }

    public override async ValueTask<IReadOnlyList<StoreRow>> ReadRangeAsync(StoreTable table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to, int limit, CancellationToken cancellationToken)
    {
        byte[] packed = await AskAsync(() => StoreModule.RangeAsync(_store, Name(table), from.ToArray(), to.ToArray(), limit));
        var rows = new List<StoreRow>();
        for (int at = 0; at < packed.Length;)
        {
            int key = BinaryPrimitives.ReadUInt16BigEndian(packed.AsSpan(at));
            int value = (int)BinaryPrimitives.ReadUInt32BigEndian(packed.AsSpan(at + 2 + key));
            rows.Add(new(packed.AsSpan(at + 2, key).ToArray(), packed.AsSpan(at + 6 + key, value).ToArray()));
            at += 6 + key + value;
        }
        return rows;
    }

    public override async ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, CancellationToken cancellationToken)
    {
        using var packed = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(uint)];
        foreach (var write in writes)
        {
            packed.WriteByte((byte)write.Action);
            packed.WriteByte((byte)write.Table);
            WriteKey(packed, write.Key);
            packed.WriteByte(write.Value is null ? (byte)0 : (byte)1);
            BinaryPrimitives.WriteUInt32BigEndian(length, (uint)(write.Value?.Length ?? 0));
            packed.Write(length);
            packed.Write(write.Value);
        }
        switch (await StoreModule.WriteAsync(_store, packed.ToArray()))
        {
            case "":
                return;
            case "conflict":
                throw new StoreConflictException();
            case "full":
                throw new StoreFailedException("The browser gives this page no more room.");
            default:
                throw new StoreFailedException("The browser did not write what it was given.");
        }
    }

    public override ValueTask DisposeAsync()
    {
        if (!_store.IsDisposed)
        {
            StoreModule.Close(_store);
            _store.Dispose();
        }
        return ValueTask.CompletedTask;
    }

    private static string Name(StoreTable table) => ((byte)table).ToString(CultureInfo.InvariantCulture);

    private static async Task<byte[]> AskAsync(Func<Task<JSObject>> ask)
    {
        try
        {
            using var answer = await ask();
            return answer.GetPropertyAsByteArray("bytes") ?? [];
        }
        catch (JSException fault)
        {
            throw new StoreFailedException("The browser's storage cannot be read.", fault);
        }
    }

    private static void WriteKey(MemoryStream packed, ReadOnlySpan<byte> key)
    {
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)key.Length);
        packed.Write(length);
        packed.Write(key);
    }
}
