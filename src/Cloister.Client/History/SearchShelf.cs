using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Search;

namespace Cloister.Client.History;

/// <summary>A device's own index of words, in its store: derived, sealed for the device, brought up to date from the journal, made again where that does not reach back.</summary>
internal sealed class SearchShelf(HistoryBook book)
{
    // How many come first, how many are opened at once, and the most that one search shows.
    private const int Few = 16;
    private const int Many = 64;
    private const int Most = 1000;

    // As many changed messages are looked through as they are; more are put into the index first.
    private const int Loose = 200;

    // What the directory's row says: up to which turn, and while the index is being made, up to where: a table, and what is known of a place in it.
    private sealed record Directory(ulong Turn, byte[] Cursor, SearchIndex Index)
    {
        public bool IsWhole => Cursor.Length == 0;
    }

    private (ulong Turn, Directory? Directory)? _read;

    /// <summary>The oldest turn whose journal is still needed; none where there is no index yet.</summary>
    public Task<ulong> NeededAsync(CancellationToken cancellationToken) =>
        book.ReadAsync(async () => (await ReadAsync(cancellationToken).ConfigureAwait(false))?.Turn ?? ulong.MaxValue, cancellationToken);

    public async IAsyncEnumerable<SearchHit> SearchAsync(string text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = SearchQuery.Parse(text);
        if (query.IsEmpty)
        {
            yield break;
        }
        foreach (var header in book.List.Conversations)
        {
            if (query.TryExtract(header.Title, out var snippet))
            {
                yield return new(header, null, snippet);
            }
        }
        // The newest by themselves: for few of them few buckets are opened. Who asks for more has more looked for.
        var shown = new HashSet<Identity>();
        foreach (int most in (int[])[Few, Many, Most])
        {
            var found = await FindAsync(query, most, cancellationToken).ConfigureAwait(false);
            foreach (var chunk in found.Where(match => shown.Add(match.Message)).Chunk(Many))
            {
                var messages = await book.ReadAsync(() => MessagesAsync([.. chunk.Select(match => (match.Conversation, match.Message))], cancellationToken), cancellationToken).ConfigureAwait(false);
                foreach (var message in messages.OrderDescending(Message.Order))
                {
                    if (query.TryExtract(message.Text, out var snippet))
                    {
                        yield return new(book.List.Header(message.Conversation), message, snippet);
                    }
                }
            }
            if (found.Count < most)
            {
                break;
            }
        }
    }

    /// <summary>Puts what changed into the index, a piece at a time, until little is left. True where something was done.</summary>
    public async Task<bool> KeepUpAsync(CancellationToken cancellationToken)
    {
        bool any = false;
        while (await book.WriteAsync(batch => StepAsync(batch, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            any = true;
        }
        return any;
    }

    // The newest first that live. What they say is seen when they are opened.
    private async Task<List<SearchMatch>> FindAsync(SearchQuery query, int most, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < 2; attempt++)
        {
            await KeepUpAsync(cancellationToken).ConfigureAwait(false);
            var found = await book.ReadAsync(async () =>
            {
                if (await ReadAsync(cancellationToken).ConfigureAwait(false) is not { IsWhole: true } directory)
                {
                    return null;
                }
                if (await LivingAsync(directory.Index, query, most, cancellationToken).ConfigureAwait(false) is not { } indexed)
                {
                    return null;
                }
                var loose = await ChangedAsync(directory.Turn, int.MaxValue, cancellationToken).ConfigureAwait(false);
                var changed = await MessagesAsync(loose.Touches, cancellationToken).ConfigureAwait(false);
                return indexed.Concat(changed.Where(message => query.Matches(message.Text)).Select(message => new SearchMatch(message.Id, message.Conversation, message.Clock)))
                    .DistinctBy(match => match.Message).OrderByDescending(match => match.Clock).ThenByDescending(match => match.Message).ToList();
            }, cancellationToken).ConfigureAwait(false);
            if (found is not null)
            {
                return found;
            }
            await ForgetAsync(cancellationToken).ConfigureAwait(false);
        }
        return [];
    }

    // Matches that live; null where the index is damaged. Deleted messages stay in it for a while, and may be all that is newest: more is asked for until enough live, or there is no more.
    private async ValueTask<List<SearchMatch>?> LivingAsync(SearchIndex index, SearchQuery query, int most, CancellationToken cancellationToken)
    {
        for (int limit = most; ; limit *= 2)
        {
            var answer = await index.FindAsync(query, limit, OpenBucketsAsync, cancellationToken).ConfigureAwait(false);
            if (answer.IsDamaged)
            {
                return null;
            }
            var living = await LivingAsync([.. answer.Matches.Select(match => match.Message)], cancellationToken).ConfigureAwait(false);
            if (answer.IsComplete || answer.Matches.Length < limit || living.Count >= most)
            {
                return [.. answer.Matches.Where(match => living.Contains(match.Message)).Take(most)];
            }
        }
    }

    private async ValueTask<IReadOnlySet<Identity>> LivingAsync(IReadOnlyList<Identity> messages, CancellationToken cancellationToken)
    {
        byte[]?[] places = await book.Store.GetAllAsync(StoreTable.Leaves, [.. messages.Select(message => (ReadOnlyMemory<byte>)StoreKeys.Place(message))], cancellationToken).ConfigureAwait(false);
        return messages.Zip(places).Where(pair => Lives(pair.First, pair.Second)).Select(pair => pair.First).ToHashSet();

        bool Lives(Identity message, byte[]? place) =>
            book.State.Unsent.TryGetValue(message, out var unsent) ? !unsent.IsTombstone
            : book.State.InFlight.TryGetValue(message, out var sent) ? !sent.IsTombstone
            : place is not null;
    }

    // One step: a piece of a new index, a piece of the journal, or small segments made one. The buckets and the directory that names them are one batch.
    private async ValueTask<bool> StepAsync(WriteBatch batch, CancellationToken cancellationToken)
    {
        ulong begin = await book.Store.GetAsync(StoreTable.Index, StoreKeys.JournalBegin, cancellationToken).ConfigureAwait(false) is { } row ? BinaryPrimitives.ReadUInt64BigEndian(row) : 0;
        var directory = await ReadAsync(cancellationToken).ConfigureAwait(false);
        if (directory is null || directory.Turn < begin)
        {
            batch.DeleteRange(StoreTable.Index, StoreKeys.Words(""), [2]);
            await PutDirectoryAsync(batch, new(book.State.Turn, [(byte)StoreTable.Outbox], SearchIndex.Empty), cancellationToken).ConfigureAwait(false);
            return true;
        }
        if (!directory.IsWhole)
        {
            var (places, cursor) = directory.Cursor[0] == (byte)StoreTable.Outbox ? Outgoing(directory.Cursor) : await ItemsAsync(directory.Cursor, cancellationToken).ConfigureAwait(false);
            var index = await AddAsync(batch, directory.Index, places, cancellationToken).ConfigureAwait(false);
            await PutDirectoryAsync(batch, new(directory.Turn, cursor, index), cancellationToken).ConfigureAwait(false);
            return true;
        }
        if (directory.Index.NeedsMerge)
        {
            return await MergeAsync(batch, directory, cancellationToken).ConfigureAwait(false);
        }
        var changed = await ChangedAsync(directory.Turn, SearchIndex.MaxAdded, cancellationToken).ConfigureAwait(false);
        if (changed.Touches.Count > Loose || changed.Turn - directory.Turn > Most)
        {
            var index = await AddAsync(batch, directory.Index, changed.Touches, cancellationToken).ConfigureAwait(false);
            await PutDirectoryAsync(batch, new(changed.Turn, [], index), cancellationToken).ConfigureAwait(false);
            return true;
        }
        return false;
    }

    // What is in the outbox is in the journal of no turn that is left, so it comes first, by itself, and what is taken meanwhile is found among the items. By name, because it may be
    // dissolved and sent again meanwhile.
    private (IReadOnlyList<(Identity Place, Identity Item)> Places, byte[] Cursor) Outgoing(byte[] cursor)
    {
        var (unsent, inFlight) = (book.State.Unsent, book.State.InFlight);
        Identity? last = cursor.Length > 1 ? Identity.Read(cursor.AsSpan(1)) : null;
        Identity[] items = [.. inFlight.Keys.Union(unsent.Keys).Where(item => last is null || item > last).Order().Take(SearchIndex.MaxAdded)];
        return ([.. items.Select(item => ((unsent.TryGetValue(item, out var outgoing) ? outgoing : inFlight[item]).Place, item))],
            items.Length < SearchIndex.MaxAdded ? [(byte)StoreTable.Items] : [(byte)StoreTable.Outbox, .. items[^1].ToArray()]);
    }

    private async ValueTask<(IReadOnlyList<(Identity Place, Identity Item)> Places, byte[] Cursor)> ItemsAsync(byte[] cursor, CancellationToken cancellationToken)
    {
        var rows = await book.Store.ReadRangeAsync(StoreTable.Items, cursor.AsMemory(1), default, SearchIndex.MaxAdded, cancellationToken).ConfigureAwait(false);
        return ([.. rows.Select(HeldItem.OfItemRow).Select(held => (held.Place, held.Item))], rows.Count < SearchIndex.MaxAdded ? [] : [(byte)StoreTable.Items, .. StoreKeys.Next(rows[^1].Key)]);
    }

    private async ValueTask<bool> MergeAsync(WriteBatch batch, Directory directory, CancellationToken cancellationToken)
    {
        var buckets = new List<SearchBucket>();
        var merged = await directory.Index.MergeAsync(LivingAsync, OpenBucketsAsync, Collect(buckets), cancellationToken).ConfigureAwait(false);
        if (merged is null)
        {
            batch.Delete(StoreTable.Index, StoreKeys.Directory);
            return true;
        }
        foreach (var gone in directory.Index.Keys.Except(merged.Keys))
        {
            batch.Delete(StoreTable.Index, StoreKeys.Words($"{gone}"));
        }
        await PutAsync(batch, buckets, cancellationToken).ConfigureAwait(false);
        await PutDirectoryAsync(batch, directory with { Index = merged }, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async ValueTask<SearchIndex> AddAsync(WriteBatch batch, SearchIndex index, IEnumerable<(Identity Place, Identity Item)> places, CancellationToken cancellationToken)
    {
        foreach (var chunk in places.Chunk(SearchIndex.MaxAdded))
        {
            var buckets = new List<SearchBucket>();
            SearchDocument[] documents = [.. (await MessagesAsync(chunk, cancellationToken).ConfigureAwait(false)).Select(SearchDocument.Of)];
            index = documents.Length == 0 ? index : await index.AddAsync(documents, Collect(buckets), cancellationToken).ConfigureAwait(false);
            await PutAsync(batch, buckets, cancellationToken).ConfigureAwait(false);
        }
        return index;
    }

    private static StoreBucket Collect(List<SearchBucket> buckets) => (bucket, _) =>
    {
        buckets.Add(bucket);
        return ValueTask.CompletedTask;
    };

    private async ValueTask PutAsync(WriteBatch batch, List<SearchBucket> buckets, CancellationToken cancellationToken)
    {
        foreach (var bucket in buckets)
        {
            batch.Put(StoreTable.Index, StoreKeys.Words($"{bucket.Key}"), await book.Keys.SealForDeviceAsync($"{bucket.Key}", bucket.Content, cancellationToken).ConfigureAwait(false));
        }
    }

    // Which messages may have changed since a turn, at most about so many, and up to which turn that is.
    private async ValueTask<(List<(Identity Place, Identity Item)> Touches, ulong Turn)> ChangedAsync(ulong since, int most, CancellationToken cancellationToken)
    {
        var touches = new HashSet<(Identity, Identity)>();
        byte[] from = StoreKeys.Journal(since + 1);
        while (true)
        {
            var rows = await book.Store.ReadRangeAsync(StoreTable.Index, from, StoreKeys.Journal(ulong.MaxValue), Many, cancellationToken).ConfigureAwait(false);
            foreach (var row in rows)
            {
                if (touches.Count >= most)
                {
                    return ([.. touches], BinaryPrimitives.ReadUInt64BigEndian(row.Key.AsSpan(1)) - 1);
                }
                touches.UnionWith(Touch.Read(row.Value).Where(touch => touch.Kind is not TouchKind.Gone && touch.Place != default).Select(touch => (touch.Place, touch.Item)));
            }
            if (rows.Count < Many)
            {
                return ([.. touches], book.State.Turn);
            }
            from = StoreKeys.Next(rows[^1].Key);
        }
    }

    // Those that live, as they are shown. What they were when they came into the index does not matter.
    private async ValueTask<List<Message>> MessagesAsync(IReadOnlyList<(Identity Place, Identity Item)> places, CancellationToken cancellationToken)
    {
        var held = await book.ViewAsync(places, cancellationToken).ConfigureAwait(false);
        return [.. (await book.OpenAsync(held, cancellationToken).ConfigureAwait(false)).Select(one => one.Content).OfType<Message>()];
    }

    private async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>?>> OpenBucketsAsync(IReadOnlyList<BucketKey> keys, CancellationToken cancellationToken)
    {
        byte[]?[] rows = await book.Store.GetAllAsync(StoreTable.Index, [.. keys.Select(key => (ReadOnlyMemory<byte>)StoreKeys.Words($"{key}"))], cancellationToken).ConfigureAwait(false);
        var opened = new ReadOnlyMemory<byte>?[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            byte[]? content = rows[i] is { } row ? await book.Keys.OpenForDeviceAsync($"{keys[i]}", row, cancellationToken).ConfigureAwait(false) : null;
            opened[i] = content is null ? null : content.AsMemory();
        }
        return opened;
    }

    // Read under the book's lock, so it is of the book's turn.
    private async ValueTask<Directory?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_read is not { } read || read.Turn != book.State.Turn)
        {
            _read = read = (book.State.Turn, await OpenAsync(cancellationToken).ConfigureAwait(false));
        }
        return read.Directory;
    }

    private async ValueTask<Directory?> OpenAsync(CancellationToken cancellationToken)
    {
        if (await book.Store.GetAsync(StoreTable.Index, StoreKeys.Directory, cancellationToken).ConfigureAwait(false) is not { Length: > sizeof(ulong) } row
            || row.Length < sizeof(ulong) + 1 + row[sizeof(ulong)])
        {
            return null;
        }
        byte[] cursor = row[(sizeof(ulong) + 1)..(sizeof(ulong) + 1 + row[sizeof(ulong)])];
        return IsCursor(cursor) && await book.Keys.OpenForDeviceAsync("words", row.AsMemory(sizeof(ulong) + 1 + cursor.Length), cancellationToken).ConfigureAwait(false) is { } content
            && SearchIndex.TryParse(content, out var index, out _) ? new(BinaryPrimitives.ReadUInt64BigEndian(row), cursor, index) : null;
    }

    private static bool IsCursor(byte[] cursor) => cursor is [] or [(byte)StoreTable.Outbox] or [(byte)StoreTable.Outbox, .. { Length: Identity.Size }] or [(byte)StoreTable.Items, ..];

    private async ValueTask PutDirectoryAsync(WriteBatch batch, Directory directory, CancellationToken cancellationToken)
    {
        byte[] content = await book.Keys.SealForDeviceAsync("words", directory.Index.ToBytes(), cancellationToken).ConfigureAwait(false);
        batch.Put(StoreTable.Index, StoreKeys.Directory, [.. StoreKeys.Number(directory.Turn), (byte)directory.Cursor.Length, .. directory.Cursor, .. content]);
    }

    private Task<bool> ForgetAsync(CancellationToken cancellationToken) => book.WriteAsync(batch =>
    {
        batch.Delete(StoreTable.Index, StoreKeys.Directory);
        return ValueTask.FromResult(true);
    }, cancellationToken);
}
