using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Every question about an event log, in order (docs/spec/event-log.md, section 4).</summary>
public enum EventLogCheck : byte { Form, Replay, Rules }

/// <summary>The whole account of a log's verification.</summary>
public sealed class EventLogResult
{
    internal EventLogResult(EventLog? log, Findings<EventLogCheck> findings)
    {
        (Log, Findings, FirstFailure) = (log, findings.ToImmutable(), findings.FirstFailure);
        IsAccepted = Findings.All(finding => finding.Verdict is not Verdict.Failed);
    }

    /// <summary>What was read; null where it is no log, or none was asked for. Only the digests of registers that replay are vouched for.</summary>
    public EventLog? Log { get; }

    /// <summary>One for each <see cref="EventLogCheck"/>, in that order.</summary>
    public ImmutableArray<Finding<EventLogCheck>> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the log is accepted.</summary>
    public EventLogCheck? FirstFailure { get; }

    public bool IsAccepted { get; }
}

/// <summary>Does a log lead to the registers of a genuine quote, and is what it tells wanted? A pure function.</summary>
public static class EventLogVerification
{
    /// <summary>Whatever the bytes, nothing is thrown.</summary>
    /// <param name="log">As the firmware wrote it.</param>
    /// <param name="kind">Whose registers it tells of.</param>
    /// <param name="hash">The hash of the quoted registers.</param>
    /// <param name="registers">Their values, from a quote that was found to be genuine.</param>
    /// <param name="policy">What is demanded.</param>
    public static EventLogResult Verify(ReadOnlyMemory<byte> log, EventLogKind kind, TpmHash hash, IReadOnlyDictionary<int, ReadOnlyMemory<byte>> registers, EventLogPolicy policy)
    {
        var findings = new Findings<EventLogCheck>();
        EventLog? read = null;
        if (policy.AsksForNothing)
        {
            foreach (var name in Enum.GetValues<EventLogCheck>())
            {
                findings.Waive(name, "the policy asks for no event log");
            }
        }
        else if (findings.That(EventLogCheck.Form, EventLog.TryParse(log, kind, out read, out var error), "an event log", log.IsEmpty ? "none" : $"{error}"))
        {
            int wrong = FindDifference(read!, hash, registers, policy);
            bool leads = wrong < 0;
            findings.That(EventLogCheck.Replay, leads, $"the quoted value of {policy.Registers.Length} registers", leads ? "the same" : $"register {wrong} is another");
            if (leads)
            {
                var broken = policy.Rules.FirstOrDefault(rule => !Holds(read!, hash, rule, policy));
                findings.That(EventLogCheck.Rules, broken is null, $"{policy.Rules.Length} rules over events", broken is null ? "kept" : $"broken: {broken.Name}");
            }
        }
        return new EventLogResult(read, findings);
    }

    /// <summary>The same for the run-time registers of a trust domain.</summary>
    /// <param name="log">The CCEL.</param>
    /// <param name="report">From a quote that was found to be genuine.</param>
    /// <param name="policy">What is demanded. Its registers are 0 to 3.</param>
    public static EventLogResult Verify(ReadOnlyMemory<byte> log, TdReport report, EventLogPolicy policy)
    {
        var registers = new Dictionary<int, ReadOnlyMemory<byte>>();
        for (int i = 0; i < EventLog.TdxRegisters; i++)
        {
            registers.Add(i, report.RtMr(i).ToArray());
        }
        return Verify(log, EventLogKind.Tdx, TpmHash.Sha384, registers, policy);
    }

    // A register that was not quoted cannot be led to.
    private static int FindDifference(EventLog log, TpmHash hash, IReadOnlyDictionary<int, ReadOnlyMemory<byte>> registers, EventLogPolicy policy)
    {
        foreach (int register in policy.Registers)
        {
            bool same = registers.TryGetValue(register, out var quoted) && log.Replay(register, hash) is { } value && value.AsSpan().SequenceEqual(quoted.Span);
            if (!same)
            {
                return register;
            }
        }
        return -1;
    }

    // Over a register that the log need not lead to, a rule would be over the host's word.
    private static bool Holds(EventLog log, TpmHash hash, EventRule rule, EventLogPolicy policy)
    {
        if (!policy.Registers.Contains(rule.Register))
        {
            return false;
        }
        string separator = KnownEvents.Separator(hash);
        var digests = log.Events.Where(one => one.Register == rule.Register && one.IsMeasured).Select(one => Hex.Encode(one.DigestOf(hash).Span)).ToList();
        return rule.Demand switch
        {
            EventDemand.Present                => digests.Exists(rule.Digests.Contains),
            EventDemand.PresentBeforeSeparator => digests.Contains(separator) && digests[..digests.IndexOf(separator)].Exists(rule.Digests.Contains),
            EventDemand.Absent                 => !digests.Exists(rule.Digests.Contains),
            EventDemand.OnlyThese              => digests.TrueForAll(rule.Digests.Contains),
            _                                  => false,
        };
    }
}
