namespace Cloister.Vault.Search;

/// <summary>
/// A piece of a segment's words in the order of their bytes: <c>01</c>, then for each word, as numbers of <see cref="Varint"/>: how many bytes it shares with the one before, how
/// many follow, these, how many messages it is in, how many bytes they take, and each as its distance from the one before.
/// </summary>
internal static class TermBucket
{
    /// <summary>A bucket ends with the word that brings it here; a word in many messages may have one of its own that is larger.</summary>
    public const int TargetSize = 32 << 10;

    public const byte Version = 1;
    public const int MaxTermSize = 128;
}

/// <summary>Fills buckets with words that come in order.</summary>
internal sealed class TermBucketWriter
{
    private readonly List<byte> _bytes = [TermBucket.Version];
    private byte[] _last = [];

    /// <summary>The first word in the bucket.</summary>
    public byte[] First { get; private set; } = [];

    public bool IsEmpty => _bytes.Count == 1;

    public bool IsFull => _bytes.Count >= TermBucket.TargetSize;

    /// <param name="term">After the one before.</param>
    /// <param name="documents">In order, at least one.</param>
    public void Add(byte[] term, IReadOnlyList<int> documents)
    {
        First = IsEmpty ? term : First;
        int shared = _last.AsSpan().CommonPrefixLength(term);
        Varint.Write(_bytes, (uint)shared);
        Varint.Write(_bytes, (uint)(term.Length - shared));
        _bytes.AddRange(term.AsSpan(shared));
        var postings = new List<byte>(documents.Count + 4);
        int last = -1;
        foreach (int document in documents)
        {
            Varint.Write(postings, (uint)(document - last - 1));
            last = document;
        }
        Varint.Write(_bytes, (uint)documents.Count);
        Varint.Write(_bytes, (uint)postings.Count);
        _bytes.AddRange(postings);
        _last = term;
    }

    /// <summary>The bucket; the writer begins the next one.</summary>
    public byte[] Take()
    {
        byte[] bucket = [.. _bytes];
        _bytes.RemoveRange(1, _bytes.Count - 1);
        _last = [];
        return bucket;
    }
}

/// <summary>Reads a bucket word by word. What is wrong with it ends it and shows in <see cref="IsDamaged"/>.</summary>
internal sealed class TermBucketReader
{
    private readonly ReadOnlyMemory<byte> _bucket;
    private readonly int _documents;
    private readonly byte[] _term = new byte[TermBucket.MaxTermSize];
    private int _offset = 1;
    private int _length;
    private int _count;
    private Range _postings;

    /// <param name="bucket">As it was stored.</param>
    /// <param name="documents">How many the segment has.</param>
    public TermBucketReader(ReadOnlyMemory<byte> bucket, int documents)
    {
        (_bucket, _documents) = (bucket, documents);
        IsDamaged = bucket.IsEmpty || bucket.Span[0] != TermBucket.Version;
    }

    public bool IsDamaged { get; private set; }

    public ReadOnlySpan<byte> Term => _term.AsSpan(0, _length);

    /// <summary>To the next word; false at the end.</summary>
    public bool Next()
    {
        var rest = IsDamaged ? default : _bucket.Span[_offset..];
        if (rest.IsEmpty)
        {
            return false;
        }
        bool whole = TryTerm(ref rest) && Varint.TryRead(ref rest, out uint count) && Varint.TryRead(ref rest, out uint size) && Accept(rest, count, size);
        IsDamaged = !whole;
        return whole;

        bool Accept(ReadOnlySpan<byte> after, uint documents, uint bytes)
        {
            if (documents == 0 || documents > bytes || bytes > after.Length)
            {
                return false;
            }
            int start = _bucket.Length - after.Length;
            (_count, _postings, _offset) = ((int)documents, start..(start + (int)bytes), start + (int)bytes);
            return true;
        }
    }

    /// <summary>Marks the messages that the word is in; false where they make no sense.</summary>
    public bool TryMark(ulong[] marks)
    {
        foreach (int document in Documents())
        {
            marks[document >> 6] |= 1UL << (document & 63);
        }
        return !IsDamaged;
    }

    /// <summary>The messages that the word is in; false where they make no sense.</summary>
    public bool TryRead(List<int> documents)
    {
        foreach (int document in Documents())
        {
            documents.Add(document);
        }
        return !IsDamaged;
    }

    private Postings Documents() => new(this);

    private ref struct Postings(TermBucketReader reader)
    {
        private ReadOnlySpan<byte> _rest = reader._bucket.Span[reader._postings];
        private long _document = -1;
        private int _left = reader._count;

        public readonly int Current => (int)_document;

        public readonly Postings GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_left-- == 0)
            {
                reader.IsDamaged = !_rest.IsEmpty;
                return false;
            }
            reader.IsDamaged = !Varint.TryRead(ref _rest, out uint distance) || (_document += distance + 1L) >= reader._documents;
            return !reader.IsDamaged;
        }
    }

    // A later word shares all that it can with the one before, so it has a greater byte where they part.
    private bool TryTerm(ref ReadOnlySpan<byte> rest)
    {
        if (!Varint.TryRead(ref rest, out uint shared) || !Varint.TryRead(ref rest, out uint length)
            || shared > (uint)_length || length == 0 || length > TermBucket.MaxTermSize - shared || length > (uint)rest.Length
            || (shared < (uint)_length && rest[0] <= _term[shared]))
        {
            return false;
        }
        rest[..(int)length].CopyTo(_term.AsSpan((int)shared));
        _length = (int)(shared + length);
        rest = rest[(int)length..];
        return true;
    }
}
