using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Heads;

namespace Cloister.Vault.Tests.Heads;

/// <summary>An honest account: epochs, batches of changes and their heads, and what an honest operator would answer. Tests make the operator lie.</summary>
internal sealed class TestAccount
{
    private readonly List<Ed25519PrivateKey> _keys = [];
    private readonly List<(SignedHead Head, ImmutableArray<SealedChange> Changes)> _batches = [];
    private readonly Dictionary<Identity, SealedChange> _items = [];

    public TestAccount(byte name = 1)
    {
        Account = AccountNumber.Read([name, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        NewEpoch();
    }

    public AccountNumber Account { get; }

    public ImmutableArray<EpochRecord> Epochs { get; private set; } = [];

    public SignedHead Newest => _batches[^1].Head;

    public SignedHead HeadAt(int sequence) => _batches[sequence - 1].Head;

    public void NewEpoch()
    {
        uint epoch = (uint)_keys.Count + 1;
        var key = Ed25519PrivateKey.ImportSeed(SHA256.HashData([.. Account.ToArray(), (byte)epoch]));
        byte[] content =
        [
            .. EpochRecord.Begin(Account, epoch, key.PublicKey, SHA256.HashData([(byte)epoch])),
            .. new byte[EpochRecord.SealedHeadKeySize + (epoch == 1 ? 0 : EpochRecord.SealedPreviousSize)],
        ];
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        (_keys.Count == 0 ? key : _keys[^1]).Sign(content, signature);
        Assert.True(EpochRecord.TryParse([.. content, .. signature], out var record, out var error), $"{error}");
        Epochs = Epochs.Add(record);
        _keys.Add(key);
    }

    /// <summary>A batch that an honest device writes.</summary>
    public SignedHead Push(params SealedChange[] changes)
    {
        foreach (var change in changes)
        {
            _items[change.Item] = change;
        }
        var tree = TreeOf(_items.Values);
        var head = Sign(new Head(Account, Epochs[^1].Epoch, (ulong)_batches.Count + 1, _batches.Count == 0 ? new byte[32] : Newest.Hash(), tree.Root, tree.Leaves, default));
        _batches.Add((head, [.. changes]));
        return head;
    }

    public SignedHead Sign(Head head)
    {
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        _keys[(int)head.Epoch - 1].Sign(head.ToBytes(), signature);
        return SignedHead.Join(head, signature);
    }

    /// <summary>What an honest operator answers.</summary>
    public ChangePage Page(int after, int? through = null)
    {
        int end = through ?? _batches.Count;
        var changes = _batches.Take(end).Skip(after).SelectMany(batch => batch.Changes).GroupBy(change => change.Item).Select(group => group.Last());
        var unchanged = _batches.Skip(end).SelectMany(batch => batch.Changes).Select(change => change.Item).ToHashSet();
        var heads = after == 0 ? [] : _batches.Take(end).Skip(after).Select(batch => batch.Head);
        return new(Newest, (ulong)end, [.. heads], [.. changes.Where(change => !unchanged.Contains(change.Item))]);
    }

    public static ItemTree TreeOf(IEnumerable<SealedChange> items) =>
        ItemTree.Empty.With([.. items.GroupBy(item => ItemTree.PrefixOf(item.Item)).Select(group => Subtree.Empty(group.Key).With(group.Select(TreeLeaf.Of)))]);
}
