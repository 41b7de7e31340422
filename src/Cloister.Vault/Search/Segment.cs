using System.Collections.Immutable;
using Cloister.Vault.History;

namespace Cloister.Vault.Search;

/// <summary>A part of the index that was written at once and is never changed: what the directory knows of it.</summary>
/// <param name="Number">Never used again.</param>
/// <param name="Documents">How many messages.</param>
/// <param name="Newest">The clock of the last message in each bucket of messages, in order.</param>
/// <param name="FirstTerms">The first word of each bucket of words, in order.</param>
internal sealed record Segment(uint Number, int Documents, ImmutableArray<Clock> Newest, ImmutableArray<byte[]> FirstTerms)
{
    public IEnumerable<BucketKey> Keys =>
        Enumerable.Range(0, FirstTerms.Length).Select(TermKey).Concat(Enumerable.Range(0, Newest.Length).Select(DocumentKey));

    public BucketKey TermKey(int number) => new(Number, BucketKind.Terms, (uint)number);

    public BucketKey DocumentKey(int number) => new(Number, BucketKind.Documents, (uint)number);

    /// <summary>Segments of a tier are four times as large as those of the tier below.</summary>
    public int Tier => int.Log2(Math.Max(1, Documents)) / 2;

    /// <summary>The buckets that can hold a term, or words that begin with it: those whose first word is not beyond, from the last whose first word is before.</summary>
    public Range BucketsOf(QueryTerm term)
    {
        byte[] bytes = term.Bytes;
        int end = Count(first => first.AsSpan().SequenceCompareTo(bytes) <= 0 || (term.IsBeginning && first.AsSpan().StartsWith(bytes)));
        int start = Count(first => first.AsSpan().SequenceCompareTo(bytes) <= 0);
        return Math.Max(0, start - 1)..end;
    }

    // How many are in front, of a list in which those that hold come first.
    private int Count(Func<byte[], bool> holds)
    {
        int low = 0;
        for (int high = FirstTerms.Length; low < high;)
        {
            int middle = (low + high) / 2;
            (low, high) = holds(FirstTerms[middle]) ? (middle + 1, high) : (low, middle);
        }
        return low;
    }
}
