using Cloister.Ledger;
using Cloister.Vault.History;
using CsCheck;

namespace Cloister.Vault.Tests.History;

public class MessageTreeTests
{
    [Fact]
    public void Edits_and_other_answers_are_siblings_in_the_order_of_their_clocks()
    {
        var tree = Tree((1, null, 10), (2, 1, 20), (3, 1, 30), (4, 1, 15), (5, 2, 40));
        Assert.Equal([4, 2, 3], Numbers(tree.Children(Samples.Id(1))));
        Assert.Equal([4, 2, 3], Numbers(tree.Siblings(tree.Find(Samples.Id(2))!)));
        Assert.Equal([1], Numbers(tree.Roots));
    }

    [Fact]
    public void Siblings_of_one_clock_are_ordered_by_identity()
    {
        var tree = Tree((3, null, 10), (1, null, 10), (2, null, 10));
        Assert.Equal([1, 2, 3], Numbers(tree.Roots));
    }

    [Fact]
    public void The_branch_goes_through_the_leaf_and_on_to_the_newest()
    {
        var tree = Tree((1, null, 10), (2, 1, 20), (3, 1, 30), (4, 2, 40), (5, 2, 50), (6, 3, 60));
        Assert.Equal([1, 2, 5], Numbers(tree.Branch(Samples.Id(2))));
        Assert.Equal([1, 2, 4], Numbers(tree.Branch(Samples.Id(4))));
    }

    [Fact]
    public void Without_a_leaf_or_with_one_that_is_gone_the_branch_is_the_newest_messages()
    {
        var tree = Tree((1, null, 10), (2, 1, 20), (3, 1, 90), (4, 2, 40));
        Assert.Equal([1, 3], Numbers(tree.Branch(null)));
        Assert.Equal([1, 3], Numbers(tree.Branch(Samples.Id(77))));
        Assert.Empty(Tree().Branch(null));
    }

    [Fact]
    public void A_message_whose_parent_is_gone_is_a_root()
    {
        var tree = Tree((2, 1, 20), (3, 2, 30));
        Assert.Equal([2], Numbers(tree.Roots));
        Assert.Equal([2, 3], Numbers(tree.Branch(null)));
    }

    [Fact]
    public void A_circle_that_somebody_wrote_is_cut_and_hides_nothing()
    {
        var tree = Tree((1, 3, 10), (2, 1, 20), (3, 2, 30), (4, 4, 40));
        Assert.Equal([1, 4], Numbers(tree.Roots));
        Assert.Equal([1, 2, 3], Numbers(tree.Branch(Samples.Id(1))));
    }

    [Fact]
    public void A_hundred_thousand_messages_in_a_row_are_one_branch()
    {
        var tree = MessageTree.Of(Enumerable.Range(1, 100_000).Select(n => Samples.Say(n, n - 1, Samples.At(n))));
        Assert.Equal(100_000, tree.Branch(null).Length);
    }

    [Fact]
    public void Every_message_is_reached_from_a_root_once_whatever_their_parents() => Gen.Select(Gen.Int[0, 12], Gen.Int[0, 5]).Array[0, 12].Sample(messages =>
    {
        var tree = MessageTree.Of(messages.Select((message, at) => Samples.Say(at, message.Item1, Samples.At(message.Item2))));
        var reached = new List<Identity>();
        var next = new Stack<Message>(tree.Roots);
        while (next.TryPop(out var message) && reached.Count <= messages.Length)
        {
            reached.Add(message.Id);
            foreach (var child in tree.Children(message.Id))
            {
                next.Push(child);
            }
        }
        return reached.Count == messages.Length && reached.Distinct().Count() == messages.Length;
    });

    private static MessageTree Tree(params (int Id, int? Parent, int Time)[] messages) =>
        MessageTree.Of(messages.Select(message => Samples.Say(message.Id, message.Parent, Samples.At(message.Time))));

    private static IEnumerable<int> Numbers(IEnumerable<Message> messages) => messages.Select(message => Enumerable.Range(0, 10).Single(n => Samples.Id(n) == message.Id));
}
