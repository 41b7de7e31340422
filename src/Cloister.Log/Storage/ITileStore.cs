using Cloister.Transparency;

namespace Cloister.Log.Storage;

/// <summary>A tile or bundle and its bytes.</summary>
internal sealed record TileBytes(TilePath Path, byte[] Bytes);

/// <summary>Reads a log's tiles.</summary>
internal interface ITileReader
{
    /// <summary>Null where there is none.</summary>
    Task<byte[]?> ReadAsync(TilePath tile, CancellationToken cancellation);
}

/// <summary>Where a log keeps what everybody may read: tiles, which never change, and the published checkpoint.</summary>
internal interface ITileStore : ITileReader, IDisposable
{
    /// <summary>Returns when all of them outlive a power cut. One that is there already is left as it is.</summary>
    /// <exception cref="LogStoppedException">One is there with other bytes.</exception>
    Task WriteAsync(IReadOnlyList<TileBytes> tiles, CancellationToken cancellation);

    /// <summary>Replaces the published checkpoint, and returns when that outlives a power cut.</summary>
    Task PublishAsync(byte[] checkpoint, CancellationToken cancellation);

    Task<byte[]?> ReadCheckpointAsync(CancellationToken cancellation);

    /// <summary>Removes the partial tiles that a full one took the place of. Nothing depends on it.</summary>
    Task PruneAsync(TilePath full, CancellationToken cancellation);
}

internal static class TileStores
{
    /// <summary>The hashes of a tile, where need be from the full one that took a partial one's place.</summary>
    public static async Task<byte[]?> ReadHashesAsync(this ITileReader store, TilePath tile, CancellationToken cancellation)
    {
        byte[]? bytes = await store.ReadAsync(tile, cancellation);
        bytes ??= tile.IsFull ? null : await store.ReadAsync(tile with { Width = TilePath.FullWidth }, cancellation);
        return bytes?.Length >= tile.Width * TreeHash.Size ? bytes[..(tile.Width * TreeHash.Size)] : null;
    }

    /// <summary>These tiles, ready for proofs. Null where one is missing.</summary>
    public static async Task<TileSet?> ReadSetAsync(this ITileReader store, IEnumerable<TilePath> tiles, CancellationToken cancellation)
    {
        var set = new TileSet();
        foreach (var tile in tiles)
        {
            if (await store.ReadHashesAsync(tile, cancellation) is not { } bytes || !set.TryAdd(tile, bytes))
            {
                return null;
            }
        }
        return set;
    }
}
