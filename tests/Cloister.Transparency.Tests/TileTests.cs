using System.Text;
using CsCheck;

namespace Cloister.Transparency.Tests;

public class TileTests
{
    [Theory]
    [InlineData("tile/0/x001/x234/067", 0, 1234067, 256)]
    [InlineData("tile/1/000.p/17", 1, 0, 17)]
    [InlineData("tile/0/x001/234.p/5", 0, 1234, 5)]
    [InlineData("tile/entries/x001/234.p/255", TilePath.EntriesLevel, 1234, 255)]
    [InlineData("tile/63/999", 63, 999, 256)]
    public void A_path_says_which_tile(string path, int level, long index, int width)
    {
        Assert.True(TilePath.TryParse(path, out var tile));
        Assert.Equal(new TilePath(level, index, width), tile);
        Assert.Equal(path, tile.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("tile")]
    [InlineData("tile/0")]
    [InlineData("tile/64/000")]
    [InlineData("tile/00/000")]
    [InlineData("tile/-1/000")]
    [InlineData("tile/0/0")]
    [InlineData("tile/0/0000")]
    [InlineData("tile/0/x000/000")]
    [InlineData("tile/0/001/000")]
    [InlineData("tile/0/x001")]
    [InlineData("tile/0/000.p/0")]
    [InlineData("tile/0/000.p/256")]
    [InlineData("tile/0/000.p/05")]
    [InlineData("tile/0/000.p")]
    [InlineData("tile/0/000.p/5/6")]
    [InlineData("tile/0/.p/5")]
    [InlineData("tile/0/ 00")]
    [InlineData("/tile/0/000")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("tile/data/000")]
    public void Another_spelling_is_refused(string path) => Assert.False(TilePath.TryParse(path, out _));

    [Fact]
    public void What_is_written_is_read() => Gen.Select(Gen.Int[-1, 63], Gen.Long[0, long.MaxValue / 256], Gen.Int[1, 256]).Sample((level, index, width) =>
        TilePath.TryParse(new TilePath(level, index, width).ToString(), out var tile) && tile == new TilePath(level, index, width));

    // The example of tlog-tiles, Partial Tiles: a tree of 70,000.
    [Fact]
    public void Widths_are_those_of_the_published_example()
    {
        Assert.Equal(256, TilePath.InTree(0, 272, 70_000).Width);
        Assert.Equal(112, TilePath.InTree(0, 273, 70_000).Width);
        Assert.Equal(0, TilePath.InTree(0, 274, 70_000).Width);
        Assert.Equal(256, TilePath.InTree(1, 0, 70_000).Width);
        Assert.Equal(17, TilePath.InTree(1, 1, 70_000).Width);
        Assert.Equal(1, TilePath.InTree(2, 0, 70_000).Width);
        Assert.Equal(0, TilePath.InTree(3, 0, 70_000).Width);
        Assert.Equal(1, TilePath.InTree(1, 0, 256).Width);
        Assert.Equal(256, TilePath.InTree(TilePath.EntriesLevel, 0, 256).Width);
        Assert.Equal(0, TilePath.InTree(63, 0, long.MaxValue).Width);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(70_000)]
    public void The_needed_tiles_are_enough_for_proofs(int size)
    {
        var levels = new Dictionary<int, List<TreeHash>>();
        var frontier = new TreeFrontier();
        for (int i = 0; i < size; i++)
        {
            frontier.Append(MerkleTreeTests.Leaf(i), (level, _, hash) => (levels.TryGetValue(level, out var hashes) ? hashes : levels[level] = []).Add(hash));
        }

        foreach (int index in (int[])[0, size / 2, size - 1])
        {
            var tiles = Fetch(TileSet.ForInclusion(index, size));
            Assert.True(InclusionProof.TryMake(tiles.Reader, index, size, out var path));
            Assert.True(InclusionProof.Verify(MerkleTreeTests.Leaf(index), index, size, path, frontier.Root));
            Assert.True(size == 1 || !InclusionProof.TryMake(new TileSet().Reader, index, size, out _));

            tiles = Fetch([.. TileSet.ForConsistency(index, size), .. TileSet.ForRoot(index)]);
            Assert.True(ConsistencyProof.TryMake(tiles.Reader, index, size, out var proof));
            Assert.True(Subtrees.TryHash(tiles.Reader, 0, index, out var old));
            Assert.True(ConsistencyProof.Verify(index, old, size, frontier.Root, proof));
        }
        Assert.True(Subtrees.TryHash(Fetch(TileSet.ForRoot(size)).Reader, 0, size, out var root));
        Assert.Equal(frontier.Root, root);

        TileSet Fetch(IEnumerable<TilePath> paths)
        {
            var tiles = new TileSet();
            foreach (var tile in paths)
            {
                var hashes = levels[tile.Level * TilePath.Height].Skip((int)tile.Index * 256).Take(tile.Width).SelectMany(hash => hash.ToBytes()).ToArray();
                Assert.True(tiles.TryAdd(tile, hashes));
                Assert.False(tiles.TryAdd(tile, hashes.AsSpan(1)));
            }
            return tiles;
        }
    }

    [Fact]
    public void A_bundle_gives_its_entries_back() => Gen.Byte.Array[0, 40].Array[1, 256].Sample(entries =>
    {
        byte[] bytes = EntryBundle.Encode([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)]);
        Assert.True(EntryBundle.TryDecode(bytes, entries.Length, out var decoded, out _));
        Assert.Equal(entries, decoded);
        Assert.False(EntryBundle.TryDecode(bytes, entries.Length + 1, out _, out var error));
        Assert.Equal("length", error.Field);
        Assert.False(EntryBundle.TryDecode([.. bytes, 0], entries.Length, out _, out error));
        Assert.Equal("bundle", error.Field);
    }, iter: 50);

    [Fact]
    public void A_bundle_is_as_published()
    {
        Assert.Equal("000568656c6c6f0000", Convert.ToHexStringLower(EntryBundle.Encode([Encoding.ASCII.GetBytes("hello"), ReadOnlyMemory<byte>.Empty])));
        Assert.Throws<ArgumentException>(() => EntryBundle.Encode([]));
        Assert.Throws<ArgumentException>(() => EntryBundle.Encode([new byte[65536]]));
        Assert.False(EntryBundle.TryDecode([0, 5, 1], 1, out _, out var error));
        Assert.Equal("entry", error.Field);
    }
}
