using CsCheck;

namespace Cloister.Transparency.Tests;

public class MerkleTreeTests
{
    // Certificate Transparency's published example: eight leaves and the roots as they are appended.
    private static readonly string[] Leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] Roots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private static readonly Gen<(NaiveTree Tree, int Size)> Trees = Gen.Int[1, 300].Select(size => (Tree(size), size));

    [Fact]
    public void The_published_roots_come_out()
    {
        var frontier = new TreeFrontier();
        Assert.Equal(Roots[0], Convert.ToHexStringLower(frontier.Root.ToBytes()));
        for (int i = 0; i < Leaves.Length; i++)
        {
            frontier.Append(TreeHash.OfLeaf(Convert.FromHexString(Leaves[i])));
            Assert.Equal(Roots[i + 1], Convert.ToHexStringLower(frontier.Root.ToBytes()));
        }
    }

    // RFC 6962, section 2.1.3: the tree of seven leaves d0 to d6, and which of its nodes each proof has.
    [Fact]
    public void The_example_of_RFC_6962_comes_out()
    {
        var leaves = Enumerable.Range(0, 7).Select(i => TreeHash.OfLeaf([(byte)i])).ToArray();
        var (a, b, c, d, e, f, j) = (leaves[0], leaves[1], leaves[2], leaves[3], leaves[4], leaves[5], leaves[6]);
        var (g, h, i) = (TreeHash.OfNode(a, b), TreeHash.OfNode(c, d), TreeHash.OfNode(e, f));
        var (k, l) = (TreeHash.OfNode(g, h), TreeHash.OfNode(i, j));
        var root = TreeHash.OfNode(k, l);
        var tree = new NaiveTree(leaves);
        Assert.Equal(root, tree.Root);

        Included(0, b, h, l);
        Included(3, c, g, l);
        Included(4, f, j, k);
        Included(6, i, k);
        Consistent(3, new NaiveTree(leaves[..3]).Root, c, d, g, l);
        Consistent(4, k, l);
        Consistent(6, new NaiveTree(leaves[..6]).Root, i, j, k);

        void Included(int index, params TreeHash[] path)
        {
            Assert.True(InclusionProof.TryMake(tree.Read, index, 7, out var made));
            Assert.Equal(path, made);
            Assert.True(InclusionProof.Verify(leaves[index], index, 7, path, root));
        }

        void Consistent(int old, TreeHash oldRoot, params TreeHash[] path)
        {
            Assert.True(ConsistencyProof.TryMake(tree.Read, old, 7, out var made));
            Assert.Equal(path, made);
            Assert.True(ConsistencyProof.Verify(old, oldRoot, 7, root, path));
        }
    }

    [Fact]
    public void Proofs_are_those_of_the_naive_tree_and_verify() => Gen.Select(Trees, Gen.Double[0, 1], Gen.Double[0, 1]).Sample((sized, place, older) =>
    {
        var (tree, size) = sized;
        int index = (int)(place * (size - 1)), old = (int)(older * size);
        Assert.True(InclusionProof.TryMake(tree.Read, index, size, out var path));
        Assert.Equal(tree.Path(index, 0, size), path);
        Assert.True(InclusionProof.Verify(tree.Hash(index, index + 1), index, size, path, tree.Root));

        Assert.True(ConsistencyProof.TryMake(tree.Read, old, size, out var proof));
        Assert.Equal(old == 0 ? [] : tree.Proof(old, 0, size, true), proof);
        Assert.True(ConsistencyProof.Verify(old, tree.Hash(0, old), size, tree.Root, proof));
    }, iter: 200);

    [Fact]
    public void A_spoiled_proof_is_refused() => Gen.Select(Trees, Gen.Double[0, 1], Gen.Double[0, 1], Gen.Int[0, 5]).Sample((sized, place, older, spoil) =>
    {
        var (tree, size) = sized;
        int index = (int)(place * (size - 1)), old = (int)(older * size);
        var (leaf, root, wrong) = (tree.Hash(index, index + 1), tree.Root, TreeHash.OfLeaf("wrong"u8));
        Assert.True(InclusionProof.TryMake(tree.Read, index, size, out var path));
        Assert.True(ConsistencyProof.TryMake(tree.Read, old, size, out var proof));
        switch (spoil)
        {
            case 0:
                Assert.False(InclusionProof.Verify(wrong, index, size, path, root));
                Assert.False(old > 0 && ConsistencyProof.Verify(old, wrong, size, root, proof));
                break;
            case 1:
                Assert.False(InclusionProof.Verify(leaf, index, size, path, wrong));
                Assert.False(old > 0 && ConsistencyProof.Verify(old, tree.Hash(0, old), size, wrong, proof));
                break;
            case 2:
                Assert.False(InclusionProof.Verify(leaf, index, size, [.. path, wrong], root));
                Assert.False(ConsistencyProof.Verify(old, tree.Hash(0, old), size, root, [.. proof, wrong]));
                break;
            case 3 when path.Length > 0 && proof.Length > 0:
                Assert.False(InclusionProof.Verify(leaf, index, size, path.AsSpan(1), root));
                Assert.False(ConsistencyProof.Verify(old, tree.Hash(0, old), size, root, proof.AsSpan(1)));
                break;
            case 4 when path.Length > 0 && proof.Length > 0:
                path[^1] = proof[^1] = wrong;
                Assert.False(InclusionProof.Verify(leaf, index, size, path, root));
                Assert.False(ConsistencyProof.Verify(old, tree.Hash(0, old), size, root, proof));
                break;
            default:
                Assert.False(InclusionProof.Verify(leaf, index + 1, size, path, root));
                Assert.False(InclusionProof.Verify(leaf, -1, size, path, root));
                Assert.False(InclusionProof.Verify(leaf, size, size, path, root));
                Assert.False(ConsistencyProof.Verify(size + 1, root, size, root, proof));
                break;
        }
    }, iter: 300);

    [Fact]
    public void A_tree_is_not_taken_for_one_of_another_size()
    {
        var (left, right) = (Leaf(0), Leaf(1));
        var root = TreeHash.OfNode(left, right);
        Assert.True(InclusionProof.Verify(left, 0, 2, [right], root));
        Assert.True(ConsistencyProof.Verify(1, left, 2, root, [right]));
        foreach (int size in (int[])[1, 3, 4, 8])
        {
            Assert.False(InclusionProof.Verify(left, 0, size, [right], root));
            Assert.False(ConsistencyProof.Verify(1, left, size, root, [right]));
        }
    }

    [Fact]
    public void A_frontier_goes_on_where_another_stopped() => Gen.Select(Gen.Int[0, 200], Gen.Int[0, 100]).Sample((first, more) =>
    {
        var all = Enumerable.Range(0, first + more).Select(Leaf).ToArray();
        var frontier = new TreeFrontier();
        var told = new Dictionary<(int, long), TreeHash>();
        Append(frontier, all[..first]);
        Assert.True(TreeFrontier.TryRestore(frontier.Size, frontier.Subtrees.AsSpan(), out var restored));
        Append(restored, all[first..]);
        Assert.Equal(new NaiveTree(all).Root, restored.Root);
        Assert.Equal(all.Length, restored.Size);
        Assert.All(told, one => Assert.Equal(new NaiveTree(all).Read(one.Key.Item1, one.Key.Item2), one.Value));
        Assert.False(TreeFrontier.TryRestore(first, [.. frontier.Subtrees, default], out _));

        void Append(TreeFrontier target, TreeHash[] leaves)
        {
            foreach (var leaf in leaves)
            {
                target.Append(leaf, (level, index, hash) => told.Add((level, index), hash));
            }
        }
    }, iter: 40);

    [Fact]
    public void Huge_sizes_overflow_nothing()
    {
        var path = Enumerable.Repeat(TreeHash.Empty, 63).ToArray();
        Assert.False(InclusionProof.Verify(default, long.MaxValue - 1, long.MaxValue, path, default));
        Assert.False(InclusionProof.Verify(default, 0, long.MaxValue, path, default));
        Assert.False(ConsistencyProof.Verify(long.MaxValue - 1, default, long.MaxValue, default, path));
        Assert.False(ConsistencyProof.Verify(1L << 62, default, long.MaxValue, default, path));
        Assert.True(InclusionProof.TryMake((_, _) => TreeHash.Empty, 1L << 61, long.MaxValue, out var made));
        Assert.Equal(63, made.Length);
    }

    internal static TreeHash Leaf(int index) => TreeHash.OfLeaf(BitConverter.GetBytes(index));

    /// <summary>One text for one hash: the same bits otherwise written are none.</summary>
    [Theory]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true)]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", false)]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", false)]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", false)]
    [InlineData(" AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", false)]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", false)]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", false)]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-=", false)]
    [InlineData("", false)]
    public void A_hash_has_one_text(string text, bool good)
    {
        Assert.Equal(good, TreeHash.TryParse(text, out var hash));
        if (good)
        {
            Assert.Equal(text, $"{hash}");
        }
    }

    private static NaiveTree Tree(int size) => new([.. Enumerable.Range(0, size).Select(Leaf)]);
}
