using System.Collections.Immutable;
using System.Text;
using Cloister.Ledger;
using Cloister.Vault.Exchange;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Keys;
using Cloister.Vault.Search;

namespace Cloister.Fuzz;

/// <summary>What other devices wrote, what the operator shows, what a device stored, and files that a person imports.</summary>
internal static class HistoryTargets
{
    // Made when first used: see Targets.
    private static readonly Lazy<SearchQuery> Query = new(() => SearchQuery.Parse("the word 日本"));

    /// <summary>What is read is written in its one form, which reads as the same and merges with itself to itself.</summary>
    public static void Content(ReadOnlySpan<byte> input)
    {
        bool read = ItemContent.TryParse(default, input.ToArray(), out var content, out var fault);
        Targets.Require(read == content is not null && read == fault is ContentFault.None && fault is not ContentFault.Unread);
        if (content is null)
        {
            return;
        }
        byte[] form = content.ToBytes();
        Targets.Require(ItemContent.TryParse(default, form, out var again, out _) && again.ToBytes().AsSpan().SequenceEqual(form));
        Targets.Require(ItemContent.Merge(content, again)!.ToBytes().AsSpan().SequenceEqual(form));
        if (content is Registers registers)
        {
            _ = UnlockerEntry.ReadAll(registers);
            _ = DeviceEntry.ReadAll(registers);
            _ = ConversationHeader.Of(default, registers, 0, null).IsShown;
            Targets.Require(ConversationHeader.Delete(registers, DateTimeOffset.UnixEpoch, default).ToBytes().Length > 0);
        }
    }

    /// <summary>Clocks, and places in an order: two lines are two of each.</summary>
    public static void Order(ReadOnlySpan<byte> input)
    {
        string[] lines = Encoding.Latin1.GetString(input).Split('\n', 2);
        if (Clock.TryParse(lines[0], out var clock))
        {
            Targets.Require(clock.ToString() == lines[0] && Clock.After(DateTimeOffset.UnixEpoch, clock, default) >= clock);
        }
        if (!FractionalIndex.TryParse(lines[0], out var place) || input.Length > 1 << 10)
        {
            return;
        }
        Targets.Require(FractionalIndex.Between(null, place) < place && FractionalIndex.Between(place, null) > place);
        if (FractionalIndex.TryParse(lines[^1], out var after) && place < after)
        {
            var middle = FractionalIndex.Between(place, after);
            Targets.Require(place < middle && middle < after && FractionalIndex.TryParse(middle.ToString(), out _));
        }
    }

    /// <summary>A page of the feed: whatever is in it, a device accepts no head that was not signed, and stands no further than it was shown.</summary>
    public static void Page(ReadOnlySpan<byte> input)
    {
        if (!ChangePage.TryParse(input.ToArray(), out var page, out _))
        {
            return;
        }
        var feed = FeedJudgement.Begin(HistorySeeds.Epochs, null);
        _ = feed.NeedsEpochs(page);
        var next = feed.Read(page, out var fault);
        Targets.Require(next is null == fault is not HeadFault.None && (next is null || (next.Position == page.Through && page.Newest.IsSignedBy(HistorySeeds.Epochs[0].HeadKey))));
        bool repeats = page.Changes.DistinctBy(change => change.Item).Count() < page.Changes.Length;
        Targets.Require(FeedJudgement.Changes(page.Changes, _ => null) == (repeats ? HeadFault.Repeated : HeadFault.None));
    }

    public static void Tree(ReadOnlySpan<byte> input)
    {
        if (Subtree.TryParse(input, out var subtree, out _))
        {
            Targets.Require(subtree.ToBytes().AsSpan().SequenceEqual(input));
            var tree = ItemTree.Empty.With([subtree]);
            Targets.Require(tree.Leaves == (ulong)subtree.Leaves.Length && tree.Root.Length == 32);
        }
    }

    /// <summary>A bucket of words that is whole has one form; any is read to its end.</summary>
    public static void Bucket(ReadOnlySpan<byte> input)
    {
        const int documents = 100;
        var reader = new TermBucketReader(input.ToArray(), documents);
        var writer = new TermBucketWriter();
        while (reader.Next())
        {
            var found = new List<int>();
            if (reader.TryRead(found))
            {
                Targets.Require(found.Count > 0 && found.Max() < documents);
                writer.Add(reader.Term.ToArray(), found);
            }
        }
        Targets.Require(reader.IsDamaged || writer.Take().AsSpan().SequenceEqual(input));
        for (int at = 0; at < DocumentBucket.Documents; at++)
        {
            Targets.Require(DocumentBucket.Read(input, at) is null || at < DocumentBucket.Count(input));
        }
    }

    public static void Directory(ReadOnlySpan<byte> input)
    {
        if (SearchIndex.TryParse(input, out var index, out _))
        {
            Targets.Require(index.ToBytes().AsSpan().SequenceEqual(input) && index.Documents >= 0);
            _ = index.NeedsMerge;
            // Nothing that it names is there, so wherever it looks it is damaged.
            var answer = index.FindAsync(Query.Value, 10, (keys, _) => new([.. keys.Select(_ => (ReadOnlyMemory<byte>?)null)]), default).AsTask();
            Targets.Require(answer.IsCompleted && answer.Result.Matches.IsEmpty);
        }
    }

    /// <summary>A text and a query: marks lie in the snippet.</summary>
    public static void Search(ReadOnlySpan<byte> input)
    {
        string[] lines = Encoding.UTF8.GetString(input).Split('\n', 2);
        var query = SearchQuery.Parse(lines[0]);
        bool found = query.TryExtract(lines[^1], out var snippet);
        Targets.Require(found == query.Matches(lines[^1]) && found == snippet is not null);
        foreach (var mark in snippet?.Marks ?? [])
        {
            Targets.Require(snippet!.Text[mark].Length >= 0);
        }
    }

    /// <summary>A file of any kind: what is imported can be written, and reads as the same.</summary>
    public static void Import(ReadOnlySpan<byte> input)
    {
        using var keys = new SeedKeys();
        var import = new HistoryImport(new MemoryStream(input.ToArray()), keys);
        var found = import.ReadAsync(default).GetAsyncEnumerator();
        int count = 0;
        while (Completed(found.MoveNextAsync().AsTask()))
        {
            count++;
            if (found.Current is ImportedItem { Content: var content, Item: var item })
            {
                byte[] bytes = content.ToBytes();
                Targets.Require(ItemContent.TryParse(item, bytes, out var again, out _) && again.ToBytes().AsSpan().SequenceEqual(bytes));
                Targets.Require(content.Kind is not (RegisterKind.Unlockers or RegisterKind.Devices));
            }
        }
        var outcome = import.Outcome;
        Targets.Require(outcome.Conversations + outcome.Messages + outcome.Others <= count && outcome.Notes.Length <= outcome.NoteCount);

        static bool Completed(Task<bool> next)
        {
            Targets.Require(next.IsCompletedSuccessfully);
            return next.Result;
        }
    }
}

/// <summary>Keys that name items and do nothing else.</summary>
internal sealed class SeedKeys() : VaultKeys(HistorySeeds.Epochs, new byte[32])
{
    public override ValueTask<ImmutableArray<SealedChange>> SealAsync(IReadOnlyList<PlainItem> items, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<ImmutableArray<OpenedItem>> OpenAsync(IReadOnlyList<SealedChange> items, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<SignedHead> SignAsync(Head head, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<byte[]> SealForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new InvalidOperationException();

    public override ValueTask<byte[]?> OpenForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new InvalidOperationException();
}
