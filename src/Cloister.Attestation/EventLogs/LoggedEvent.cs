using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Which registers a log speaks of.</summary>
public enum EventLogKind : byte
{
    /// <summary>The platform configuration registers of a TPM, 0 to 23.</summary>
    Tpm,

    /// <summary>The run-time measurement registers of a trust domain, 0 to 3: the log's index is one higher, its index 0 is MRTD.</summary>
    Tdx,
}

/// <summary>What a log says that an event was (PC Client Platform Firmware Profile, section 10.4.1). No register vouches for it: only digests are extended.</summary>
public enum EventType : uint
{
    PrebootCertificate = 0x0000_0000,
    PostCode = 0x0000_0001,
    NoAction = 0x0000_0003,
    Separator = 0x0000_0004,
    Action = 0x0000_0005,
    EventTag = 0x0000_0006,
    CrtmContents = 0x0000_0007,
    CrtmVersion = 0x0000_0008,
    CpuMicrocode = 0x0000_0009,
    PlatformConfigFlags = 0x0000_000a,
    TableOfDevices = 0x0000_000b,
    CompactHash = 0x0000_000c,
    Ipl = 0x0000_000d,
    IplPartitionData = 0x0000_000e,
    NonhostCode = 0x0000_000f,
    NonhostConfig = 0x0000_0010,
    NonhostInfo = 0x0000_0011,
    OmitBootDeviceEvents = 0x0000_0012,
    EfiVariableDriverConfig = 0x8000_0001,
    EfiVariableBoot = 0x8000_0002,
    EfiBootServicesApplication = 0x8000_0003,
    EfiBootServicesDriver = 0x8000_0004,
    EfiRuntimeServicesDriver = 0x8000_0005,
    EfiGptEvent = 0x8000_0006,
    EfiAction = 0x8000_0007,
    EfiPlatformFirmwareBlob = 0x8000_0008,
    EfiHandoffTables = 0x8000_0009,
    EfiPlatformFirmwareBlob2 = 0x8000_000a,
    EfiHandoffTables2 = 0x8000_000b,
    EfiVariableBoot2 = 0x8000_000c,
    EfiHcrtmEvent = 0x8000_0010,
    EfiVariableAuthority = 0x8000_00e0,
    EfiSpdmFirmwareBlob = 0x8000_00e1,
    EfiSpdmFirmwareConfig = 0x8000_00e2,
}

/// <summary>One line of a log.</summary>
/// <param name="Index">As it stands in the log.</param>
/// <param name="Register">The register's number among those of the log's kind; -1 where it names none.</param>
/// <param name="Type">What the log says that it was. Not vouched for.</param>
/// <param name="Digests">At most one for each hash: what was extended.</param>
/// <param name="Data">What the log says besides. Vouched for only where a digest is its hash.</param>
public sealed record LoggedEvent(uint Index, int Register, EventType Type, ImmutableArray<EventDigest> Digests, ReadOnlyMemory<byte> Data)
{
    /// <summary>False for what was only written down.</summary>
    public bool IsMeasured => Type is not EventType.NoAction;

    /// <summary>What was extended into the register of that hash; empty where nothing is said of it.</summary>
    public ReadOnlyMemory<byte> DigestOf(TpmHash hash)
    {
        foreach (var digest in Digests)
        {
            if (digest.Hash == hash)
            {
                return digest.Value;
            }
        }
        return default;
    }
}

/// <summary>A digest and the hash that made it.</summary>
public readonly record struct EventDigest(TpmHash Hash, ReadOnlyMemory<byte> Value);
