using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Every question about the evidence of GPUs, in the order in which the first failure names the fault (docs/spec/nvidia.md, section 9).</summary>
public enum NvidiaCheck : byte
{
    GpuCount, SwitchCount,
    ReportForm, ReportFields,
    DeviceChainForm, DeviceRoot, DeviceChain, DeviceValidity, DeviceRevocationKnown, DeviceRevocationAge, DeviceRevocation,
    ReportSignature, Nonce, FirmwareId, Distinct,
    ManifestForm, ManifestChainForm, ManifestRoot, ManifestChain, ManifestValidity, ManifestRevocationKnown, ManifestRevocationAge, ManifestRevocation, ManifestSignature,
    DriverManifest, VbiosManifest, ManifestConflict, Measurements,
    Mode, SameDriver, GpuTopology, SwitchTopology,
    DriverFloor, VbiosFloor, ExpectedDriver, ExpectedVbios, ExpectedManifests,
}

/// <summary>The whole account of a verification.</summary>
public sealed class NvidiaResult
{
    internal NvidiaResult(Findings<NvidiaCheck> findings, ImmutableArray<NvidiaDevice> devices)
    {
        Findings = findings.ToImmutable();
        FirstFailure = findings.FirstFailure;
        Devices = devices;
        IsAccepted = Findings.All(finding => finding.Verdict is not Verdict.Failed);
    }

    /// <summary>One for each <see cref="NvidiaCheck"/>, in that order. Where several devices answer, the first that failed speaks for all.</summary>
    public ImmutableArray<Finding<NvidiaCheck>> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the evidence is accepted.</summary>
    public NvidiaCheck? FirstFailure { get; }

    public bool IsAccepted { get; }

    /// <summary>What the devices say of themselves, those whose report and certificate could be read, whether or not they are genuine.</summary>
    public ImmutableArray<NvidiaDevice> Devices { get; }
}

/// <summary>A GPU or a switch by what it says.</summary>
/// <param name="Chip">Such as <c>GH100</c>.</param>
/// <param name="Serial">The serial number in its certificate.</param>
/// <param name="Driver">Empty for a switch.</param>
/// <param name="Vbios">Of a switch its BIOS.</param>
/// <param name="ManifestIds">NVIDIA's ids of the manifests that belong to it.</param>
public sealed record NvidiaDevice(bool IsSwitch, string Chip, string Serial, string Driver, string Vbios, NvidiaMode Mode, ImmutableArray<string> ManifestIds);
