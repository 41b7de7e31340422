using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is demanded of a report besides that it is genuine (docs/spec/snp.md, section 4).</summary>
public sealed record SnpReportPolicy
{
    /// <summary>The roots that may stand at the end of the chain, each for its product.</summary>
    public required ImmutableArray<TrustedRoot> Roots { get; init; }

    /// <summary>Fields that must have one of the listed values. A field that is not named is not compared; an empty list accepts no value.</summary>
    public IReadOnlyDictionary<SnpField, ImmutableArray<ReadOnlyMemory<byte>>> Expected { get; init; } = new Dictionary<SnpField, ImmutableArray<ReadOnlyMemory<byte>>>();

    /// <summary>The oldest accepted version of each part of the reported firmware. Zero accepts every version of a part.</summary>
    public TcbVersion MinimumTcb { get; init; }

    /// <summary>No debugging, no migration agent, and every reserved bit as the specification says.</summary>
    public bool SpecificationDefaults { get; init; } = true;

    /// <summary>A guest that is bound to one socket is refused, as the specification's defaults have it.</summary>
    public bool SingleSocketRefused { get; init; }

    /// <summary>A report signed with a key lent to a cloud (VLEK) is accepted. Such a key says nothing about which chip it is.</summary>
    public bool VlekAccepted { get; init; }

    /// <summary>How the machine and the guest must be hardened. Null: a report alone, of which nothing of the kind is asked.</summary>
    public SnpHardening? Hardening { get; init; }
}

/// <summary>How a machine that runs an enclave must be hardened.</summary>
public sealed record SnpHardening
{
    /// <summary>The oldest firmware that is accepted, per product. A product that is not listed is refused.</summary>
    public required ImmutableArray<TcbFloor> TcbFloors { get; init; }

    /// <summary>The lowest ABI version that the guest's policy must demand of the firmware.</summary>
    public required FirmwareAbi MinimumAbi { get; init; }

    /// <summary>The bits of the mitigation vectors that must be set, at launch and now. Reports before version 5 have none.</summary>
    public required ulong Mitigations { get; init; }

    /// <summary>The bits that the guest's policy must set: what it demands of the platform, such as 23 (power meter off) or 24 (ciphertext hidden).</summary>
    public required ulong GuestDemands { get; init; }
}

/// <summary>Fields that a policy can compare.</summary>
public enum SnpField : byte { Measurement, HostData, ReportData, IdKeyDigest, AuthorKeyDigest }

/// <summary>What endorses a report, each in DER. Empty where it is not there.</summary>
public sealed record SnpCollateral
{
    /// <summary>The chip's certificate: VCEK, or VLEK.</summary>
    public required ReadOnlyMemory<byte> Chip { get; init; }

    /// <summary>ASK, or ASVK. Empty: the one that AMD publishes for the report's product.</summary>
    public ReadOnlyMemory<byte> Intermediate { get; init; }

    /// <summary>ARK. Empty: the one that AMD publishes for the report's product.</summary>
    public ReadOnlyMemory<byte> Root { get; init; }

    /// <summary>The root's list of revoked certificates.</summary>
    public ReadOnlyMemory<byte> RevocationList { get; init; }
}
