using Cloister.Operator.Accounts.SignIn;

namespace Cloister.Operator.Tests.Accounts;

public sealed class AttemptLimitTests
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    [Fact]
    public void Names_are_forgotten_when_there_are_too_many()
    {
        var limit = new AttemptLimit(1, TenMinutes, new ManualTime());
        Assert.True(limit.TryCount("first", out _));
        Assert.False(limit.TryCount("first", out var wait));
        Assert.Equal(TenMinutes, wait);
        for (int i = 0; i < 70_000; i++)
        {
            Assert.True(limit.TryCount($"{i}", out _));
        }
        Assert.True(limit.TryCount("first", out _));
        Assert.False(limit.TryCount("69999", out _));
    }

    [Fact]
    public void A_window_begins_with_its_first_attempt()
    {
        var time = new ManualTime();
        var limit = new AttemptLimit(2, TenMinutes, time);
        Assert.True(limit.TryCount("one", out _));
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.True(limit.TryCount("one", out _));
        Assert.False(limit.TryCount("one", out var wait));
        Assert.Equal(TimeSpan.FromMinutes(1), wait);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(limit.TryCount("one", out _));
        Assert.True(limit.TryCount("one", out _));
        Assert.False(limit.TryCount("one", out _));
    }

    [Fact]
    public void An_attempt_has_its_place_before_it_is_judged_and_leaves_it_where_it_does_not_count()
    {
        var limit = new AttemptLimit(2, TenMinutes, new ManualTime());
        Assert.True(limit.TryBegin("one", out _));
        Assert.True(limit.TryBegin("one", out _));
        Assert.False(limit.TryBegin("one", out var wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait); // one of them may have been right
        limit.End("one", counts: false);
        limit.End("one", counts: true);
        Assert.True(limit.TryCount("one", out _));
        Assert.False(limit.TryBegin("one", out wait));
        Assert.Equal(TenMinutes, wait);
    }

    [Fact]
    public void What_counts_for_nothing_makes_nobody_be_forgotten()
    {
        var limit = new AttemptLimit(1, TenMinutes, new ManualTime());
        Assert.True(limit.TryCount("first", out _));
        for (int i = 0; i < 70_000; i++)
        {
            Assert.True(limit.TryBegin($"{i}", out _));
            limit.End($"{i}", counts: false);
        }
        Assert.False(limit.TryCount("first", out _));
    }
}
