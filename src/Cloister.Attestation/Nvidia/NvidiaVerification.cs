using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Are GPUs and switches genuine, are driver and VBIOS what NVIDIA measured, and are they what was wanted (docs/spec/nvidia.md)? A pure function.</summary>
public static class NvidiaVerification
{
    /// <summary>Runs every check that the bytes allow to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="nonce">32 bytes: what the devices must have been asked with, all of them.</param>
    /// <param name="now">All dates are compared with it, without allowance.</param>
    /// <returns>One finding per <see cref="NvidiaCheck"/>. Whatever the bytes, nothing is thrown.</returns>
    public static NvidiaResult Verify(NvidiaEvidence evidence, NvidiaCollateral collateral, NvidiaPolicy policy, ReadOnlyMemory<byte> nonce, DateTimeOffset now) =>
        new NvidiaVerifier(collateral, policy, nonce, now).Run(evidence);
}

/// <summary>One verification in progress, in the order of docs/spec/nvidia.md, section 9.</summary>
internal sealed class NvidiaVerifier(NvidiaCollateral collateral, NvidiaPolicy policy, ReadOnlyMemory<byte> nonce, DateTimeOffset now)
{
    private const string NotAsked = "no switches, and no GPU that trusts any";

    private readonly NvidiaFindings _findings = new();
    private readonly CertificateShelf _shelf = new();

    public NvidiaResult Run(NvidiaEvidence evidence)
    {
        var gpus = evidence.Gpus.IsDefault ? [] : evidence.Gpus;
        var switches = evidence.Switches.IsDefault ? [] : evidence.Switches;
        _findings.That(NvidiaCheck.GpuCount, policy.GpuCount > 0 && gpus.Length == policy.GpuCount, $"{policy.GpuCount}, and at least one", $"{gpus.Length}");
        _findings.That(NvidiaCheck.SwitchCount, switches.Length == policy.SwitchCount, $"{policy.SwitchCount}", $"{switches.Length}");

        // Whoever sends more than was asked for does not choose how much work there is.
        if (gpus.Length > policy.GpuCount || switches.Length > policy.SwitchCount)
        {
            return new NvidiaResult(_findings.ToFindings(), []);
        }

        var revocation = new OcspJudgement(collateral.OcspResponses, _shelf, _findings, now);
        var manifests = new ManifestJudgement(policy, _shelf, revocation, _findings, now).Judge(collateral.Manifests);
        var judgement = new DeviceJudgement(policy, nonce, manifests, _shelf, revocation, _findings, now);
        var gpuReports = ImmutableArray.CreateBuilder<JudgedDevice>(gpus.Length);
        for (int i = 0; i < gpus.Length; i++)
        {
            gpuReports.Add(judgement.Judge(gpus[i], $"GPU {i}", isSwitch: false));
        }
        var switchReports = ImmutableArray.CreateBuilder<JudgedDevice>(switches.Length);
        for (int i = 0; i < switches.Length; i++)
        {
            switchReports.Add(judgement.Judge(switches[i], $"switch {i}", isSwitch: true));
        }

        _findings.AskOfAll();
        JudgeDistinct([.. gpuReports, .. switchReports]);
        JudgeDrivers(gpuReports.ToImmutable());
        JudgeTopology(gpuReports.ToImmutable(), switchReports.ToImmutable());
        return new NvidiaResult(_findings.ToFindings(), Described(gpuReports.ToImmutable(), switchReports.ToImmutable()));
    }

    // One device that answers for several would make up the rest of them.
    private void JudgeDistinct(ImmutableArray<JudgedDevice> devices)
    {
        var keys = new HashSet<string>();
        var serials = new HashSet<string>();
        bool distinct = true;
        foreach (var device in devices)
        {
            if (device.Chain is null || device.Identity is null)
            {
                return;
            }
            distinct &= keys.Add(device.Chain.Leaf.Key.Fingerprint) & serials.Add(device.Identity.Serial);
        }
        if (!devices.IsEmpty)
        {
            _findings.That(NvidiaCheck.Distinct, distinct, "no key and no serial number twice", distinct ? "none" : "one device twice");
        }
    }

    private void JudgeDrivers(ImmutableArray<JudgedDevice> gpus)
    {
        bool same = true;
        foreach (var gpu in gpus)
        {
            if (gpu.Driver is null)
            {
                return;
            }
            same &= gpu.Driver == gpus[0].Driver;
        }
        if (!gpus.IsEmpty)
        {
            _findings.That(NvidiaCheck.SameDriver, same, "one version of the driver", same ? gpus[0].Driver! : "several");
        }
    }

    // In protected PCIe mode plaintext crosses the switches. Then those that the GPUs are connected to must be just those that are verified here,
    // and each of these must be connected to all of the GPUs and to no other.
    private void JudgeTopology(ImmutableArray<JudgedDevice> gpus, ImmutableArray<JudgedDevice> switches)
    {
        bool trusted = false;
        foreach (var device in (ImmutableArray<JudgedDevice>)[.. gpus, .. switches])
        {
            if (device.Report is null)
            {
                return;
            }
            trusted |= !device.IsSwitch && device.Report.Fields.Mode is NvidiaMode.ProtectedPcie;
        }
        if (!trusted && switches.IsEmpty && policy.SwitchCount == 0)
        {
            _findings.Waive(NvidiaCheck.GpuTopology, NotAsked);
            _findings.Waive(NvidiaCheck.SwitchTopology, NotAsked);
            return;
        }

        var verified = ImmutableSortedSet.CreateBuilder<ulong>();
        foreach (var one in switches)
        {
            verified.Add(one.Report!.Fields.SwitchPdi ?? 0);
        }
        bool connected = verified.Count == switches.Length && !verified.Contains(0) && !(trusted && verified.Count == 0);
        foreach (var gpu in gpus)
        {
            connected &= verified.SetEquals(gpu.Report!.Fields.ConnectedSwitches);
        }
        _findings.That(NvidiaCheck.GpuTopology, connected, "each GPU connected to just the switches that are verified here", connected ? $"{verified.Count} switches" : "to others, to fewer, or to none");

        bool complete = true;
        foreach (var one in switches)
        {
            complete &= one.Report!.Fields.ConnectedGpus.Count == gpus.Length && one.Report.Fields.ConnectedGpus.SetEquals(switches[0].Report!.Fields.ConnectedGpus);
        }
        _findings.That(NvidiaCheck.SwitchTopology, complete, $"each switch connected to the same {gpus.Length} GPUs", complete ? "connected" : "to others, to more or to fewer");
    }

    private static ImmutableArray<NvidiaDevice> Described(ImmutableArray<JudgedDevice> gpus, ImmutableArray<JudgedDevice> switches)
    {
        var described = ImmutableArray.CreateBuilder<NvidiaDevice>();
        foreach (var device in (ImmutableArray<JudgedDevice>)[.. gpus, .. switches])
        {
            if (device is { Report: { } report, Identity: { } identity })
            {
                described.Add(new NvidiaDevice(device.IsSwitch, identity.Chip, identity.Serial, device.Driver ?? "", device.Vbios ?? "", device.IsSwitch ? NvidiaMode.Unknown : report.Fields.Mode, device.ManifestIds));
            }
        }
        return described.ToImmutable();
    }
}

/// <summary>What was read of a device; null or empty where it could not be.</summary>
internal sealed record JudgedDevice(bool IsSwitch)
{
    public NvidiaReport? Report { get; set; }
    public CertificateChain? Chain { get; set; }
    public NvidiaIdentity? Identity { get; set; }
    public string? Driver { get; set; }
    public string? Vbios { get; set; }
    public ImmutableArray<string> ManifestIds { get; set; } = [];
}
