using Cloister.Channel.Shaping;

namespace Cloister.Channel.Tests.Shaping;

public class PaceTests
{
    private static readonly TimeSpan Tick = PaceRule.Answering.Tick;

    [Fact]
    public void Without_an_answer_data_leaves_at_once_and_nothing_else_does()
    {
        var pace = new Pace(PaceRule.Answering);
        Assert.Equal(0, pace.Next(0));
        Assert.Equal(256, pace.Next(1));
        Assert.Equal(1024, pace.Next(500));
        Assert.Equal(16384, pace.Next(100_000));
    }

    [Fact]
    public void During_an_answer_one_record_leaves_at_each_tick_with_or_without_data()
    {
        var pace = Begun(PaceRule.Answering);
        Assert.Equal(0, pace.Next(100));
        foreach (int waiting in (int[])[0, 100, 0, 1005, 2010])
        {
            pace.Tick(TimeSpan.Zero);
            Assert.Equal(1024, pace.Next(waiting));
            Assert.Equal(0, pace.Next(waiting));
        }
    }

    [Fact]
    public void More_than_the_usual_raises_the_size_of_that_tick()
    {
        var pace = Begun(PaceRule.Answering);
        pace.Tick(TimeSpan.Zero);
        Assert.Equal(4096, pace.Next(2011));
        pace.Tick(TimeSpan.Zero);
        Assert.Equal(4096, pace.Next(4077));
        pace.Tick(TimeSpan.Zero);
        Assert.Equal(1024, pace.Next(0));
    }

    [Fact]
    public void A_tick_that_was_missed_is_not_made_up_for()
    {
        var pace = Begun(PaceRule.Answering);
        for (int i = 0; i < 5; i++)
        {
            pace.Tick(TimeSpan.Zero);
        }
        Assert.Equal(1024, pace.Next(0));
        Assert.Equal(0, pace.Next(0));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    [InlineData(5, 3)]
    [InlineData(1000, 24)]
    [InlineData(1024, 0)]
    [InlineData(1025, 1023)]
    [InlineData(2050, 1022)]
    public void A_burst_leaves_at_once_and_its_count_is_brought_up_to_one_that_says_little(int records, int cover)
    {
        var pace = Begun(PaceRule.Answering);
        for (int i = 0; i < records; i++)
        {
            Assert.Equal(16384, pace.Next(4078));
        }

        // The burst goes on until a tick finds that it has stopped.
        pace.Tick(TimeSpan.Zero);
        Assert.Equal(1024, pace.Next(0));
        Assert.Equal(0, pace.Next(0));

        pace.Tick(TimeSpan.Zero);
        for (int i = 0; i < cover; i++)
        {
            Assert.Equal(16384, pace.Next(0));
        }
        Assert.Equal(1024, pace.Next(0));
        Assert.Equal(0, pace.Next(0));
    }

    [Fact]
    public void A_request_goes_first_and_what_follows_it_ticks()
    {
        var pace = Begun(PaceRule.Asking);
        Assert.Equal(256, pace.Next(50));
        Assert.Equal(1024, pace.Next(700));
        Assert.Equal(0, pace.Next(0));

        pace.Tick(TimeSpan.Zero);
        Assert.Equal(256, pace.Next(20));
        Assert.Equal(0, pace.Next(20));
        Assert.Equal(1024, pace.Next(700));
    }

    [Fact]
    public void How_a_request_was_cut_into_writes_does_not_show_in_its_burst()
    {
        var pace = Begun(PaceRule.Asking);
        Assert.Equal([16384, 16384, 16384], [pace.Next(20_000), pace.Next(3635), pace.Next(10)]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 1)]
    [InlineData(1, 1)]
    [InlineData(1.1, 2)]
    [InlineData(3.9, 4)]
    [InlineData(4.1, 8)]
    [InlineData(70, 128)]
    public void Ticks_go_on_until_the_period_has_lasted_a_power_of_two_of_seconds(double seconds, double expected)
    {
        var pace = Begun(PaceRule.Answering);
        pace.End(TimeSpan.FromSeconds(seconds));
        Assert.Equal(TimeSpan.FromSeconds(expected), EndOf(pace));
        Assert.Equal(0, pace.Next(0));
        Assert.Equal(256, pace.Next(1));
    }

    [Fact]
    public void Several_answers_are_one_period()
    {
        var pace = Begun(PaceRule.Answering);
        pace.Begin(TimeSpan.FromSeconds(0.5));
        pace.End(TimeSpan.FromSeconds(0.6));
        pace.Tick(TimeSpan.FromSeconds(1.5));
        Assert.True(pace.IsRunning);

        pace.End(TimeSpan.FromSeconds(1.6));
        pace.Tick(TimeSpan.FromSeconds(1.9));
        pace.Begin(TimeSpan.FromSeconds(1.9));
        pace.Tick(TimeSpan.FromSeconds(2.1));
        Assert.True(pace.IsRunning);

        pace.End(TimeSpan.FromSeconds(2.2));
        Assert.Equal(TimeSpan.FromSeconds(4), EndOf(pace));
    }

    [Fact]
    public void A_period_does_not_end_before_its_burst_does()
    {
        var pace = Begun(PaceRule.Answering);
        pace.End(TimeSpan.Zero);
        for (int i = 0; i < 3; i++)
        {
            pace.Next(10_000);
        }
        pace.Tick(TimeSpan.FromSeconds(1));
        Assert.True(pace.IsRunning);
        pace.Tick(TimeSpan.FromSeconds(1) + Tick);
        Assert.False(pace.IsRunning);
        Assert.Equal(16384, pace.Next(0));
        Assert.Equal(0, pace.Next(0));
    }

    private static Pace Begun(PaceRule rule)
    {
        var pace = new Pace(rule);
        pace.Begin(TimeSpan.Zero);
        return pace;
    }

    private static TimeSpan EndOf(Pace pace)
    {
        for (var now = Tick; ; now += Tick)
        {
            pace.Tick(now);
            if (!pace.IsRunning)
            {
                return now;
            }
        }
    }
}
