using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Cloister.Transparency;

namespace Cloister.Log.Client;

/// <summary>Reads a log by HTTP (C2SP tlog-tiles). What it gives is the log's word: proofs and signatures are for the caller to verify.</summary>
/// <remarks>Null stands for what the log does not have, or gives in another form. Where nobody answers, an <see cref="HttpRequestException"/> says so.</remarks>
public sealed class LogReader(HttpClient http, Uri prefix)
{
    private const int MaxTileSize = TilePath.FullWidth * TreeHash.Size;
    private const int MaxBundleSize = TilePath.FullWidth * (2 + EntryBundle.MaxEntrySize);

    /// <summary>The log's address.</summary>
    public Uri Prefix => prefix;

    /// <summary>The published checkpoint, not verified.</summary>
    public async Task<SignedNote?> FetchCheckpointAsync(CancellationToken cancellation) =>
        await FetchAsync("checkpoint", SignedNote.MaxSize, cancellation) is { } bytes && SignedNote.TryParse(bytes, out var note, out _) ? note : null;

    /// <summary>Tiles of hashes; where a partial one was replaced, the full one's beginning.</summary>
    public async Task<TileSet?> FetchTilesAsync(IEnumerable<TilePath> tiles, CancellationToken cancellation)
    {
        var set = new TileSet();
        foreach (var tile in tiles)
        {
            if (await FetchTileAsync(tile, cancellation) is not { } bytes || !set.TryAdd(tile, bytes))
            {
                return null;
            }
        }
        return set;
    }

    /// <summary>The hashes of one tile: as many as its width says.</summary>
    public async Task<byte[]?> FetchTileAsync(TilePath tile, CancellationToken cancellation)
    {
        int size = tile.Width * TreeHash.Size;
        byte[]? bytes = await FetchAsync(tile.ToString(), MaxTileSize, cancellation);
        if (bytes is null && !tile.IsFull)
        {
            bytes = await FetchAsync(Full(tile).ToString(), MaxTileSize, cancellation);
            return bytes?.Length == MaxTileSize ? bytes[..size] : null;
        }
        return bytes?.Length == size ? bytes : null;
    }

    /// <summary>The entries of one bundle: as many as its width says.</summary>
    public async Task<ImmutableArray<byte[]>?> FetchBundleAsync(TilePath bundle, CancellationToken cancellation)
    {
        byte[]? bytes = await FetchAsync(bundle.ToString(), MaxBundleSize, cancellation);
        int width = bundle.Width;
        if (bytes is null && !bundle.IsFull)
        {
            (bytes, width) = (await FetchAsync(Full(bundle).ToString(), MaxBundleSize, cancellation), TilePath.FullWidth);
        }
        return bytes is not null && EntryBundle.TryDecode(bytes, width, out var entries, out _) ? entries[..bundle.Width] : null;
    }

    /// <summary>The path that proves an entry under a checkpoint of this size.</summary>
    public async Task<ImmutableArray<TreeHash>?> FetchInclusionAsync(long index, long size, CancellationToken cancellation) =>
        await FetchTilesAsync(TileSet.ForInclusion(index, size), cancellation) is { } tiles && InclusionProof.TryMake(tiles.Reader, index, size, out var path) ? [.. path] : null;

    /// <summary>The path that proves that a tree of one size goes on in one of another.</summary>
    public async Task<ImmutableArray<TreeHash>?> FetchConsistencyAsync(long oldSize, long newSize, CancellationToken cancellation) =>
        await FetchTilesAsync(TileSet.ForConsistency(oldSize, newSize), cancellation) is { } tiles && ConsistencyProof.TryMake(tiles.Reader, oldSize, newSize, out var path) ? [.. path] : null;

    private static TilePath Full(TilePath tile) => tile with { Width = TilePath.FullWidth };

    private async Task<byte[]?> FetchAsync(string path, int maxSize, CancellationToken cancellation)
    {
        // The client's own timeout ends with the headers: who drips bytes must not hold us.
        using var slow = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        slow.CancelAfter(http.Timeout);
        try
        {
            using var response = await http.GetAsync(new Uri($"{prefix.AbsoluteUri.TrimEnd('/')}/{path}"), HttpCompletionOption.ResponseHeadersRead, slow.Token);
            if (response.StatusCode is HttpStatusCode.NotFound)
            {
                return null;
            }
            response.EnsureSuccessStatusCode();
            return await Bounded.ReadAsync(response.Content, maxSize, slow.Token);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"{prefix} is too slow.", late);
        }
        catch (Exception cut) when (cut is IOException or SocketException)
        {
            throw new HttpRequestException($"{prefix} broke off.", cut);
        }
    }
}

/// <summary>Bodies from strangers.</summary>
internal static class Bounded
{
    /// <summary>Null where the body is longer.</summary>
    public static async Task<byte[]?> ReadAsync(HttpContent content, int maxSize, CancellationToken cancellation)
    {
        await using var body = await content.ReadAsStreamAsync(cancellation);
        using var read = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            if (read.Length + count > maxSize)
            {
                return null;
            }
            read.Write(buffer, 0, count);
        }
        return read.ToArray();
    }
}
