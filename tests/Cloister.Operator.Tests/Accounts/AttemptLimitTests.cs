using Cloister.Operator.Accounts.SignIn;

namespace Cloister.Operator.Tests.Accounts;

public sealed class AttemptLimitTests
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    [Fact]
    public void Names_are_forgotten_when_there_are_too_many()
    {
        var limit = new AttemptLimit(1, TenMinutes, new ManualTime());
        Assert.True(limit.TryCount(From("first"), out _));
        Assert.False(limit.TryCount(From("first"), out var wait));
        Assert.Equal(TenMinutes, wait);
        for (int i = 0; i < 70_000; i++)
        {
            Assert.True(limit.TryCount(From($"{i}"), out _));
        }
        Assert.True(limit.TryCount(From("first"), out _));
        Assert.False(limit.TryCount(From("69999"), out _));
    }

    [Fact]
    public void A_window_begins_with_its_first_attempt()
    {
        var time = new ManualTime();
        var limit = new AttemptLimit(2, TenMinutes, time);
        Assert.True(limit.TryCount(From("one"), out _));
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.True(limit.TryCount(From("one"), out _));
        Assert.False(limit.TryCount(From("one"), out var wait));
        Assert.Equal(TimeSpan.FromMinutes(1), wait);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(limit.TryCount(From("one"), out _));
        Assert.True(limit.TryCount(From("one"), out _));
        Assert.False(limit.TryCount(From("one"), out _));
    }

    [Fact]
    public void An_attempt_has_its_place_before_it_is_judged_and_leaves_it_where_it_does_not_count()
    {
        var limit = new AttemptLimit(2, TenMinutes, new ManualTime());
        Assert.True(limit.TryBegin(From("one"), out _));
        Assert.True(limit.TryBegin(From("one"), out _));
        Assert.False(limit.TryBegin(From("one"), out var wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait); // one of them may have been right
        limit.End(From("one"), counts: false);
        limit.End(From("one"), counts: true);
        Assert.True(limit.TryCount(From("one"), out _));
        Assert.False(limit.TryBegin(From("one"), out wait));
        Assert.Equal(TenMinutes, wait);
    }

    [Fact]
    public void A_site_has_as_much_as_sixteen_of_its_networks()
    {
        var limit = new AttemptLimit(2, TenMinutes, new ManualTime());
        for (int i = 0; i < 32; i++)
        {
            Assert.True(limit.TryCount(new($"2001:db8:1:{i:x}::/64", "2001:db8:1::/48"), out _));
        }
        Assert.False(limit.TryCount(new("2001:db8:1:ff::/64", "2001:db8:1::/48"), out var wait));
        Assert.Equal(TenMinutes, wait);
        Assert.True(limit.TryCount(new("2001:db8:2::/64", "2001:db8:2::/48"), out _));

        // Whoever goes on from there makes nobody be forgotten, not even itself.
        for (int i = 0; i < 70_000; i++)
        {
            Assert.False(limit.TryBegin(new($"{i}", "2001:db8:1::/48"), out _));
        }
        Assert.False(limit.TryCount(new("2001:db8:1:ff::/64", "2001:db8:1::/48"), out _));
    }

    [Fact]
    public void An_address_without_a_place_takes_none_of_its_sites()
    {
        var limit = new AttemptLimit(1, TenMinutes, new ManualTime());
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(i == 0, limit.TryCount(new("2001:db8:1:1::/64", "2001:db8:1::/48"), out _));
        }
        Assert.True(limit.TryCount(new("2001:db8:1:2::/64", "2001:db8:1::/48"), out _));
    }

    [Fact]
    public void What_counts_for_nothing_makes_nobody_be_forgotten()
    {
        var limit = new AttemptLimit(1, TenMinutes, new ManualTime());
        Assert.True(limit.TryCount(From("first"), out _));
        for (int i = 0; i < 70_000; i++)
        {
            Assert.True(limit.TryBegin(From($"{i}"), out _));
            limit.End(From($"{i}"), counts: false);
        }
        Assert.False(limit.TryCount(From("first"), out _));
    }

    private static ClientAddress From(string address) => new(address, null);
}
