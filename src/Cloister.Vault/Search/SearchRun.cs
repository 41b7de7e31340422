using System.Collections.Immutable;
using System.Numerics;

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

    private async ValueTask<SearchAnswer> IdentifyAsync(List<(Segment Segment, int Document)> found, OpenBuckets open, CancellationToken cancellationToken)
    {
        var keys = found.Select(match => Key(match.Segment, match.Document)).Distinct().ToList();
        var opened = keys.Zip(await open(keys, cancellationToken).ConfigureAwait(false)).ToDictionary(pair => pair.First, pair => pair.Second);
        var matches = found.ConvertAll(match => opened[Key(match.Segment, match.Document)] is { } bucket ? DocumentBucket.Read(bucket.Span, match.Document % DocumentBucket.Documents) : null);
        if (matches.Contains(null))
        {
            return new([], false, true);
        }
        var distinct = matches.OfType<SearchMatch>().Distinct().OrderByDescending(match => match.Clock).ThenByDescending(match => match.Message).ToList();
        return new([.. distinct.Take(limit)], _complete && distinct.Count <= limit, false);
    }

    private static BucketKey Key(Segment segment, int document) => segment.DocumentKey(document / DocumentBucket.Documents);

    private readonly record struct Wanted(Segment Segment, int Number, int Term);
}
