using Cloister.Client.History;
using Cloister.Client.Sqlite;
using Cloister.Testing.Vaults;

namespace Cloister.Client.Tests.History;

/// <summary>What every store promises, of the one on disk and of the one that the other tests believe.</summary>
public sealed class DeviceStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_is_taken_whole_or_not_at_all(bool onDisk)
    {
        await using var store = Open(onDisk);
        await store.WriteAsync([Put(1, 10), Put(2, 20)], default);
        await Assert.ThrowsAsync<StoreConflictException>(() => store.WriteAsync([Put(1, 11), StoreWrite.Expect(StoreTable.Items, [2], [21]), Put(3, 30)], default).AsTask());
        Assert.Equal([10], (await store.GetAsync(StoreTable.Items, new byte[] { 1 }, default))!);
        Assert.Null(await store.GetAsync(StoreTable.Items, new byte[] { 3 }, default));
        await Assert.ThrowsAsync<StoreConflictException>(() => store.WriteAsync([StoreWrite.Expect(StoreTable.Items, [2], null)], default).AsTask());
        await Assert.ThrowsAsync<StoreConflictException>(() => store.WriteAsync([StoreWrite.Expect(StoreTable.Items, [9], [])], default).AsTask());
        await store.WriteAsync([StoreWrite.Expect(StoreTable.Items, [2], [20]), StoreWrite.Expect(StoreTable.Items, [9], null), StoreWrite.Delete(StoreTable.Items, [1])], default);
        Assert.Null(await store.GetAsync(StoreTable.Items, new byte[] { 1 }, default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ranges_are_in_the_order_of_bytes(bool onDisk)
    {
        await using var store = Open(onDisk);
        byte[][] keys = [[1], [1, 0], [1, 255], [2], [128, 1], [255], [255, 255]];
        await store.WriteAsync([.. keys.Reverse().Select(key => StoreWrite.Put(StoreTable.Items, key, key)), StoreWrite.Put(StoreTable.Leaves, [1], [1])], default);
        Assert.Equal(keys, (await store.ReadRangeAsync(StoreTable.Items, default, default, 100, default)).Select(row => row.Key));
        Assert.Equal(keys[1..4], (await store.ReadRangeAsync(StoreTable.Items, new byte[] { 1, 0 }, new byte[] { 128 }, 100, default)).Select(row => row.Key));
        Assert.Equal(keys[2..4], (await store.ReadRangeAsync(StoreTable.Items, new byte[] { 1, 1 }, default, 2, default)).Select(row => row.Key));
        await store.WriteAsync([StoreWrite.DeleteRange(StoreTable.Items, [1, 0], [2])], default);
        Assert.Equal([keys[0], .. keys[3..]], (await store.ReadRangeAsync(StoreTable.Items, default, default, 100, default)).Select(row => row.Key));
        await store.WriteAsync([StoreWrite.DeleteRange(StoreTable.Items, [128], [])], default);
        Assert.Equal([[1], [2]], (await store.ReadRangeAsync(StoreTable.Items, default, default, 100, default)).Select(row => row.Key));
        byte[]?[] both = await store.GetAllAsync(StoreTable.Items, [new byte[] { 2 }, new byte[] { 3 }], default);
        Assert.Equal([2], both[0]!);
        Assert.Null(both[1]);
    }

    [Fact]
    public async Task The_file_is_this_users_alone_and_holds_what_was_written()
    {
        string path = Path.Combine(_folder, "history.sqlite");
        await using (var store = SqliteDeviceStore.Open(path))
        {
            await store.WriteAsync([Put(1, 10)], default);
            foreach (string file in Directory.GetFiles(_folder))
            {
                Assert.True(OperatingSystem.IsWindows() || (File.GetUnixFileMode(file) is var mode && mode == (UnixFileMode.UserRead | UnixFileMode.UserWrite)), file);
            }
            await using var second = SqliteDeviceStore.Open(path);
            Assert.Equal([10], (await second.GetAsync(StoreTable.Items, new byte[] { 1 }, default))!);
        }
        await using var again = SqliteDeviceStore.Open(path);
        Assert.Equal([10], (await again.GetAsync(StoreTable.Items, new byte[] { 1 }, default))!);
    }

    [Fact]
    public async Task A_file_that_is_none_of_SQLite_is_not_opened()
    {
        string path = Path.Combine(_folder, "history.sqlite");
        await File.WriteAllTextAsync(path, new string('x', 5000));
        Assert.Throws<StoreFailedException>(() => SqliteDeviceStore.Open(path));
    }

    [Fact]
    public async Task Who_waits_for_a_store_that_is_closed_is_told()
    {
        var store = SqliteDeviceStore.Open(Path.Combine(_folder, "history.sqlite"));
        await store.WriteAsync([.. Enumerable.Range(0, 30_000).Select(n => StoreWrite.Put(StoreTable.Items, [(byte)(n >> 8), (byte)(n & 0xff)], new byte[100]))], default);
        Task reading, waiting;
        do
        {
            reading = Task.Run(async () => await store.ReadRangeAsync(StoreTable.Items, default, default, 30_000, default));
            waiting = Task.CompletedTask;
            while (waiting.IsCompleted && !reading.IsCompleted)
            {
                waiting = store.GetAsync(StoreTable.Items, new byte[] { 1 }, default).AsTask();
            }
        }
        while (waiting.IsCompleted);
        // Behind it in the queue the end, and behind that one more.
        var closing = store.DisposeAsync().AsTask();
        var late = store.GetAsync(StoreTable.Items, new byte[] { 1 }, default).AsTask();
        await Task.WhenAll(reading, waiting, closing).WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<StoreFailedException>(() => late.WaitAsync(TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAsync<StoreFailedException>(() => store.WriteAsync([Put(1, 10)], default).AsTask());
    }

    // Later programs read them: a new table takes a new number.
    [Fact]
    public void Numbers_that_are_stored_are_frozen() =>
        Assert.Equal(["Meta 0", "Items 1", "Leaves 2", "Staged 3", "Outbox 4", "Index 5", "Attachments 6"], Enum.GetValues<StoreTable>().Select(table => $"{table} {(int)table}"));

    private DeviceStore Open(bool onDisk) => onDisk ? SqliteDeviceStore.Open(Path.Combine(_folder, "history.sqlite")) : new MemoryDisk().Open();

    private static StoreWrite Put(byte key, byte value) => StoreWrite.Put(StoreTable.Items, [key], [value]);
}
