using Cloister.Transparency;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Log.Storage;

/// <summary>Tiles as files under their paths of tlog-tiles: any web server can serve the folder as it is.</summary>
internal sealed class TileFolder : ITileStore
{
    private const string CheckpointName = "checkpoint";
    private const string StagedName = ".staged";

    private readonly string _folder;
    private readonly Disk _disk;
    private readonly SafeFileHandle _lock;

    // Folders whose own names this process has made durable. That one is there says nothing: its parent may not have been flushed when another process was killed.
    private readonly HashSet<string> _durable = new(StringComparer.Ordinal);

    public TileFolder(string folder, Disk disk)
    {
        (_folder, _disk) = (Path.GetFullPath(folder), disk);
        Directory.CreateDirectory(_folder);
        _lock = Disk.Lock(_folder);
        _durable.Add(_folder);
        try
        {
            _disk.DeleteFolder(Path.Combine(_folder, StagedName));
            _disk.CreateFolder(Path.Combine(_folder, StagedName));
        }
        catch
        {
            _lock.Dispose(); // the next one who tries would find us in the way
            throw;
        }
    }

    public Task WriteAsync(IReadOnlyList<TileBytes> tiles, CancellationToken cancellation)
    {
        var folders = new HashSet<string>(StringComparer.Ordinal);
        var moves = new List<(string From, string To)>();
        foreach (var tile in tiles)
        {
            string path = PathOf(tile.Path), folder = Path.GetDirectoryName(path)!;
            MakeDurable(folder);
            folders.Add(folder); // also of a file that is there: its name may not be durable yet
            if (File.Exists(path))
            {
                ThrowUnlessSame(tile, path);
                continue;
            }
            string staged = Path.Combine(_folder, StagedName, $"{moves.Count}");
            _disk.Write(staged, tile.Bytes);
            moves.Add((staged, path));
        }

        // No name before its content: a server beside us hands out whole tiles or none.
        foreach (var (from, to) in moves)
        {
            _disk.Rename(from, to);
        }
        foreach (string folder in folders)
        {
            _disk.FlushFolder(folder);
        }
        return Task.CompletedTask;
    }

    public Task<byte[]?> ReadAsync(TilePath tile, CancellationToken cancellation) => Task.FromResult(_disk.Read(PathOf(tile)));

    public Task PublishAsync(byte[] checkpoint, CancellationToken cancellation)
    {
        _disk.Replace(Path.Combine(_folder, CheckpointName), checkpoint);
        return Task.CompletedTask;
    }

    public Task<byte[]?> ReadCheckpointAsync(CancellationToken cancellation) => Task.FromResult(_disk.Read(Path.Combine(_folder, CheckpointName)));

    public Task PruneAsync(TilePath full, CancellationToken cancellation)
    {
        string partials = $"{PathOf(full)}.p";
        _durable.Remove(partials);
        _disk.DeleteFolder(partials);
        return Task.CompletedTask;
    }

    public void Dispose() => _lock.Dispose();

    private string PathOf(TilePath tile) => Path.Combine(_folder, tile.ToString());

    private void MakeDurable(string folder)
    {
        if (_durable.Contains(folder))
        {
            return;
        }
        string parent = Path.GetDirectoryName(folder)!;
        MakeDurable(parent);
        if (!Directory.Exists(folder))
        {
            _disk.CreateFolder(folder);
        }
        _disk.FlushFolder(parent);
        _durable.Add(folder);
    }

    private void ThrowUnlessSame(TileBytes tile, string path)
    {
        if (_disk.Read(path) is not { } there || !there.AsSpan().SequenceEqual(tile.Bytes))
        {
            throw new LogStoppedException(LogFault.TileDiffers, $"{tile.Path} is there with other bytes. Tiles never change: the storage or the queue is not the one that this log wrote.");
        }
    }
}

/// <summary>The same files, for whoever only shows them.</summary>
internal sealed class TileFiles(string folder) : ITileReader
{
    public async Task<byte[]?> ReadAsync(TilePath tile, CancellationToken cancellation)
    {
        try
        {
            return await File.ReadAllBytesAsync(Path.Combine(folder, tile.ToString()), cancellation);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
