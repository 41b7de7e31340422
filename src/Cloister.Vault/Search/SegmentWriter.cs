using System.Collections.Immutable;
using Cloister.Vault.History;

namespace Cloister.Vault.Search;

/// <summary>Writes a segment bucket by bucket: first the messages in order, then the words in order. It holds no more than a bucket of each.</summary>
internal sealed class SegmentWriter(uint number, StoreBucket store, CancellationToken cancellationToken)
{
    private readonly List<SearchMatch> _documents = [];
    private readonly TermBucketWriter _terms = new();
    private readonly ImmutableArray<Clock>.Builder _newest = ImmutableArray.CreateBuilder<Clock>();
    private readonly ImmutableArray<byte[]>.Builder _firstTerms = ImmutableArray.CreateBuilder<byte[]>();
    private int _written;

    public int Documents => _written + _documents.Count;

    public async ValueTask AddAsync(SearchMatch document)
    {
        _documents.Add(document);
        if (_documents.Count == DocumentBucket.Documents)
        {
            await StoreDocumentsAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask AddAsync(byte[] term, IReadOnlyList<int> documents)
    {
        _terms.Add(term, documents);
        if (_terms.IsFull)
        {
            await StoreTermsAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask<Segment> EndAsync()
    {
        if (_documents.Count > 0)
        {
            await StoreDocumentsAsync().ConfigureAwait(false);
        }
        if (!_terms.IsEmpty)
        {
            await StoreTermsAsync().ConfigureAwait(false);
        }
        return new(number, _written, _newest.ToImmutable(), _firstTerms.ToImmutable());
    }

    private async ValueTask StoreDocumentsAsync()
    {
        var key = new BucketKey(number, BucketKind.Documents, (uint)(_written / DocumentBucket.Documents));
        await store(new(key, DocumentBucket.Write(_documents)), cancellationToken).ConfigureAwait(false);
        _written += _documents.Count;
        _newest.Add(_documents[^1].Clock);
        _documents.Clear();
    }

    private async ValueTask StoreTermsAsync()
    {
        var key = new BucketKey(number, BucketKind.Terms, (uint)_firstTerms.Count);
        _firstTerms.Add(_terms.First);
        await store(new(key, _terms.Take()), cancellationToken).ConfigureAwait(false);
    }
}
