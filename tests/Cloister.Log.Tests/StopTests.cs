using System.Text;
using Cloister.Log.Tests.Disks;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>What a log does not go on from, and what it waits out.</summary>
public class StopTests
{
    private static string Tiles(Town town) => Path.Combine(town.Folder, "log", "tiles");

    private static async Task<LogFault> RefusalAsync(Town town, LogOptions? options = null) =>
        (await Assert.ThrowsAsync<LogStoppedException>(() => town.OpenLogAsync(options))).Fault;

    private static async Task<Town> FilledAsync(int entries = 3)
    {
        var town = await Town.BuildAsync(1);
        await using var log = await town.OpenLogAsync();
        for (int i = 0; i < entries; i++)
        {
            await log.AddAsync($"entry {i}");
        }
        return town;
    }

    [Fact]
    public async Task Two_do_not_write_one_log()
    {
        await using var town = await Town.BuildAsync(1);
        await using var log = await town.OpenLogAsync();
        Assert.Equal(LogFault.Locked, await RefusalAsync(town));
    }

    [Fact]
    public async Task An_old_copy_of_the_queue_is_not_gone_on_from()
    {
        await using var town = await FilledAsync();
        string queue = Path.Combine(town.Folder, "log", "queue.sqlite");
        byte[] old = await File.ReadAllBytesAsync(queue);
        await using (var log = await town.OpenLogAsync())
        {
            await log.AddAsync("one more");
        }
        await File.WriteAllBytesAsync(queue, old);
        Assert.Equal(LogFault.RecordBehindPublished, await RefusalAsync(town));
        File.Delete(queue);
        Assert.Equal(LogFault.RecordBehindPublished, await RefusalAsync(town));
    }

    [Theory]
    [InlineData("tile/0/000.p/3")]
    [InlineData("tile/entries/000.p/3")]
    public async Task A_damaged_or_missing_tile_is_not_gone_on_from(string tile)
    {
        await using var town = await FilledAsync();
        string file = Path.Combine(Tiles(town), tile);
        byte[] bytes = await File.ReadAllBytesAsync(file);
        bytes[5] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        Assert.Equal(LogFault.TreeDamaged, await RefusalAsync(town));
        File.Delete(file);
        Assert.Equal(LogFault.TreeDamaged, await RefusalAsync(town));
    }

    [Fact]
    public async Task A_tile_that_is_there_already_with_other_bytes_stops_the_log_before_it_signs()
    {
        await using var town = await FilledAsync();
        await File.WriteAllBytesAsync(Path.Combine(Tiles(town), "tile/0/000.p/4"), new byte[128]);
        var log = await town.OpenLogAsync();
        using var response = await log.PostAsync("the fourth"u8.ToArray());
        Assert.False(response.IsSuccessStatusCode);
        Assert.True(log.Program.Lifetime.ApplicationStopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(20)));
        Assert.Equal(LogFault.TileDiffers, (await Assert.ThrowsAsync<LogStoppedException>(() => log.Program.StopAsync())).Fault);
        await log.Program.DisposeAsync();
        Assert.Contains("\n3\n", await File.ReadAllTextAsync(Path.Combine(Tiles(town), "checkpoint")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_key_does_not_go_on_with_a_log()
    {
        await using var town = await FilledAsync();
        File.Delete(town.KeyFile);
        var other = KeyFiles.Create(town.KeyFile, Town.Origin, NoteKeyType.Ed25519);
        await File.WriteAllTextAsync(town.PolicyFile, (await File.ReadAllTextAsync(town.PolicyFile)).Replace($"{town.LogKey}", $"{other}", StringComparison.Ordinal));
        Assert.Equal(LogFault.OtherLog, await RefusalAsync(town));
    }

    // Each call of the disk fails once, while the log runs.
    [Fact]
    public async Task A_disk_that_is_full_for_a_while_is_waited_out_and_nothing_is_lost()
    {
        await using var town = await Town.BuildAsync(1);
        int step = 8;
        for (bool came = true; came && step < 40; step += 3)
        {
            var disk = new PowerCutDisk(step, DiskFate.Full, step);
            await using var log = await town.OpenLogAsync(town.Options(), disk: disk);
            await log.AddAsync(Encoding.UTF8.GetBytes($"entry {step}"));
            await log.AddAsync(Encoding.UTF8.GetBytes($"entry {step}, another"));
            came = disk.Came;
            Assert.Contains($"entry {step}", await log.EntriesAsync());
        }
        await using var last = await town.OpenLogAsync();
        await last.FirstCheckpointAsync();
        var entries = await last.EntriesAsync();
        Assert.Equal(entries.Count, entries.Distinct().Count());
        Assert.True(entries.Count >= 4);
    }

    [Fact]
    public async Task The_same_size_has_the_same_bytes_after_a_restart()
    {
        await using var town = await FilledAsync();
        string before = await File.ReadAllTextAsync(Path.Combine(Tiles(town), "checkpoint"));
        await using var log = await town.OpenLogAsync();
        await log.FirstCheckpointAsync();
        Assert.Equal(before.Split('\n')[..5], (await log.Reader.FetchCheckpointAsync(CancellationToken.None))!.ToString().Split('\n')[..5]);
    }
}
