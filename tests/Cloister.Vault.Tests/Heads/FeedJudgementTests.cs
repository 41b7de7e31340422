using Cloister.Ledger;
using Cloister.Vault.Heads;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Tests.Heads;

/// <summary>An honest feed passes. Then a test for each lie.</summary>
public class FeedJudgementTests
{
    private readonly TestAccount _account = new();

    public FeedJudgementTests()
    {
        for (byte item = 1; item <= 6; item++)
        {
            _account.Push(Change(item, 1), Change((byte)(item + 100), 1));
        }
    }

    [Fact]
    public void An_honest_feed_is_accepted_from_the_start_and_from_any_head_on()
    {
        for (int accepted = 0; accepted <= 6; accepted++)
        {
            var feed = Begin(accepted);
            for (int through = Math.Min(accepted + 2, 6); !Finished(feed); through = Math.Min(through + 2, 6))
            {
                feed = Accept(feed, _account.Page((int)feed.Position, through));
            }
            Assert.Equal(_account.Newest, feed.Newest);
            Assert.Equal(HeadFault.None, FeedJudgement.Tree(feed.Newest!.Head, TestAccount.TreeOf(_account.Page(0).Changes)));
        }

        bool Finished(FeedJudgement feed) => feed.IsComplete && feed.Newest == _account.Newest;
    }

    [Fact]
    public void Heads_that_come_between_two_pages_are_followed()
    {
        var feed = Accept(Begin(2), _account.Page(2, 3));
        _account.Push(Change(50, 1));
        feed = Accept(feed, _account.Page(3));
        Assert.True(feed.IsComplete);
        Assert.Equal(7UL, feed.Position);
    }

    [Fact]
    public void A_new_epoch_is_asked_for_and_then_followed()
    {
        var before = Begin(6);
        _account.NewEpoch();
        _account.Push(Change(9, 1));
        Assert.True(before.NeedsEpochs(_account.Page(6)));
        Assert.False(Begin(6).NeedsEpochs(_account.Page(6)));
        Assert.True(Accept(Begin(6), _account.Page(6)).IsComplete);
    }

    [Fact]
    public void A_head_that_nobody_signed_is_refused()
    {
        var head = _account.Newest.Head;
        Refused(HeadFault.BadSignature, Begin(2), Page(SignedHead.Join(head, new byte[64])));
        Refused(HeadFault.BadSignature, Begin(2), Page(SignedHead.Join(head with { Leaves = 3 }, _account.Newest.Bytes.Span[Head.Size..])));
        Refused(HeadFault.BadSignature, Begin(0), _account.Page(0) with { Newest = SignedHead.Join(head, new byte[64]) });
    }

    [Fact]
    public void Another_accounts_head_is_refused()
    {
        var other = new TestAccount(2);
        other.Push(Change(1, 1));
        Refused(HeadFault.BadSignature, Begin(0), other.Page(0));
    }

    [Fact]
    public void A_head_of_an_epoch_that_there_is_not_is_refused()
    {
        var known = Begin(6);
        _account.NewEpoch();
        _account.Push(Change(9, 1));
        Refused(HeadFault.BadSignature, known, _account.Page(6));
    }

    [Fact]
    public void Somebody_who_was_removed_cannot_go_on_with_the_old_key()
    {
        _account.NewEpoch();
        _account.Push(Change(9, 1));
        var accepted = Accept(Begin(6), _account.Page(6));
        var forged = _account.Sign(_account.Newest.Head with { Epoch = 1, Sequence = 8, Previous = _account.Newest.Hash() });
        Refused(HeadFault.BadSignature, accepted, new(forged, 8, [forged], []));
    }

    [Fact]
    public void An_older_state_is_rolled_back()
    {
        Refused(HeadFault.RolledBack, Begin(4), new(_account.HeadAt(3), 3, [], []));
        var feed = Accept(Begin(2), _account.Page(2, 3));
        Refused(HeadFault.RolledBack, feed, new(_account.HeadAt(5), 5, [_account.HeadAt(4), _account.HeadAt(5)], []));
    }

    [Fact]
    public void Another_head_of_the_accepted_sequence_is_a_fork()
    {
        var other = _account.Sign(_account.HeadAt(6).Head with { Leaves = 99 });
        Refused(HeadFault.Forked, Begin(6), new(other, 6, [], []));
    }

    [Fact]
    public void A_chain_that_does_not_lead_from_the_accepted_head_is_a_fork()
    {
        var page = _account.Page(2);
        var stranger = _account.Sign(_account.HeadAt(3).Head with { Leaves = 99 });
        Refused(HeadFault.Forked, Begin(2), page with { Heads = page.Heads.SetItem(0, stranger) });
        Refused(HeadFault.Forked, Begin(2), page with { Heads = page.Heads.RemoveAt(1) });
        Refused(HeadFault.Forked, Begin(2), page with { Heads = page.Heads.RemoveAt(3) });
        Refused(HeadFault.Forked, Begin(2), page with { Heads = [] });
        Refused(HeadFault.Forked, Begin(2), page with { Heads = [.. page.Heads, _account.HeadAt(6)] });
        var last = _account.Sign(_account.HeadAt(6).Head with { Device = Identity.Read(new byte[15].Append((byte)1).ToArray()) });
        Refused(HeadFault.Forked, Begin(2), page with { Heads = page.Heads.SetItem(3, last) });
    }

    [Fact]
    public void A_newest_head_that_the_chain_then_passes_by_is_a_fork()
    {
        var other = _account.Sign(_account.HeadAt(5).Head with { Leaves = 99 });
        var feed = Accept(Begin(2), _account.Page(2, 3) with { Newest = other });
        Refused(HeadFault.Forked, feed, _account.Page(3));
    }

    [Fact]
    public void A_new_device_that_was_shown_the_beginning_must_be_shown_the_chain_from_there()
    {
        var feed = Accept(Begin(0), _account.Page(0, 3));
        Refused(HeadFault.Forked, feed, _account.Page(3) with { Heads = [] });
        Assert.True(Accept(feed, _account.Page(3)).IsComplete);
    }

    [Fact]
    public void A_feed_that_never_comes_to_its_end_is_omitted()
    {
        Refused(HeadFault.Omitted, Begin(2), _account.Page(2, 2));
        Refused(HeadFault.Omitted, Begin(4), _account.Page(2, 3));
    }

    [Fact]
    public void A_missing_item_is_omitted() =>
        Assert.Equal(HeadFault.Omitted, FeedJudgement.Tree(_account.Newest.Head, TestAccount.TreeOf(_account.Page(0).Changes.RemoveAt(3))));

    [Fact]
    public void Another_item_or_one_more_is_altered()
    {
        var items = _account.Page(0).Changes;
        Assert.Equal(HeadFault.Altered, FeedJudgement.Tree(_account.Newest.Head, TestAccount.TreeOf(items.SetItem(0, items[0] with { Sealed = new byte[] { 7 } }))));
        Assert.Equal(HeadFault.Altered, FeedJudgement.Tree(_account.Newest.Head, TestAccount.TreeOf(items.SetItem(0, items[0] with { Sealed = default }))));
        Assert.Equal(HeadFault.Altered, FeedJudgement.Tree(_account.Newest.Head, TestAccount.TreeOf(items.SetItem(0, items[0] with { Version = 2 }))));
        Assert.Equal(HeadFault.Altered, FeedJudgement.Tree(_account.Newest.Head, TestAccount.TreeOf(items.Add(Change(99, 1)))));
    }

    [Fact]
    public void An_old_version_or_another_of_the_same_is_replayed()
    {
        var held = TreeLeaf.Of(Change(1, 2));
        Assert.Equal(HeadFault.None, FeedJudgement.Changes([Change(1, 2), Change(2, 1)], item => item == held.Item ? held : null));
        Assert.Equal(HeadFault.None, FeedJudgement.Changes([Change(1, 3)], _ => held));
        Assert.Equal(HeadFault.Replayed, FeedJudgement.Changes([Change(1, 1)], _ => held));
        Assert.Equal(HeadFault.Replayed, FeedJudgement.Changes([Change(1, 2) with { Sealed = new byte[] { 9 } }], _ => held));
        Assert.Equal(HeadFault.Replayed, FeedJudgement.Changes([Change(1, 2) with { Sealed = default }], _ => held));
    }

    [Fact]
    public void An_item_that_a_page_names_twice_is_repeated()
    {
        Assert.Equal(HeadFault.None, FeedJudgement.Changes([Change(1, 2), Change(2, 2)], _ => null));
        Assert.Equal(HeadFault.Repeated, FeedJudgement.Changes([Change(1, 2), Change(1, 3)], _ => null));
        Assert.Equal(HeadFault.Repeated, FeedJudgement.Changes([Change(1, 3), Change(1, 2)], _ => null));
        Assert.Equal(HeadFault.Repeated, FeedJudgement.Changes([Change(1, 2), Change(2, 2), Change(1, 2)], _ => null));
        Assert.Equal(HeadFault.Repeated, FeedJudgement.Changes([Change(1, 2), Change(1, 3) with { Sealed = default }], _ => null));
    }

    [Theory]
    [InlineData(OpenFault.Malformed)]
    [InlineData(OpenFault.UnknownEpoch)]
    [InlineData(OpenFault.WrongCommitment)]
    [InlineData(OpenFault.Corrupt)]
    [InlineData(OpenFault.Unopened)]
    public void An_item_that_does_not_open_is_unreadable(OpenFault fault)
    {
        Assert.Equal(HeadFault.Unreadable, FeedJudgement.Opened([new(default, 1, default, OpenFault.None), new(default, 1, default, fault)]));
        Assert.Equal(HeadFault.None, FeedJudgement.Opened([new(default, 1, default, OpenFault.None)]));
    }

    [Fact]
    public void Epochs_that_do_not_follow_each_other_are_broken()
    {
        _account.NewEpoch();
        _account.NewEpoch();
        var all = _account.Epochs;
        var stranger = new TestAccount(2);
        stranger.NewEpoch();
        Assert.Equal(HeadFault.None, FeedJudgement.Epochs([], all));
        Assert.Equal(HeadFault.None, FeedJudgement.Epochs(all[..1], all));
        Assert.Equal(HeadFault.EpochsBroken, FeedJudgement.Epochs(all, all[..2]));
        Assert.Equal(HeadFault.EpochsBroken, FeedJudgement.Epochs([], []));
        Assert.Equal(HeadFault.EpochsBroken, FeedJudgement.Epochs([], all[1..]));
        Assert.Equal(HeadFault.EpochsBroken, FeedJudgement.Epochs([], [all[0], all[2]]));
        Assert.Equal(HeadFault.EpochsBroken, FeedJudgement.Epochs([], [all[0], stranger.Epochs[1]]));
        Assert.Equal(HeadFault.EpochsBroken, FeedJudgement.Epochs(all[..1], stranger.Epochs));
    }

    [Fact]
    public void Every_fault_has_its_number_and_its_story()
    {
        Assert.Equal(["None", "BadSignature", "RolledBack", "Forked", "Omitted", "Altered", "Replayed", "Unreadable", "EpochsBroken", "Repeated"], Enum.GetNames<HeadFault>());
        var stories = Enum.GetValues<HeadFault>().Skip(1).Select(FaultStory.Of).ToList();
        Assert.All(stories, story => Assert.All([story.Happened, story.Means, story.Safe, story.ToDo], sentence => Assert.EndsWith(".", sentence)));
        Assert.Equal(9, stories.Select(story => story.Happened).Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => FaultStory.Of(HeadFault.None));
    }

    private FeedJudgement Begin(int accepted) => FeedJudgement.Begin(_account.Epochs, accepted == 0 ? null : _account.HeadAt(accepted));

    private ChangePage Page(SignedHead newest) => _account.Page(2) with { Newest = newest, Heads = _account.Page(2).Heads.SetItem(3, newest) };

    private static FeedJudgement Accept(FeedJudgement feed, ChangePage page)
    {
        var next = feed.Read(page, out var fault);
        Assert.Equal(HeadFault.None, fault);
        return next!;
    }

    private static void Refused(HeadFault expected, FeedJudgement feed, ChangePage page)
    {
        Assert.Null(feed.Read(page, out var fault));
        Assert.Equal(expected, fault);
    }

    private static SealedChange Change(byte item, ulong version) => new(Identity.Read([item, .. new byte[15]]), version, new byte[] { item, (byte)version });
}
