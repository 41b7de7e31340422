using Cloister.Ledger;
using Cloister.Vault.History;
using CsCheck;

namespace Cloister.Vault.Tests.History;

public class ClockTests
{
    private static readonly Gen<Clock> Clocks = Gen.Select(Gen.Long[0, Clock.MaxMilliseconds], Gen.UShort, Gen.Byte.Array[16]).Select((milliseconds, counter, device) =>
    {
        Assert.True(Clock.TryParse($"{milliseconds:x12}{counter:x4}{Convert.ToHexStringLower(device.AsSpan(0, 8))}", out var clock));
        return clock;
    });

    [Fact]
    public void Its_text_is_the_one_of_the_specification()
    {
        var clock = Clock.After(DateTimeOffset.FromUnixTimeMilliseconds(0x0193_4567_89ab), null, Identity.Read("0123456789abcdef"u8));
        Assert.Equal("0193456789ab00003031323334353637", clock.ToString());
    }

    [Fact]
    public void What_is_written_is_read_and_ordered_as_its_text() => Gen.Select(Clocks, Clocks).Sample((a, b) =>
        Clock.TryParse(a.ToString(), out var again) && again == a && Math.Sign(a.CompareTo(b)) == Math.Sign(string.CompareOrdinal(a.ToString(), b.ToString())));

    [Fact]
    public void Whatever_was_seen_is_outdone() => Gen.Select(Clocks, Gen.Long[-10, Clock.MaxMilliseconds], Gen.Byte.Array[16]).Sample((seen, now, device) =>
        Clock.After(DateTimeOffset.FromUnixTimeMilliseconds(now), seen, Identity.Read(device)) > seen);

    [Fact]
    public void A_clock_that_is_ahead_by_years_is_outdone_by_its_next_counter()
    {
        var ahead = Clock.After(Samples.Now.AddYears(500), null, Samples.Id(1));
        var next = Clock.After(Samples.Now, ahead, Samples.Id(2));
        Assert.Equal((ahead.Milliseconds, (ushort)1), (next.Milliseconds, next.Counter));
    }

    [Fact]
    public void After_the_last_counter_comes_the_next_millisecond()
    {
        Assert.True(Clock.TryParse("000000000005ffff0000000000000001", out var full));
        var next = Clock.After(DateTimeOffset.UnixEpoch, full, Samples.Id(0));
        Assert.Equal((6L, (ushort)0), (next.Milliseconds, next.Counter));
    }

    [Fact]
    public void Before_1970_it_is_1970() => Assert.Equal(0, Clock.After(DateTimeOffset.UnixEpoch.AddYears(-3), null, default).Milliseconds);

    [Fact]
    public void The_very_last_clock_stays()
    {
        Assert.True(Clock.TryParse($"{Clock.MaxMilliseconds:x12}ffffffffffffffffffff", out var last));
        Assert.Equal(last, Clock.After(Samples.Now, last, Samples.Id(1)));
        Assert.Equal(DateTimeOffset.MaxValue.ToUnixTimeMilliseconds(), last.Time.ToUnixTimeMilliseconds());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0193456789AB00003031323334353637")]
    [InlineData("0193456789ab0000303132333435363")]
    [InlineData("0193456789ab000030313233343536370")]
    [InlineData("0193456789ab0000303132333435363g")]
    [InlineData("ffffffffffff00003031323334353637")]
    public void Anything_else_is_no_clock(string? text) => Assert.False(Clock.TryParse(text, out _));
}
