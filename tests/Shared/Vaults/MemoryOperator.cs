using Cloister.Client.History;
using Cloister.Ledger;

namespace Cloister.Testing.Vaults;

/// <summary>An honest operator of one account, in memory, over the real formats: what docs/spec/accounts.md, section 3, says that it checks, it checks.</summary>
public sealed class MemoryOperator(EpochRecord first)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Identity, (SealedChange Change, ulong Sequence)> _items = [];
    private readonly List<byte[]> _seen = [];

    public List<EpochRecord> Epochs { get; } = [first];

    public List<SignedHead> Heads { get; } = [];

    /// <summary>Batches in a page: a small number makes many pages.</summary>
    public int PageBatches { get; set; } = int.MaxValue;

    /// <summary>In sealed bytes; what is beyond is refused, but for tombstones.</summary>
    public long Quota { get; set; } = long.MaxValue;

    public SignedHead? Newest => Heads.Count == 0 ? null : Heads[^1];

    public IReadOnlyCollection<SealedChange> Items => [.. _items.Values.Select(item => item.Change)];

    /// <summary>What was sent, in order, for who sends it again.</summary>
    public IReadOnlyList<byte[]> Seen => _seen;

    /// <summary>Told of every new head.</summary>
    public event Action<ulong>? Advanced;

    public void Begin(EpochRecord epoch)
    {
        lock (_gate)
        {
            Epochs.Add(epoch);
        }
    }

    public PushOutcome Push(byte[] bytes)
    {
        PushOutcome outcome;
        lock (_gate)
        {
            _seen.Add(bytes);
            outcome = Take(bytes);
        }
        if (outcome is PushOutcome.Taken taken)
        {
            Advanced?.Invoke(taken.Sequence);
        }
        return outcome;
    }

    public ChangePage? Fetch(ulong after)
    {
        lock (_gate)
        {
            if (Newest is not { } newest)
            {
                return null;
            }
            ulong through = Math.Min(newest.Head.Sequence, after > ulong.MaxValue - (uint)PageBatches ? ulong.MaxValue : after + (uint)PageBatches);
            ulong from = Math.Min(after, through);
            SealedChange[] changes = [.. _items.Values.Where(item => item.Sequence > from && item.Sequence <= through).OrderBy(item => item.Sequence).Select(item => item.Change)];
            var page = new ChangePage(newest, through, after == 0 ? [] : [.. Heads.Skip((int)from).Take((int)(through - from))], [.. changes]);
            return ChangePage.TryParse(page.ToBytes(), out var read, out _) ? read : throw new InvalidOperationException("The page is none.");
        }
    }

    private PushOutcome Take(byte[] bytes)
    {
        if (!ChangeBatch.TryParse(bytes, out var batch, out _))
        {
            return new PushOutcome.Refused("malformed", "Not this format.");
        }
        var head = batch.Head.Head;
        if (head.Sequence <= (ulong)Heads.Count && Heads[(int)head.Sequence - 1].Bytes.Span.SequenceEqual(batch.Head.Bytes.Span))
        {
            return new PushOutcome.Taken(head.Sequence);
        }
        if (head.Account != Epochs[0].Account || head.Epoch != Epochs[^1].Epoch || !batch.Head.IsSignedBy(Epochs[^1].HeadKey))
        {
            return new PushOutcome.Refused("signature", "Not signed by the current epoch's head key.");
        }
        ulong newest = (ulong)Heads.Count;
        if (head.Sequence != newest + 1 || (newest > 0 && !head.Previous.Span.SequenceEqual(Heads[^1].Hash()))
            || batch.Changes.Any(change => change.Version != 1 + (_items.TryGetValue(change.Item, out var held) ? held.Change.Version : 0)))
        {
            return new PushOutcome.Stale(newest);
        }
        long more = batch.Changes.Sum(change => (long)change.Sealed.Length);
        if (more > 0 && _items.Values.Sum(item => (long)item.Change.Sealed.Length) + more > Quota)
        {
            return new PushOutcome.Refused("quota", "The account is full.");
        }
        Heads.Add(batch.Head);
        foreach (var change in batch.Changes)
        {
            _items[change.Item] = (change, head.Sequence);
        }
        return new PushOutcome.Taken(head.Sequence);
    }
}
