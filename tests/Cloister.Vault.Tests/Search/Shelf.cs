using Cloister.Vault.Search;

namespace Cloister.Vault.Tests.Search;

/// <summary>Where a test keeps buckets, counting how many are opened.</summary>
internal sealed class Shelf
{
    public Dictionary<BucketKey, byte[]> Buckets { get; } = [];

    public int Opened { get; private set; }

    public ValueTask StoreAsync(SearchBucket bucket, CancellationToken cancellationToken)
    {
        Buckets.Add(bucket.Key, bucket.Content.ToArray());
        return default;
    }

    public ValueTask<IReadOnlyList<ReadOnlyMemory<byte>?>> OpenAsync(IReadOnlyList<BucketKey> keys, CancellationToken cancellationToken)
    {
        Opened += keys.Count;
        return new([.. keys.Select(key => Buckets.TryGetValue(key, out byte[]? bytes) ? (ReadOnlyMemory<byte>?)bytes : null)]);
    }
}
