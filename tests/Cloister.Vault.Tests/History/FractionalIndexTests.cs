using Cloister.Vault.History;
using CsCheck;

namespace Cloister.Vault.Tests.History;

public class FractionalIndexTests
{
    private static readonly Gen<FractionalIndex> Places = Gen.Char["0019AZazzzV"].Array[1, 9].Where(letters => letters[^1] != '0').Select(letters => Read(new string(letters)));

    [Fact]
    public void Between_any_two_there_is_another() => Gen.Select(Places, Places).Where((a, b) => a != b).Sample((a, b) =>
    {
        var (low, high) = a < b ? (a, b) : (b, a);
        var middle = FractionalIndex.Between(low, high);
        return low < middle && middle < high && IsWellFormed(middle) && middle.ToString().Length <= Math.Max(low.ToString().Length, high.ToString().Length) + 1;
    }, iter: 20_000);

    [Fact]
    public void Before_and_after_any_there_is_another() => Places.Sample(place =>
    {
        var (before, after) = (FractionalIndex.Between(null, place), FractionalIndex.Between(place, null));
        return before < place && place < after && IsWellFormed(before) && IsWellFormed(after);
    }, iter: 20_000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Ten_thousand_moves_to_an_end_take_few_letters(bool toTheEnd)
    {
        var place = FractionalIndex.First;
        for (int moves = 0; moves < 10_000; moves++)
        {
            var next = toTheEnd ? FractionalIndex.Between(place, null) : FractionalIndex.Between(null, place);
            Assert.True(toTheEnd ? place < next : next < place);
            place = next;
        }
        Assert.InRange(place.ToString().Length, 1, 5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Moves_to_the_same_gap_add_a_letter_in_five(bool high)
    {
        var (low, top) = (Read("V"), Read("W"));
        for (int moves = 0; moves < 1_000; moves++)
        {
            var middle = FractionalIndex.Between(low, top);
            (low, top) = high ? (middle, top) : (low, middle);
        }
        Assert.InRange(low.ToString().Length + top.ToString().Length, 1, 2 * (1_000 / 5) + 10);
    }

    [Fact]
    public void Random_moves_keep_any_order_in_few_letters() => Gen.Int[0, 1_000_000].Array[200].Sample(where =>
    {
        var order = new List<FractionalIndex>();
        foreach (int place in where)
        {
            int at = place % (order.Count + 1);
            order.Insert(at, FractionalIndex.Between(at > 0 ? order[at - 1] : null, at < order.Count ? order[at] : null));
        }
        return order.Zip(order.Skip(1)).All(pair => pair.First < pair.Second) && order.All(index => index.ToString().Length < 24);
    }, iter: 200);

    [Fact]
    public void Many_are_spread_between_two()
    {
        var places = FractionalIndex.Spread(Read("a"), Read("b"), 100);
        Assert.Equal(100, places.Distinct().Count());
        Assert.Equal(places.Order(), places);
        Assert.True(Read("a") < places[0] && places[^1] < Read("b"));
    }

    [Fact]
    public void Between_equal_ones_there_is_none() => Assert.Throws<ArgumentException>(() => FractionalIndex.Between(Read("a"), Read("a")));

    [Fact]
    public void What_has_no_place_comes_last() => Assert.Equal([Read("a"), Read("b"), null], new FractionalIndex?[] { null, Read("b"), Read("a") }.Order(Comparer<FractionalIndex?>.Create(FractionalIndex.Compare)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a0")]
    [InlineData("a-b")]
    [InlineData("é")]
    public void Anything_else_is_no_place(string? text) => Assert.False(FractionalIndex.TryParse(text, out _));

    private static bool IsWellFormed(FractionalIndex index) => FractionalIndex.TryParse(index.ToString(), out _);

    private static FractionalIndex Read(string text) => FractionalIndex.TryParse(text, out var index) ? index : throw new ArgumentException(text);
}
