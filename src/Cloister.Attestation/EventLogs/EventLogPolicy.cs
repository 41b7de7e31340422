using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is demanded of an event log (docs/spec/event-log.md, section 4).</summary>
public sealed record EventLogPolicy
{
    /// <summary>The registers whose quoted value the log must lead to. Rules may be only over these. With neither registers nor rules no log is asked for.</summary>
    public required ImmutableArray<int> Registers { get; init; }

    public required ImmutableArray<EventRule> Rules { get; init; }

    /// <summary>No log is asked for, and one that is there is not looked at.</summary>
    public static EventLogPolicy NotAsked { get; } = new() { Registers = [], Rules = [] };

    internal bool AsksForNothing => Registers.IsEmpty && Rules.IsEmpty;
}

/// <summary>A demand on what was extended into one register. It is over digests alone: types and data of a log are the host's word.</summary>
/// <param name="Name">For people: <c>kernel</c>, <c>initrd</c>, <c>secure boot</c>.</param>
/// <param name="Register">The register's number.</param>
/// <param name="Demand">What must hold.</param>
/// <param name="Digests">In lower-case hex, of the hash of the quoted bank.</param>
public sealed record EventRule(string Name, int Register, EventDemand Demand, ImmutableArray<string> Digests);

public enum EventDemand : byte
{
    /// <summary>One of the digests was extended. That nothing else ran before it, only <see cref="OnlyThese"/> says.</summary>
    Present,

    /// <summary>One of the digests was extended before the register's first separator: by the firmware, not by what it started.</summary>
    PresentBeforeSeparator,

    /// <summary>None of the digests was extended.</summary>
    Absent,

    /// <summary>Nothing but these digests was extended, in any order and number.</summary>
    OnlyThese,
}
