using Cloister.Ledger;

namespace Cloister.Vault.Search;

/// <summary>Makes one segment of several, reading each from front to back, a bucket at a time.</summary>
internal sealed class SegmentMerge(IReadOnlyList<Segment> segments, FindLiving living, OpenBuckets open, CancellationToken cancellationToken)
{
    private const int Gone = -1;

    private readonly int[][] _places = [.. segments.Select(segment => new int[segment.Documents])];

    /// <summary>False where a bucket is damaged: what was written is not to be used.</summary>
    public async ValueTask<bool> TryWriteAsync(SegmentWriter writer) =>
        await TryWriteDocumentsAsync(writer).ConfigureAwait(false) && await TryWriteTermsAsync(writer).ConfigureAwait(false);

    // By clock and identity, as in each of them; a message that is in two segments gets one place.
    private async ValueTask<bool> TryWriteDocumentsAsync(SegmentWriter writer)
    {
        var cursors = segments.Select(segment => new DocumentCursor(segment, living, open, cancellationToken)).ToList();
        SearchMatch? last = null;
        foreach (var cursor in cursors)
        {
            await cursor.NextAsync().ConfigureAwait(false);
        }
        while (cursors.Where(cursor => cursor.Current is not null).MinBy(cursor => (cursor.Current!.Clock, cursor.Current.Message)) is { } next)
        {
            var document = next.Current!;
            if (next.Lives && document != last)
            {
                await writer.AddAsync(document).ConfigureAwait(false);
                last = document;
            }
            _places[cursors.IndexOf(next)][next.Position] = next.Lives ? writer.Documents - 1 : Gone;
            await next.NextAsync().ConfigureAwait(false);
        }
        return cursors.TrueForAll(cursor => !cursor.IsDamaged);
    }

    private async ValueTask<bool> TryWriteTermsAsync(SegmentWriter writer)
    {
        var cursors = segments.Select(segment => new TermCursor(segment, open, cancellationToken)).ToList();
        foreach (var cursor in cursors)
        {
            await cursor.NextAsync().ConfigureAwait(false);
        }
        while (Smallest(cursors) is { } term)
        {
            var documents = new List<int>();
            for (int at = 0; at < cursors.Count; at++)
            {
                if (cursors[at].IsAt(term))
                {
                    documents.AddRange(cursors[at].Documents().Select(document => _places[at][document]).Where(place => place is not Gone));
                    await cursors[at].NextAsync().ConfigureAwait(false);
                }
            }
            documents.Sort();
            if (documents.Count > 0)
            {
                await writer.AddAsync(term, [.. documents.Distinct()]).ConfigureAwait(false);
            }
        }
        return cursors.TrueForAll(cursor => !cursor.IsDamaged);
    }

    private static byte[]? Smallest(List<TermCursor> cursors)
    {
        byte[]? smallest = null;
        foreach (var term in cursors.Select(cursor => cursor.Current).OfType<byte[]>())
        {
            smallest = smallest is null || term.AsSpan().SequenceCompareTo(smallest) < 0 ? term : smallest;
        }
        return smallest;
    }
}

/// <summary>Walks through a segment's messages.</summary>
internal sealed class DocumentCursor(Segment segment, FindLiving living, OpenBuckets open, CancellationToken cancellationToken)
{
    private SearchMatch[] _bucket = [];
    private IReadOnlySet<Identity> _living = new HashSet<Identity>();

    public int Position { get; private set; } = -1;

    /// <summary>Null at the end.</summary>
    public SearchMatch? Current { get; private set; }

    /// <summary>Whether the current one is still there.</summary>
    public bool Lives => Current is { } current && _living.Contains(current.Message);

    public bool IsDamaged { get; private set; }

    public async ValueTask NextAsync()
    {
        Position++;
        Current = null;
        if (Position == segment.Documents)
        {
            return;
        }
        int within = Position % DocumentBucket.Documents;
        if (within == 0)
        {
            var opened = await open([segment.DocumentKey(Position / DocumentBucket.Documents)], cancellationToken).ConfigureAwait(false);
            _bucket = DocumentBucket.ReadAll((opened[0] ?? default).Span);
            _living = await living([.. _bucket.Select(document => document.Message)], cancellationToken).ConfigureAwait(false);
        }
        Current = within < _bucket.Length ? _bucket[within] : null;
        IsDamaged = Current is null;
    }
}

/// <summary>Walks through a segment's words.</summary>
internal sealed class TermCursor(Segment segment, OpenBuckets open, CancellationToken cancellationToken)
{
    private TermBucketReader? _reader;
    private int _bucket;

    /// <summary>Null at the end.</summary>
    public byte[]? Current { get; private set; }

    public bool IsDamaged { get; private set; }

    public bool IsAt(ReadOnlySpan<byte> term) => Current is { } current && current.AsSpan().SequenceEqual(term);

    /// <summary>The messages of the current word.</summary>
    public List<int> Documents()
    {
        var documents = new List<int>();
        IsDamaged = IsDamaged || !_reader!.TryRead(documents);
        return documents;
    }

    public async ValueTask NextAsync()
    {
        Current = null;
        while (!IsDamaged && (_reader is null || !_reader.Next()))
        {
            IsDamaged = _reader?.IsDamaged is true;
            if (IsDamaged || _bucket == segment.FirstTerms.Length)
            {
                return;
            }
            var opened = await open([segment.TermKey(_bucket++)], cancellationToken).ConfigureAwait(false);
            _reader = new(opened[0] ?? default, segment.Documents);
        }
        Current = IsDamaged ? null : _reader!.Term.ToArray();
    }
}
