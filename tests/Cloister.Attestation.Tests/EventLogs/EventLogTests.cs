using System.Text;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>Event logs, whole, spoiled in one place, and replayed.</summary>
public class EventLogTests
{
    [Theory]
    [InlineData(EventLogKind.Tpm)]
    [InlineData(EventLogKind.Tdx)]
    public void A_log_is_read_as_it_was_written(EventLogKind kind)
    {
        var written = kind is EventLogKind.Tpm ? TpmAuthority.Log() : Ccel();
        Assert.True(EventLog.TryParse(written.ToArray(), kind, out var log, out var error), $"{error}");
        Assert.Equal(written.ToArray(), Write(log));
        Assert.True(EventLog.TryParse((byte[])[.. written.ToArray(), .. Enumerable.Repeat((byte)0xff, 100)], kind, out var padded, out _));
        Assert.Equal(log.Events.Length, padded.Events.Length);
        foreach (int register in (int[])[0, 1, 2, 3])
        {
            Assert.Equal(written.Replay(register, TpmHash.Sha384), log.Replay(register, TpmHash.Sha384));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    public void Register_0_begins_with_the_startup_locality(byte locality)
    {
        var written = new EventLogWriter().StartupLocality(locality).Measure(0, EventType.CrtmVersion, [1]);
        Assert.True(EventLog.TryParse(written.ToArray(), EventLogKind.Tpm, out var log, out _));
        Assert.Equal(locality, log.StartupLocality);
        Assert.Equal(written.Replay(0, TpmHash.Sha256), log.Replay(0, TpmHash.Sha256));
    }

    [Fact]
    public void Registers_of_a_dynamic_launch_begin_with_all_bits_set()
    {
        Assert.True(EventLog.TryParse(TpmAuthority.Log().ToArray(), EventLogKind.Tpm, out var log, out _));
        Assert.Equal(new string('f', 64), Hex.Encode(log.Replay(17, TpmHash.Sha256)));
        Assert.Equal(new string('0', 64), Hex.Encode(log.Replay(16, TpmHash.Sha256)));
        Assert.Null(log.Replay(0, TpmHash.Sha1));
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "startup_locality", new EventLogWriter().StartupLocality(1).ToArray() },
        { "startup_locality", new EventLogWriter().StartupLocality(3).StartupLocality(3).ToArray() },
        { "startup_locality", new EventLogWriter().Measure(0, EventType.Action, [1]).StartupLocality(3).ToArray() },
        { "startup_locality", new EventLogWriter().Note([.. "StartupLocality\0"u8]).ToArray() },
        { "startup_locality", new EventLogWriter().Note([.. "StartupLocality\0"u8, 3], register: 1).ToArray() },
        { "index", new EventLogWriter().Measure(24, EventType.Action, [1]).ToArray() },
        { "index", new EventLogWriter().Measure(-1, EventType.Action, [1]).ToArray() },
        { "index", new EventLogWriter().Raw([0]).ToArray() },
        { "digests", new EventLogWriter().Raw([0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0]).ToArray() },
        { "digests", new EventLogWriter().Raw(new byte[12]).ToArray() },
        { "hash", new EventLogWriter().Raw([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, .. new byte[24]]).ToArray() },
        { "hash", new EventLogWriter().Raw([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 11, 0, .. new byte[32], 11, 0, .. new byte[36]]).ToArray() },
        { "event", new EventLogWriter().Raw([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 11, 0, .. new byte[32], 1, 0, 0, 0]).ToArray() },
        { "event", new EventLogWriter().Raw([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 11, 0, .. new byte[32], 0xff, 0xff, 0xff, 0xff]).ToArray() },
        { "index", new EventLogWriter().Raw([.. Enumerable.Repeat((byte)0xff, 20), 0]).ToArray() },
    };

    [Theory, MemberData(nameof(Malformed))]
    public void A_malformed_event_is_refused_by_its_field(string field, byte[] log)
    {
        Assert.False(EventLog.TryParse(log, EventLogKind.Tpm, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Theory]
    [InlineData(0, "header.index")]
    [InlineData(4, "header.type")]
    [InlineData(8, "header.digest")]
    [InlineData(28, "header.size")]
    [InlineData(32, "signature")]
    [InlineData(52, "version")]
    [InlineData(53, "version")]
    [InlineData(56, "algorithms")]
    [InlineData(60, "hash")]
    [InlineData(62, "hash")]
    [InlineData(68, "vendor")]
    public void A_malformed_header_is_refused_by_its_field(int offset, string field)
    {
        byte[] log = new EventLogWriter().ToArray();
        Assert.Equal(69, log.Length);
        log[offset] ^= 0x40;
        Assert.False(EventLog.TryParse(log, EventLogKind.Tpm, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void Too_many_events_or_bytes_are_refused()
    {
        var log = new EventLogWriter();
        for (int i = 0; i <= EventLog.MaxEvents; i++)
        {
            log.Raw([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 11, 0, .. new byte[32], 0, 0, 0, 0]);
        }
        Assert.False(EventLog.TryParse(log.ToArray(), EventLogKind.Tpm, out _, out var error));
        Assert.Equal("events", error.Field);
        Assert.False(EventLog.TryParse(new byte[EventLog.MaxSize + 1], EventLogKind.Tpm, out _, out error));
        Assert.Equal(WireFault.TooLong, error.Fault);
    }

    [Fact]
    public void The_log_of_a_trust_domain_leads_to_its_registers_and_an_index_of_MRTD_is_refused()
    {
        var ccel = Ccel();
        byte[] body = new byte[TdReport.Size10];
        for (int i = 0; i < 4; i++)
        {
            ccel.Replay(i, TpmHash.Sha384).CopyTo(body, 328 + 48 * i);
        }
        using var intel = new TdxAuthority(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.True(TdxQuote.TryParse(intel.Quote(new TdxQuoteParts { Body = made => body.CopyTo(made, 0) }), out var quote, out _));
        var policy = new EventLogPolicy { Registers = [0, 1, 2, 3], Rules = [new("kernel", 1, EventDemand.Present, [KnownEvents.OfData(TpmHash.Sha384, "kernel"u8)])] };

        var result = EventLogVerification.Verify(ccel.ToArray(), quote.Report, policy);
        Assert.True(result.IsAccepted);
        Assert.All(result.Findings, finding => Assert.Equal(Verdict.Passed, finding.Verdict));
        Assert.Equal(EventLogCheck.Replay, EventLogVerification.Verify(ccel.Measure(3, EventType.Action, [1]).ToArray(), quote.Report, policy).FirstFailure);
        Assert.Equal(EventLogCheck.Form, EventLogVerification.Verify(new EventLogWriter(EventLogKind.Tdx).Measure(-1, EventType.Action, [1]).ToArray(), quote.Report, policy).FirstFailure);
        Assert.Equal(EventLogCheck.Form, EventLogVerification.Verify(new EventLogWriter(EventLogKind.Tdx).Measure(4, EventType.Action, [1]).ToArray(), quote.Report, policy).FirstFailure);
    }

    [Fact]
    public void Each_demand_holds_and_breaks()
    {
        const TpmHash sha256 = TpmHash.Sha256;
        string before = KnownEvents.OfData(sha256, [1]), after = KnownEvents.OfData(sha256, [2]), separator = KnownEvents.Separator(sha256), absent = KnownEvents.DebugMode(sha256);
        var log = new EventLogWriter().Measure(7, EventType.Action, [1]).Measure(7, EventType.Separator, new byte[4]).Measure(7, EventType.Action, [2]);

        Assert.True(Holds(EventDemand.Present, after));
        Assert.True(Holds(EventDemand.Present, absent, before));
        Assert.False(Holds(EventDemand.Present, absent));
        Assert.False(Holds(EventDemand.Present));
        Assert.True(Holds(EventDemand.PresentBeforeSeparator, before));
        Assert.False(Holds(EventDemand.PresentBeforeSeparator, after));
        Assert.True(Holds(EventDemand.Absent, absent));
        Assert.False(Holds(EventDemand.Absent, absent, after));
        Assert.True(Holds(EventDemand.OnlyThese, before, separator, after));
        Assert.False(Holds(EventDemand.OnlyThese, before, after));
        Assert.False(Holds((EventDemand)9, before));

        // Over a register that the log need not lead to, and over one that was not quoted.
        Assert.Equal(EventLogCheck.Rules, Verify(new() { Registers = [], Rules = [new("one", 7, EventDemand.Present, [before])] }).FirstFailure);
        Assert.Equal(EventLogCheck.Replay, Verify(new() { Registers = [7, 8], Rules = [] }).FirstFailure);

        bool Holds(EventDemand demand, params string[] digests) => Verify(new() { Registers = [7], Rules = [new("one", 7, demand, [.. digests])] }).IsAccepted;

        EventLogResult Verify(EventLogPolicy policy) =>
            EventLogVerification.Verify(log.ToArray(), EventLogKind.Tpm, sha256, new Dictionary<int, ReadOnlyMemory<byte>> { [7] = log.Replay(7, sha256) }, policy);
    }

    /// <summary>Of every machine whose log was ever read: these are on many lists.</summary>
    [Fact]
    public void Known_events_have_their_known_digests()
    {
        Assert.Equal("df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119", KnownEvents.Separator(TpmHash.Sha256));
        Assert.Equal("ccfc4bb32888a345bc8aeadaba552b627d99348c767681ab3141f5b01e40a40e", KnownEvents.SecureBoot(TpmHash.Sha256, on: true));
        Assert.Equal("115aa827dbccfb44d216ad9ecfda56bdea620b860a94bed5b7a27bba1c4d02d8", KnownEvents.SecureBoot(TpmHash.Sha256, on: false));
        Assert.Equal("3d6772b4f84ed47595d72a2c4c5ffd15f5bb72c7507fe26f2aaee2c69d5633ba", KnownEvents.CallingApplication(TpmHash.Sha256));
    }

    private static EventLogWriter Ccel() => new EventLogWriter(EventLogKind.Tdx).Note([9]).Measure(0, EventType.EfiHandoffTables2, Encoding.ASCII.GetBytes("td_hob"))
        .Measure(1, EventType.EfiBootServicesApplication, "kernel"u8.ToArray()).Measure(2, EventType.Ipl, "command line"u8.ToArray());

    // The format's one encoding, written from what was read.
    private static byte[] Write(EventLog log)
    {
        var bytes = new MemoryStream();
        bytes.Write(new EventLogWriter(log.Kind).ToArray());
        foreach (var one in log.Events)
        {
            bytes.Write([.. BitConverter.GetBytes(one.Index), .. BitConverter.GetBytes((uint)one.Type), .. BitConverter.GetBytes(one.Digests.Length)]);
            foreach (var digest in one.Digests)
            {
                bytes.Write([.. BitConverter.GetBytes((ushort)digest.Hash), .. digest.Value.Span]);
            }
            bytes.Write([.. BitConverter.GetBytes(one.Data.Length), .. one.Data.Span]);
        }
        return bytes.ToArray();
    }
}
