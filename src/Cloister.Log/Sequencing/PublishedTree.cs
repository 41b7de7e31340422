using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Sequencing;

/// <summary>A published checkpoint, and what proofs under it are made of. It does not change.</summary>
internal sealed class PublishedTree(SignedNote checkpoint, long size, HashReader nodes, ITileStore store)
{
    public SignedNote Checkpoint => checkpoint;

    public long Size => size;

    /// <summary>A proof that whoever has the entry can verify offline. For entries just published it reads nothing.</summary>
    /// <exception cref="LogStoppedException">A tile is missing.</exception>
    public async Task<LogProof> ProveAsync(long index, CancellationToken cancellation)
    {
        if (!InclusionProof.TryMake(nodes, index, size, out var path))
        {
            var tiles = await store.ReadSetAsync(TileSet.ForInclusion(index, size), cancellation);
            if (tiles is null || !InclusionProof.TryMake(tiles.Reader, index, size, out path))
            {
                throw new LogStoppedException(LogFault.TreeDamaged, $"A tile is missing that the proof of entry {index} needs.");
            }
        }
        return new LogProof(index, [.. path], checkpoint);
    }
}
