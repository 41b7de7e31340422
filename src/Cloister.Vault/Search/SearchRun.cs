using System.Collections.Immutable;
using System.Numerics;
using Cloister.Vault.History;

namespace Cloister.Vault.Search;

/// <summary>One query on its way through the segments: which buckets it needs, which messages they leave, and who these are.</summary>
internal sealed class SearchRun(ImmutableArray<Segment> segments, SearchQuery query, int limit)
{
    // Of one query, so that the beginning of very many words costs no more than this: 512 buckets are 16 MiB or a little more.
    private const int MaxBuckets = 512;

    private readonly List<QueryTerm> _terms = [.. query.Terms];
    private bool _complete = true;

    public async ValueTask<SearchAnswer> FindAsync(OpenBuckets open, CancellationToken cancellationToken)
    {
        var wanted = Plan();
        var keys = wanted.Select(bucket => bucket.Segment.TermKey(bucket.Number)).Distinct().ToList();
        var opened = keys.Zip(await open(keys, cancellationToken).ConfigureAwait(false)).ToDictionary(pair => pair.First, pair => pair.Second);
        var found = new List<(Segment Segment, int Document)>();
        foreach (var group in wanted.GroupBy(bucket => bucket.Segment))
        {
            if (Evaluate(group.Key, [.. group], opened) is not { } marks)
            {
                return new([], false, true);
            }
            found.AddRange(Newest(marks).Select(document => (group.Key, document)));
        }
        return await IdentifyAsync(found, open, cancellationToken).ConfigureAwait(false);
    }

    // A segment in which no bucket can hold a word holds no match.
    private List<Wanted> Plan()
    {
        var wanted = new List<Wanted>();
        int left = MaxBuckets;
        foreach (var segment in segments)
        {
            var ranges = _terms.ConvertAll(segment.BucketsOf);
            if (ranges.Exists(range => range.Start.Value >= range.End.Value))
            {
                continue;
            }
            for (int term = 0; term < _terms.Count; term++)
            {
                int count = ranges[term].End.Value - ranges[term].Start.Value;
                _complete &= count <= left;
                count = Math.Min(count, left);
                left -= count;
                wanted.AddRange(Enumerable.Range(ranges[term].Start.Value, count).Select(number => new Wanted(segment, number, term)));
            }
        }
        return wanted;
    }

    // The messages of a segment that hold all words, a bit for each; null where a bucket is damaged.
    private ulong[]? Evaluate(Segment segment, List<Wanted> wanted, Dictionary<BucketKey, ReadOnlyMemory<byte>?> opened)
    {
        ulong[]? all = null;
        for (int term = 0; term < _terms.Count; term++)
        {
            var marks = new ulong[(segment.Documents + 63) / 64];
            byte[] bytes = _terms[term].Bytes;
            foreach (var bucket in wanted.Where(bucket => bucket.Term == term))
            {
                var reader = new TermBucketReader(opened[segment.TermKey(bucket.Number)] ?? default, segment.Documents);
                while (reader.Next() && (reader.Term.SequenceCompareTo(bytes) <= 0 || (_terms[term].IsBeginning && reader.Term.StartsWith(bytes))))
                {
                    bool wants = _terms[term].IsBeginning ? reader.Term.StartsWith(bytes) : reader.Term.SequenceEqual(bytes);
                    if (wants && !reader.TryMark(marks))
                    {
                        break;
                    }
                }
                if (reader.IsDamaged)
                {
                    return null;
                }
            }
            for (int word = 0; all is not null && word < marks.Length; word++)
            {
                marks[word] &= all[word];
            }
            all = marks;
        }
        return all;
    }

    // Later messages have higher bits.
    private List<int> Newest(ulong[] marks)
    {
        var documents = new List<int>();
        for (int word = marks.Length - 1; word >= 0 && documents.Count <= limit; word--)
        {
            for (ulong left = marks[word]; left != 0 && documents.Count <= limit;)
            {
                int bit = 63 - BitOperations.LeadingZeroCount(left);
                left ^= 1UL << bit;
                documents.Add((word * 64) + bit);
            }
        }
        return documents;
    }

    // The newest of all segments. Where a message stands says how new it can be, so what cannot be among them is not opened.
    private async ValueTask<SearchAnswer> IdentifyAsync(List<(Segment Segment, int Document)> found, OpenBuckets open, CancellationToken cancellationToken)
    {
        var left = found.GroupBy(match => (match.Segment, Number: match.Document / DocumentBucket.Documents))
            .Select(group => new Place(group.Key.Segment.DocumentKey(group.Key.Number), group.Key.Segment.Newest[group.Key.Number], [.. group.Select(match => match.Document % DocumentBucket.Documents)]))
            .OrderByDescending(place => place.Newest).ToList();
        List<SearchMatch> matches = [];
        while (CountNext(left, matches) is > 0 and var count)
        {
            var next = left[..count];
            left.RemoveRange(0, count);
            var opened = await open([.. next.Select(place => place.Bucket)], cancellationToken).ConfigureAwait(false);
            var read = next.Zip(opened).SelectMany(pair => pair.First.Within.Select(within => DocumentBucket.Read((pair.Second ?? default).Span, within))).ToList();
            if (read.Contains(null))
            {
                return new([], false, true);
            }
            matches = [.. matches.Concat(read.OfType<SearchMatch>()).Distinct().OrderByDescending(match => match.Clock).ThenByDescending(match => match.Message)];
        }
        return new([.. matches.Take(limit)], _complete && matches.Count <= limit, false);
    }

    // As many as hold what is missing; then those that may hold a newer one than the last that is shown.
    private int CountNext(List<Place> left, List<SearchMatch> matches)
    {
        if (matches.Count > limit)
        {
            return left.TakeWhile(place => place.Newest >= matches[limit - 1].Clock).Count();
        }
        int count = 0;
        for (int missing = limit + 1 - matches.Count; missing > 0 && count < left.Count; count++)
        {
            missing -= left[count].Within.Count;
        }
        return count;
    }

    private readonly record struct Wanted(Segment Segment, int Number, int Term);

    // Found messages of a bucket.
    private sealed record Place(BucketKey Bucket, Clock Newest, List<int> Within);
}
