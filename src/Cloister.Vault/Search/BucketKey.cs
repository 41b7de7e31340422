using Cloister.Ledger;

namespace Cloister.Vault.Search;

/// <summary>What a bucket of the index holds.</summary>
public enum BucketKind : byte
{
    None = 0,
    /// <summary>Words in order, and in which messages they are.</summary>
    Terms = 1,
    /// <summary>Messages in order of their clocks.</summary>
    Documents = 2,
}

/// <summary>Names a sealed blob of the index: the caller seals it for the purpose <see cref="ToString"/> and stores it under that key.</summary>
public readonly record struct BucketKey(uint Segment, BucketKind Kind, uint Number)
{
    /// <summary>For example <c>search/7/terms/12</c>.</summary>
    public override string ToString() => $"search/{Segment}/{(Kind is BucketKind.Terms ? "terms" : "documents")}/{Number}";
}

/// <summary>A bucket to be sealed and stored.</summary>
public sealed record SearchBucket(BucketKey Key, ReadOnlyMemory<byte> Content);

/// <summary>Opens stored buckets, in the order given; null for one that is not there or does not open.</summary>
public delegate ValueTask<IReadOnlyList<ReadOnlyMemory<byte>?>> OpenBuckets(IReadOnlyList<BucketKey> keys, CancellationToken cancellationToken);

/// <summary>Seals and stores a bucket. It counts only once the directory that names its segment is stored.</summary>
public delegate ValueTask StoreBucket(SearchBucket bucket, CancellationToken cancellationToken);

/// <summary>Which of some messages are still there.</summary>
public delegate ValueTask<IReadOnlySet<Identity>> FindLiving(IReadOnlyList<Identity> messages, CancellationToken cancellationToken);
