using System.Collections.Immutable;
using System.Text;

namespace Cloister.Vault.Search;

/// <summary>What a query found.</summary>
/// <param name="Matches">Newest first.</param>
/// <param name="IsComplete">False where there are more than were asked for, or a word's beginning stands for too many words to look at all.</param>
/// <param name="IsDamaged">A bucket was missing or is none: the index is to be thrown away and made again.</param>
public sealed record SearchAnswer(ImmutableArray<SearchMatch> Matches, bool IsComplete, bool IsDamaged);

/// <summary>The directory of a device's own index of words: which segments there are, and which words are in which bucket. Small, immutable; the buckets are the caller's to seal and store.</summary>
/// <remarks>It holds words, so it is sealed too. It can be thrown away and made again at any time.</remarks>
public sealed partial class SearchIndex
{
    /// <summary>Of messages, in one <see cref="AddAsync"/>.</summary>
    public const int MaxAdded = 4096;

    /// <summary>Of one message's different words: what comes later in a longer one is not found.</summary>
    public const int MaxTerms = 20_000;

    // So many segments of a tier become one of the next: a query looks into few, and a merge, however many have come together, is of no more.
    private const int MergedAtOnce = 4;

    private readonly ImmutableArray<Segment> _segments;
    private readonly uint _next;

    private SearchIndex(ImmutableArray<Segment> segments, uint next) => (_segments, _next) = (segments, next);

    public static SearchIndex Empty { get; } = new([], 0);

    /// <summary>Messages in it, those included that were deleted since, and those twice that were added twice.</summary>
    public int Documents => _segments.Sum(segment => segment.Documents);

    /// <summary>All buckets that it names. What a caller stores beside and is not named here may be deleted.</summary>
    public IEnumerable<BucketKey> Keys => _segments.SelectMany(segment => segment.Keys);

    /// <summary>Whether small segments have come together that queries are faster without: see <see cref="MergeAsync"/>.</summary>
    public bool NeedsMerge => Mergeable() is not null;

    /// <summary>Finds the newest messages that hold all words, opening only the buckets that can hold them, in as few calls of <paramref name="open"/> as that takes: three, and more where messages were added twice.</summary>
    public async ValueTask<SearchAnswer> FindAsync(SearchQuery query, int limit, OpenBuckets open, CancellationToken cancellationToken) =>
        query.IsEmpty || _segments.IsEmpty ? new([], true, false) : await new SearchRun(_segments, query, limit).FindAsync(open, cancellationToken).ConfigureAwait(false);

    /// <summary>The index with these messages: a new segment. A message that is in it already is found once all the same.</summary>
    /// <exception cref="ArgumentException">There are more than <see cref="MaxAdded"/>.</exception>
    public async ValueTask<SearchIndex> AddAsync(IReadOnlyList<SearchDocument> documents, StoreBucket store, CancellationToken cancellationToken)
    {
        if (documents.Count > MaxAdded)
        {
            throw new ArgumentException($"At most {MaxAdded} messages are added at once.", nameof(documents));
        }
        var ordered = documents.DistinctBy(document => document.Message).OrderBy(document => document.Clock).ThenBy(document => document.Message).ToList();
        if (ordered.Count == 0)
        {
            return this;
        }
        var writer = new SegmentWriter(_next, store, cancellationToken);
        foreach (var document in ordered)
        {
            await writer.AddAsync(new SearchMatch(document.Message, document.Conversation, document.Clock)).ConfigureAwait(false);
        }
        foreach (var (term, places) in TermsOf(ordered))
        {
            await writer.AddAsync(term, places).ConfigureAwait(false);
        }
        return new(_segments.Add(await writer.EndAsync().ConfigureAwait(false)), checked(_next + 1));
    }

    /// <summary>The index with four of its small segments made one. Messages that do not live any more leave it. More may be left to merge.</summary>
    /// <returns>Null where a bucket is damaged.</returns>
    public async ValueTask<SearchIndex?> MergeAsync(FindLiving living, OpenBuckets open, StoreBucket store, CancellationToken cancellationToken)
    {
        if (Mergeable() is not { } merged)
        {
            return this;
        }
        var writer = new SegmentWriter(_next, store, cancellationToken);
        if (!await new SegmentMerge(merged, living, open, cancellationToken).TryWriteAsync(writer).ConfigureAwait(false))
        {
            return null;
        }
        var one = await writer.EndAsync().ConfigureAwait(false);
        var others = _segments.RemoveRange(merged);
        return new(one.Documents > 0 ? others.Add(one) : others, checked(_next + 1));
    }

    // The oldest of the smallest tier.
    private ImmutableArray<Segment>? Mergeable() =>
        _segments.GroupBy(segment => segment.Tier).Where(tier => tier.Count() >= MergedAtOnce).OrderBy(tier => tier.Key).FirstOrDefault() is { } tier ? [.. tier.Take(MergedAtOnce)] : null;

    private static IEnumerable<(byte[] Term, List<int> Places)> TermsOf(List<SearchDocument> documents)
    {
        var places = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (int at = 0; at < documents.Count; at++)
        {
            foreach (string term in Words.Of(documents[at].Text).SelectMany(Words.Terms).Distinct().Take(MaxTerms))
            {
                (places.TryGetValue(term, out var found) ? found : places[term] = []).Add(at);
            }
        }
        return places.Select(pair => (Encoding.UTF8.GetBytes(pair.Key), pair.Value)).OrderBy(pair => pair.Item1, Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
    }
}
