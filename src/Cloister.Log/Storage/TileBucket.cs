using System.Net;
using Cloister.Transparency;

namespace Cloister.Log.Storage;

/// <summary>Tiles as objects under their paths of tlog-tiles. An object is made once and never overwritten; the checkpoint is replaced only where it is still the one that was read.</summary>
/// <remarks>Partial tiles stay: they are small, and the specification lets a log keep them.</remarks>
internal sealed class TileBucket(Bucket bucket) : ITileStore
{
    private const int AtOnce = 16; // ours to choose
    private const string CheckpointName = "checkpoint";

    private string? _checkpointTag; // of the checkpoint as we read or wrote it last

    public Task WriteAsync(IReadOnlyList<TileBytes> tiles, CancellationToken cancellation) =>
        Parallel.ForEachAsync(tiles, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (tile, cancel) =>
        {
            var conditions = new Dictionary<string, string> { ["If-None-Match"] = "*", ["Cache-Control"] = "public, max-age=31536000, immutable", ["Content-Type"] = "application/octet-stream" };
            using var response = await bucket.SendAsync(HttpMethod.Put, tile.Path.ToString(), tile.Bytes, conditions, cancel);
            if (response.StatusCode is HttpStatusCode.PreconditionFailed)
            {
                await ThrowUnlessSameAsync(tile, cancel);
            }
            else if (!response.IsSuccessStatusCode)
            {
                throw Refused(response);
            }
        });

    public async Task<byte[]?> ReadAsync(TilePath tile, CancellationToken cancellation)
    {
        using var response = await bucket.SendAsync(HttpMethod.Get, tile.ToString(), null, null, cancellation);
        return await BytesOfAsync(response, cancellation);
    }

    public async Task PublishAsync(byte[] checkpoint, CancellationToken cancellation)
    {
        var conditions = new Dictionary<string, string> { [_checkpointTag is null ? "If-None-Match" : "If-Match"] = _checkpointTag ?? "*", ["Cache-Control"] = "no-cache", ["Content-Type"] = "text/plain; charset=utf-8" };
        using var response = await bucket.SendAsync(HttpMethod.Put, CheckpointName, checkpoint, conditions, cancellation);
        if (response.StatusCode is HttpStatusCode.PreconditionFailed)
        {
            throw new LogStoppedException(LogFault.RecordMoved, "Somebody else published into this log's bucket.");
        }
        _checkpointTag = response.IsSuccessStatusCode && response.Headers.ETag is { } tag ? tag.ToString() : throw Refused(response);
    }

    public async Task<byte[]?> ReadCheckpointAsync(CancellationToken cancellation)
    {
        using var response = await bucket.SendAsync(HttpMethod.Get, CheckpointName, null, null, cancellation);
        _checkpointTag = response.Headers.ETag?.ToString();
        return await BytesOfAsync(response, cancellation);
    }

    public Task PruneAsync(TilePath full, CancellationToken cancellation) => Task.CompletedTask;

    public void Dispose()
    {
        // The bucket's connections outlive one opening of the log.
    }

    private static async Task<byte[]?> BytesOfAsync(HttpResponseMessage response, CancellationToken cancellation) =>
        response.StatusCode is HttpStatusCode.NotFound ? null
        : response.IsSuccessStatusCode ? await response.Content.ReadAsByteArrayAsync(cancellation)
        : throw Refused(response);

    private async Task ThrowUnlessSameAsync(TileBytes tile, CancellationToken cancellation)
    {
        if (await ReadAsync(tile.Path, cancellation) is not { } there || !there.AsSpan().SequenceEqual(tile.Bytes))
        {
            throw new LogStoppedException(LogFault.TileDiffers, $"{tile.Path} is there with other bytes. Tiles never change: the storage or the queue is not the one that this log wrote.");
        }
    }

    private static IOException Refused(HttpResponseMessage response) => new($"The bucket answers {(int)response.StatusCode}.");
}
