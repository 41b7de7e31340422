using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is demanded of GPUs and switches besides that they are genuine (docs/spec/nvidia.md, section 8).</summary>
/// <remarks>Of the lists null compares nothing, and an empty one accepts nothing.</remarks>
public sealed record NvidiaPolicy
{
    /// <summary>Keys that may stand at the end of devices' chains: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> DeviceRoots { get; init; }

    /// <summary>The same for manifests' chains.</summary>
    public required ImmutableArray<string> ManifestRoots { get; init; }

    /// <summary>Exactly so many; at least one.</summary>
    public required int GpuCount { get; init; }

    /// <summary>Exactly so many.</summary>
    public required int SwitchCount { get; init; }

    /// <summary>The modes that a GPU may be in. <see cref="NvidiaMode.Unknown"/> never is accepted.</summary>
    public required ImmutableArray<NvidiaMode> Modes { get; init; }

    /// <summary>The oldest driver, in decimal parts such as <c>550.144.03</c>.</summary>
    public required string MinimumDriver { get; init; }

    /// <summary>The oldest VBIOS of a GPU, in hexadecimal parts such as <c>96.00.5E.00.01</c>.</summary>
    public required string MinimumVbios { get; init; }

    /// <summary>The oldest BIOS of a switch, in the same form.</summary>
    public required string MinimumSwitchBios { get; init; }

    /// <summary>The drivers that are accepted.</summary>
    public required ImmutableArray<string>? Drivers { get; init; }

    /// <summary>The versions of VBIOS and of switches' BIOS that are accepted.</summary>
    public required ImmutableArray<string>? Vbioses { get; init; }

    /// <summary>The manifests that are accepted, by NVIDIA's ids, such as <c>NV_GPU_DRIVER_GH100_550.144.03</c>.</summary>
    public required ImmutableArray<string>? ManifestIds { get; init; }

    /// <summary>Whose revocation is asked about.</summary>
    public required NvidiaRevocation Revocation { get; init; }

    /// <summary>How old an answer about revocation may be.</summary>
    public required TimeSpan MaximumOcspAge { get; init; }

    /// <summary>Genuine GPUs that encrypt whatever leaves them, with driver and VBIOS as NVIDIA measured them. Says nothing of their versions.</summary>
    public static NvidiaPolicy Strict(int gpuCount) => new()
    {
        DeviceRoots = [NvidiaRoot.Device],
        ManifestRoots = [NvidiaRoot.Manifest],
        GpuCount = gpuCount,
        SwitchCount = 0,
        Modes = [NvidiaMode.SinglePassThrough, NvidiaMode.MultiplePassThrough],
        MinimumDriver = "0",
        MinimumVbios = "0",
        MinimumSwitchBios = "0",
        Drivers = null,
        Vbioses = null,
        ManifestIds = null,
        Revocation = NvidiaRevocation.All,
        MaximumOcspAge = TimeSpan.FromDays(1),
    };
}

/// <summary>Chains about whose certificates there must be an answer. An answer that is there and genuine counts in any case.</summary>
[Flags]
public enum NvidiaRevocation : byte { None = 0, Devices = 1, Manifests = 2, All = Devices | Manifests }

public static class NvidiaRoot
{
    /// <summary>The key of "NVIDIA Device Identity CA".</summary>
    public const string Device = "a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4";

    /// <summary>The key of "NVIDIA CoRIM signing Root CA", which signs manifests in XML too.</summary>
    public const string Manifest = "dec1dc316477aa851eebdf51327ae9f864bc8d89254657ed1e7eb9168af1e1a3";
}
