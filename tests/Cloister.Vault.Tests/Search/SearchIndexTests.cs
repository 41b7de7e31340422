using Cloister.Ledger;
using Cloister.Vault.Search;
using Cloister.Vault.Tests.History;
using CsCheck;

namespace Cloister.Vault.Tests.Search;

public class SearchIndexTests
{
    private static readonly string[] Vocabulary = ["cat", "cats", "category", "dog", "über", "uber", "日本語", "日本", "本", "a", "the"];

    private static readonly Gen<string> Texts = Gen.Int[0, Vocabulary.Length - 1].Array[0, 5].Select(words => string.Join(' ', words.Select(word => Vocabulary[word])));

    [Fact]
    public Task It_finds_what_reading_everything_would_find() => Gen.Select(Texts.Array[0, 12].Array[0, 8], Texts, Gen.Int[0, 5], Gen.Int[1, 20], Gen.Bool).SampleAsync(async (batches, query, mergeEvery, limit, interleaved) =>
    {
        var shelf = new Shelf();
        var index = SearchIndex.Empty;
        var all = new List<SearchDocument>();
        foreach (var (turn, batch) in batches.Index())
        {
            var documents = batch.Select((text, at) => Document(interleaved ? (at * batches.Length) + turn : all.Count + at, text)).ToList();
            all.AddRange(documents);
            index = Stored(await index.AddAsync(documents, shelf.StoreAsync, default), shelf);
            while (mergeEvery > 0 && index.NeedsMerge)
            {
                index = Stored(await MergedAsync(index, All, shelf), shelf);
            }
        }
        var parsed = SearchQuery.Parse(query);
        var expected = all.Where(document => parsed.Matches(document.Text)).OrderByDescending(document => document.Clock).Select(document => document.Message).ToList();
        var found = await index.FindAsync(parsed, limit, shelf.OpenAsync, default);
        Assert.False(found.IsDamaged);
        Assert.Equal(expected.Count <= limit, found.IsComplete);
        Assert.Equal(expected.Take(limit), found.Matches.Select(match => match.Message));
    }, iter: 500);

    [Fact]
    public async Task What_does_not_live_any_more_leaves_when_segments_are_merged()
    {
        var shelf = new Shelf();
        var index = await OneByOneAsync(shelf, [Document(1, "secret"), Document(2, "public"), Document(3, "secret too"), Document(4, "secret again")]);
        index = Stored(await MergedAsync(index, Only(Samples.Id(2)), shelf), shelf);
        Assert.Equal(1, index.Documents);
        Assert.Empty((await index.FindAsync(SearchQuery.Parse("secret"), 10, shelf.OpenAsync, default)).Matches);
        Assert.DoesNotContain(shelf.Buckets.Values, bucket => bucket.AsSpan().IndexOf("secret"u8) >= 0);
    }

    [Fact]
    public async Task Of_segments_of_which_nothing_lives_none_is_left()
    {
        var shelf = new Shelf();
        var index = await OneByOneAsync(shelf, [Document(1, "one"), Document(2, "two"), Document(3, "three"), Document(4, "four")]);
        Assert.Empty((await MergedAsync(index, Only(), shelf)).Keys);
    }

    [Fact]
    public async Task Four_segments_are_merged_at_a_time_and_few_are_left()
    {
        var shelf = new Shelf();
        var index = await OneByOneAsync(shelf, [.. Enumerable.Range(0, 250).Select(number => Document(number, "word"))]);
        while (index.NeedsMerge)
        {
            int before = Segments();
            index = Stored(await MergedAsync(index, All, shelf), shelf);
            Assert.Equal(before - 3, Segments());
        }
        Assert.InRange(Segments(), 1, 12); // of each of four tiers at most three
        Assert.Equal(250, (await index.FindAsync(SearchQuery.Parse("word"), 1000, shelf.OpenAsync, default)).Matches.Length);

        int Segments() => index.Keys.Select(key => key.Segment).Distinct().Count();
    }

    [Fact]
    public async Task A_message_that_was_added_twice_is_found_once()
    {
        var shelf = new Shelf();
        var index = await OneByOneAsync(shelf, [Document(1, "word"), Document(1, "word"), Document(2, "other"), Document(3, "another")]);
        Assert.Single((await index.FindAsync(SearchQuery.Parse("word"), 10, shelf.OpenAsync, default)).Matches);
        Assert.Equal(3, (await MergedAsync(index, All, shelf)).Documents);
    }

    [Fact]
    public async Task A_query_opens_few_of_many_buckets()
    {
        var shelf = new Shelf();
        var index = SearchIndex.Empty;
        for (int batch = 0; batch < 8; batch++)
        {
            var documents = Enumerable.Range(batch * 4000, 4000).Select(number => Document(number, string.Join(' ', Enumerable.Range(0, 30).Select(at => $"w{(number * 31) + (at * at * 7919) % 20011:x}")))).ToList();
            index = await index.AddAsync(documents, shelf.StoreAsync, default);
        }
        while (index.NeedsMerge)
        {
            index = Stored(await MergedAsync(index, All, shelf), shelf);
        }
        Assert.InRange(shelf.Buckets.Count, 100, 5000);
        int before = shelf.Opened;
        Assert.NotEmpty((await index.FindAsync(SearchQuery.Parse("w1f40"), 20, shelf.OpenAsync, default)).Matches);
        Assert.InRange(shelf.Opened - before, 1, 40);
    }

    /// <summary>As on a device that fetched a long history: its segments are of no time in particular.</summary>
    [Fact]
    public async Task The_newest_are_found_without_opening_where_older_ones_stand()
    {
        var shelf = new Shelf();
        var index = SearchIndex.Empty;
        for (int segment = 0; segment < 3; segment++)
        {
            var documents = Enumerable.Range(0, 4000).Select(at => Document((at * 3) + segment, at % 50 == 0 ? "heron" : "other")).ToList();
            index = await index.AddAsync(documents, shelf.StoreAsync, default);
        }
        var found = await index.FindAsync(SearchQuery.Parse("heron"), 4, shelf.OpenAsync, default);
        Assert.Equal([(3950 * 3) + 2, (3950 * 3) + 1, 3950 * 3, (3900 * 3) + 2], found.Matches.Select(match => Enumerable.Range(0, 12_000).Single(number => Samples.Id(number) == match.Message)));
        Assert.InRange(shelf.Opened, 4, 6); // the words of three segments, the newest messages of three
    }

    [Fact]
    public async Task A_damaged_bucket_is_noticed()
    {
        var shelf = new Shelf();
        var index = await OneByOneAsync(shelf, [Document(1, "one two three"), Document(2, "two"), Document(3, "two"), Document(4, "two")]);
        foreach (var (key, bytes) in shelf.Buckets.ToList())
        {
            foreach (byte[] spoiled in new[] { [], [9, .. bytes.AsSpan(1)], bytes[..^1] })
            {
                shelf.Buckets[key] = spoiled;
                Assert.True((await index.FindAsync(SearchQuery.Parse("two"), 10, shelf.OpenAsync, default)).IsDamaged);
                Assert.Null(await index.MergeAsync(All, shelf.OpenAsync, new Shelf().StoreAsync, default));
            }
            shelf.Buckets.Remove(key);
            Assert.True((await index.FindAsync(SearchQuery.Parse("two"), 10, shelf.OpenAsync, default)).IsDamaged);
            shelf.Buckets[key] = bytes;
        }
    }

    [Fact]
    public async Task A_directory_reads_back_and_nothing_else_does()
    {
        byte[] bytes = (await SearchIndex.Empty.AddAsync([Document(1, "one two")], new Shelf().StoreAsync, default)).ToBytes();
        Assert.True(SearchIndex.TryParse(bytes, out var index, out _));
        Assert.Equal(bytes, index.ToBytes());
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(SearchIndex.TryParse(bytes.AsSpan(0, length), out _, out _));
        }
        Assert.False(SearchIndex.TryParse([.. bytes, 0], out _, out _));
        Assert.False(SearchIndex.TryParse([1, .. bytes.AsSpan(1)], out _, out _));
        Assert.False(SearchIndex.TryParse([3, .. bytes.AsSpan(1)], out _, out _));
        Assert.False(SearchIndex.TryParse([2, 0, 0, 0, 0, .. bytes.AsSpan(5)], out _, out _));
    }

    [Fact]
    public async Task A_directory_whose_clocks_go_back_is_none()
    {
        byte[] bytes = (await SearchIndex.Empty.AddAsync([.. Enumerable.Range(0, 600).Select(number => Document(number, "word"))], new Shelf().StoreAsync, default)).ToBytes();
        Assert.True(SearchIndex.TryParse(bytes, out _, out _));
        byte[] spoiled = [.. bytes];
        bytes.AsSpan(15, 16).CopyTo(spoiled.AsSpan(31));
        Assert.True(SearchIndex.TryParse(spoiled, out _, out _)); // as late as the one before
        bytes.AsSpan(31, 16).CopyTo(spoiled.AsSpan(15)); // later than the next
        Assert.False(SearchIndex.TryParse(spoiled, out _, out _));
        spoiled.AsSpan(15, 8).Fill(255);
        Assert.False(SearchIndex.TryParse(spoiled, out _, out _));
    }

    [Fact]
    public async Task At_most_so_many_are_added_at_once() => await Assert.ThrowsAsync<ArgumentException>(async () =>
        await SearchIndex.Empty.AddAsync([.. Enumerable.Range(0, SearchIndex.MaxAdded + 1).Select(number => Document(number, ""))], new Shelf().StoreAsync, default));

    [Fact]
    public void Its_keys_are_written_so() => Assert.Equal("search/7/terms/12", new BucketKey(7, BucketKind.Terms, 12).ToString());

    // As a caller does: what the directory does not name is deleted, and the directory is read back.
    private static SearchIndex Stored(SearchIndex index, Shelf shelf)
    {
        foreach (var stale in shelf.Buckets.Keys.Except(index.Keys).ToList())
        {
            shelf.Buckets.Remove(stale);
        }
        Assert.Equal(index.Keys.Count(), shelf.Buckets.Count);
        Assert.True(SearchIndex.TryParse(index.ToBytes(), out var again, out var error), $"{error}");
        return again;
    }

    // Each in a segment of its own.
    private static async Task<SearchIndex> OneByOneAsync(Shelf shelf, SearchDocument[] documents)
    {
        var index = SearchIndex.Empty;
        foreach (var document in documents)
        {
            index = await index.AddAsync([document], shelf.StoreAsync, default);
        }
        return index;
    }

    private static async Task<SearchIndex> MergedAsync(SearchIndex index, FindLiving living, Shelf shelf) => Assert.IsType<SearchIndex>(await index.MergeAsync(living, shelf.OpenAsync, shelf.StoreAsync, default));

    private static ValueTask<IReadOnlySet<Identity>> All(IReadOnlyList<Identity> messages, CancellationToken cancellationToken) => new(messages.ToHashSet());

    private static FindLiving Only(params Identity[] living) => (messages, _) => new(messages.Intersect(living).ToHashSet());

    private static SearchDocument Document(int number, string text) => new(Samples.Id(number), Samples.Id(-1), Samples.At(number), text);
}
