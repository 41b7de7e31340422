using System.Collections.Immutable;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Which GPUs and switches must accompany a machine. There is no "null means unchecked".</summary>
public sealed record NvidiaGpus
{
    /// <summary>Root keys of devices' and of manifests' chains: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> DeviceRoots { get; init; }

    public required ImmutableArray<string> ManifestRoots { get; init; }

    /// <summary>Exactly so many, at least one.</summary>
    public required int GpuCount { get; init; }

    /// <summary>Exactly so many.</summary>
    public required int SwitchCount { get; init; }

    /// <summary>The modes that a GPU may be in.</summary>
    public required ImmutableArray<NvidiaMode> Modes { get; init; }

    /// <summary>The oldest driver, VBIOS and switch BIOS, as NVIDIA writes them.</summary>
    public required string MinimumDriver { get; init; }

    public required string MinimumVbios { get; init; }

    public required string MinimumSwitchBios { get; init; }

    /// <summary>The reference manifests that are accepted, by NVIDIA's ids. An accepted release adds its own. An empty list accepts only those of the release.</summary>
    public required ImmutableArray<string> ManifestIds { get; init; }

    /// <summary>How old an answer about revocation may be, in hours.</summary>
    public required int MaximumOcspHours { get; init; }

    /// <summary>Genuine GPUs in a confidential mode, with manifests that the policy or the release names, every certificate asked about.</summary>
    public static NvidiaGpus Strict(int gpuCount, ImmutableArray<string> manifestIds) => new()
    {
        DeviceRoots = [NvidiaRoot.Device],
        ManifestRoots = [NvidiaRoot.Manifest],
        GpuCount = gpuCount,
        SwitchCount = 0,
        Modes = NvidiaPolicy.Strict(gpuCount).Modes,
        MinimumDriver = "0",
        MinimumVbios = "0",
        MinimumSwitchBios = "0",
        ManifestIds = manifestIds,
        MaximumOcspHours = 24,
    };

    internal string? Fault() =>
        DeviceRoots.IsDefaultOrEmpty || ManifestRoots.IsDefaultOrEmpty || Modes.IsDefault || ManifestIds.IsDefault || ManifestIds.Contains(null!) ? "A list for GPUs is missing or holds nothing."
        : GpuCount is < 1 or > NvidiaGpuEvidence.MaxParts || SwitchCount is < 0 or > NvidiaGpuEvidence.MaxParts ? "The number of GPUs or switches is not one that is accepted."
        : Modes.Contains(NvidiaMode.Unknown) ? "An unknown mode of a GPU is never accepted."
        : MaximumOcspHours is < 1 or > 14 * 24 ? "An answer about revocation may be 1 to 336 hours old."
        : DeviceRoots.Concat(ManifestRoots).All(root => Hex.TryDecode(root, out var bytes) && bytes.Length == 32) ? null : "A root for GPUs is not lower-case hex of its length.";

    /// <summary>The demands, with the manifests that an accepted release names.</summary>
    internal NvidiaPolicy Demands(ReferenceMeasurements? release) => new()
    {
        DeviceRoots = DeviceRoots,
        ManifestRoots = ManifestRoots,
        GpuCount = GpuCount,
        SwitchCount = SwitchCount,
        Modes = Modes,
        MinimumDriver = MinimumDriver,
        MinimumVbios = MinimumVbios,
        MinimumSwitchBios = MinimumSwitchBios,
        Drivers = null,
        Vbioses = null,
        ManifestIds = [.. ManifestIds, .. release?.GpuRims ?? []],
        Revocation = NvidiaRevocation.All,
        MaximumOcspAge = TimeSpan.FromHours(MaximumOcspHours),
    };
}
