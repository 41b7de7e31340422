using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Heads;
using CsCheck;

namespace Cloister.Vault.Tests.Heads;

public class ItemTreeTests
{
    // Items that share long beginnings, as nobody's random ones do, beside ordinary ones.
    private static readonly Gen<Identity> Items = Gen.Select(Gen.Int[0, 40], Gen.Int[0, 2], Gen.Byte).Select((common, kind, last) =>
    {
        byte[] bytes = kind == 0 ? SHA256.HashData([last])[..16] : new byte[16];
        bytes[15] = kind == 1 ? last : bytes[15];
        bytes[common % 16] ^= (byte)(kind == 2 ? last : 0);
        return Identity.Read(bytes);
    });

    private static readonly Gen<SealedChange> Changes = Gen.Select(Items, Gen.Int[1, 3], Gen.Int[0, 2]).Select((item, version, content) => new SealedChange(item, (ulong)version, new byte[content]));

    [Fact]
    public void It_is_the_tree_of_the_specification_whatever_the_order() => Gen.Select(Changes.Array[0, 40], Gen.Int[1, 9]).Sample((changes, step) =>
    {
        var tree = ItemTree.Empty;
        var subtrees = new Dictionary<int, Subtree>();
        for (int at = 0; at < changes.Length; at += step)
        {
            foreach (var group in changes.Skip(at).Take(step).GroupBy(change => ItemTree.PrefixOf(change.Item)))
            {
                var subtree = (subtrees.GetValueOrDefault(group.Key) ?? Subtree.Empty(group.Key)).With(group.Select(TreeLeaf.Of));
                Assert.True(Subtree.TryParse(subtree.ToBytes(), out var stored, out var error), $"{error}");
                subtrees[group.Key] = stored;
                tree = tree.With([stored]);
                Assert.True(step % 2 == 0 || tree.Leaves > 0);   // looked at in between or not
            }
        }
        var newest = changes.GroupBy(change => change.Item).Select(group => group.Last()).ToList();
        Assert.True(ItemTree.TryParse(Parts(tree), out var again, out _));
        return tree.Leaves == (ulong)newest.Count && tree.Root.Span.SequenceEqual(Naive(newest, 0)) && again.Root.Span.SequenceEqual(tree.Root.Span);
    }, iter: 2_000);

    [Fact]
    public void A_tree_of_nothing_is_zeros() => Assert.Equal(new byte[32], ItemTree.Empty.Root.ToArray());

    [Fact]
    public void A_tombstone_is_a_leaf_with_a_hash_of_zeros() =>
        Assert.Equal(TreeLeaf.Of(default, 2, new byte[32]), TreeLeaf.Of(new SealedChange(default, 2, default)));

    [Fact]
    public void A_subtree_finds_what_it_holds()
    {
        var leaf = TreeLeaf.Of(new SealedChange(Identity.Read(new byte[16]), 1, new byte[3]));
        var subtree = Subtree.Empty(0).With([leaf]);
        Assert.Equal(leaf, subtree.Find(leaf.Item));
        Assert.Null(subtree.Find(Identity.Read([0, 0, 1, .. new byte[13]])));
        Assert.Throws<ArgumentException>(() => Subtree.Empty(5).With([leaf]));
    }

    [Theory]
    [InlineData(0, 2)]      // version
    [InlineData(1, 0x10)]   // prefix out of range
    [InlineData(2, 1)]      // another prefix
    [InlineData(6, 1)]      // count
    [InlineData(22, 9)]     // order
    public void A_spoiled_subtree_is_refused(int at, byte value)
    {
        var leaves = new byte[] { 1, 2 }.Select(last => TreeLeaf.Of(new SealedChange(Identity.Read([.. new byte[15], last]), 1, default)));
        byte[] bytes = Subtree.Empty(0).With(leaves).ToBytes();
        Assert.True(Subtree.TryParse(bytes, out _, out _));
        bytes[at] = value;
        Assert.False(Subtree.TryParse(bytes, out _, out _));
    }

    [Fact]
    public void Spoiled_parts_are_refused()
    {
        Assert.True(ItemTree.TryParse(Parts(ItemTree.Empty), out var empty, out _) && empty.Leaves == 0);
        Assert.True(ItemTree.TryParse(new ReadOnlyMemory<byte>[ItemTree.Parts], out _, out _));
        Assert.False(ItemTree.TryParse(Parts(ItemTree.Empty)[1..], out _, out _));
        byte[] part = ItemTree.Empty.PartToBytes(3);
        Refused(part[1..]);
        Refused([.. part, 0]);
        Refused([2, .. part.AsSpan(1)]);
        Refused([1, 4, .. part.AsSpan(2)]);
        Refused([1, 3, 255, .. part.AsSpan(3)]);
        Refused([.. part.AsSpan(0, part.Length - 1), 1]);

        static void Refused(byte[] spoiled)
        {
            var parts = Parts(ItemTree.Empty);
            parts[3] = spoiled;
            Assert.False(ItemTree.TryParse(parts, out _, out _));
        }
    }

    [Fact]
    public void A_change_touches_the_part_of_its_subtree_and_no_other()
    {
        var leaf = TreeLeaf.Of(new SealedChange(Identity.Read([0xAB, 0xCD, .. new byte[14]]), 1, new byte[3]));
        int prefix = ItemTree.PrefixOf(leaf.Item);
        Assert.Equal((0xABC, 0xABC / 64), (prefix, ItemTree.PartOf(prefix)));
        var changed = ItemTree.Empty.With([Subtree.Empty(prefix).With([leaf])]);
        Assert.Equal([ItemTree.PartOf(prefix)], Enumerable.Range(0, ItemTree.Parts).Where(part => !changed.PartToBytes(part).SequenceEqual(ItemTree.Empty.PartToBytes(part))));
    }

    private static ReadOnlyMemory<byte>[] Parts(ItemTree tree) => [.. Enumerable.Range(0, ItemTree.Parts).Select(part => (ReadOnlyMemory<byte>)tree.PartToBytes(part))];

    // Word for word from docs/spec/vault.md, section 7.
    private static byte[] Naive(List<SealedChange> items, int depth) => items.Count switch
    {
        0 => new byte[32],
        1 => SHA256.HashData([0, .. items[0].Item.ToArray(), .. BitConverter.GetBytes(items[0].Version).Reverse(), .. items[0].Hash()]),
        _ => SHA256.HashData([1, .. Naive([.. items.Where(item => !item.Item.Bit(depth))], depth + 1), .. Naive([.. items.Where(item => item.Item.Bit(depth))], depth + 1)]),
    };
}
