using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>The questions that are asked of each device (docs/spec/nvidia.md, sections 2 to 6).</summary>
internal sealed class DeviceJudgement(
    NvidiaPolicy policy, ReadOnlyMemory<byte> nonce, ImmutableArray<ReferenceManifest> manifests, CertificateShelf shelf, OcspJudgement revocation, NvidiaFindings findings, DateTimeOffset now)
{
    // The measurement of a video decoder that a board may lack.
    private const int NvdecIndex = 35;
    private const string NotCompared = "the policy does not compare it";

    private static readonly NvidiaCheck[] AskedOfSwitches =
    [
        NvidiaCheck.ReportForm, NvidiaCheck.ReportFields,
        NvidiaCheck.DeviceChainForm, NvidiaCheck.DeviceRoot, NvidiaCheck.DeviceChain, NvidiaCheck.DeviceValidity, NvidiaCheck.DeviceRevocationKnown, NvidiaCheck.DeviceRevocationAge, NvidiaCheck.DeviceRevocation,
        NvidiaCheck.ReportSignature, NvidiaCheck.Nonce, NvidiaCheck.FirmwareId,
        NvidiaCheck.VbiosManifest, NvidiaCheck.Measurements, NvidiaCheck.VbiosFloor, NvidiaCheck.ExpectedVbios, NvidiaCheck.ExpectedManifests,
    ];

    private static readonly NvidiaCheck[] AskedOfGpus =
        [.. AskedOfSwitches, NvidiaCheck.DriverManifest, NvidiaCheck.ManifestConflict, NvidiaCheck.Mode, NvidiaCheck.DriverFloor, NvidiaCheck.ExpectedDriver];

    public JudgedDevice Judge(NvidiaDeviceEvidence evidence, string name, bool isSwitch)
    {
        findings.Ask(name, isSwitch ? AskedOfSwitches : AskedOfGpus);
        var device = new JudgedDevice(isSwitch);
        JudgeChain(device, evidence.Certificates);
        bool read = NvidiaReport.TryParse(evidence.Report, out var report, out var error);
        findings.That(NvidiaCheck.ReportForm, read, "a request for all measurements and the response", $"{error}");
        if (read)
        {
            device.Report = report;
            JudgeReport(device, report!);
            JudgeFields(device, report!);
        }
        return device;
    }

    private void JudgeChain(JudgedDevice device, ReadOnlyMemory<byte> pem)
    {
        var chain = PemCertificates.TrySplit(pem.Span, out var encoded) ? shelf.Read(encoded) : null;
        NvidiaIdentity? identity = null;
        string? fault = chain is null ? "another chain" : chain.FindFault(NvidiaIdentity.LookedAt);
        bool formed = fault is null && NvidiaIdentity.TryRead(chain!.Leaf, out identity);
        findings.That(NvidiaCheck.DeviceChainForm, formed, "a chain of certificates, each named by the next, for a device of NVIDIA", formed ? "well-formed" : fault ?? "another device's");
        if (!formed)
        {
            return;
        }

        (device.Chain, device.Identity) = (chain, identity);
        findings.That(NvidiaCheck.DeviceRoot, policy.DeviceRoots.Contains(chain!.Root.Key.Fingerprint), $"one of {policy.DeviceRoots.Length} pinned roots", $"{chain.Root.Key.Fingerprint[..16]}…");
        bool signed = chain.IsSigned(shelf);
        findings.That(NvidiaCheck.DeviceChain, signed, "each signed by the next", signed ? "signed" : "a signature is wrong");
        bool valid = chain.IsValid(now);
        findings.That(NvidiaCheck.DeviceValidity, valid, "all valid now", valid ? "valid" : "one is not valid now");

        // The first is made by the device itself at each start: nobody keeps a list of those.
        revocation.Judge(chain, 1, policy.Revocation.HasFlag(NvidiaRevocation.Devices), policy.MaximumOcspAge, (NvidiaCheck.DeviceRevocationKnown, NvidiaCheck.DeviceRevocationAge, NvidiaCheck.DeviceRevocation));
    }

    private void JudgeReport(JudgedDevice device, NvidiaReport report)
    {
        bool asked = nonce.Length == NvidiaReport.NonceSize && report.RequestNonce.Span.SequenceEqual(nonce.Span);
        findings.That(NvidiaCheck.Nonce, asked, Hex.Encode(nonce.Span), Hex.Encode(report.RequestNonce.Span));
        if (device is not { Chain: { } chain, Identity: { } identity })
        {
            return;
        }

        bool signed = chain.Leaf.Key.P384?.Verify(report.Signed.Span, HashAlgorithmName.SHA384, report.Signature.Span, EcdsaSignatureFormat.P1363) ?? false;
        findings.That(NvidiaCheck.ReportSignature, signed, "signed by the device's key", signed ? "signed" : "the signature is wrong");

        // A switch's report need not name its firmware; its certificate does.
        var named = report.Fields.FirmwareId.Span;
        bool same = !identity.FirmwareId.IsEmpty && (named.SequenceEqual(identity.FirmwareId.Span) || (device.IsSwitch && named.IsEmpty));
        findings.That(NvidiaCheck.FirmwareId, same, "the firmware that the certificate names", same ? "the same" : named.IsEmpty ? "none named" : "another");
    }

    private void JudgeFields(JudgedDevice device, NvidiaReport report)
    {
        var fields = report.Fields;
        device.Vbios = device.IsSwitch ? fields.SwitchBiosVersion : fields.VbiosVersion;
        device.Driver = device.IsSwitch ? null : fields.DriverVersion;
        bool complete = device.Vbios is not null && (device.IsSwitch || (device.Driver, fields.Project, fields.ProjectSku, fields.ChipSku, fields.HasNvdec) is (not null, not null, not null, not null, not null));
        findings.That(NvidiaCheck.ReportFields, complete, "versions, board and decoder", complete ? "all there" : "one is missing or malformed");
        if (!device.IsSwitch)
        {
            findings.That(NvidiaCheck.Mode, fields.Mode is not NvidiaMode.Unknown && policy.Modes.Contains(fields.Mode), $"one of {string.Join(", ", policy.Modes)}", $"{fields.Mode}");
        }
        if (complete)
        {
            JudgeVersions(device);
        }
        if (complete && device.Identity is { } identity)
        {
            JudgeMeasurements(device, report, identity);
        }
    }

    private void JudgeVersions(JudgedDevice device)
    {
        string floor = device.IsSwitch ? policy.MinimumSwitchBios : policy.MinimumVbios;
        findings.That(NvidiaCheck.VbiosFloor, IsAtLeast(device.Vbios!, floor, NumberStyles.AllowHexSpecifier), $"{floor} or later", device.Vbios!);
        Compare(NvidiaCheck.ExpectedVbios, policy.Vbioses, device.Vbios!);
        if (!device.IsSwitch)
        {
            findings.That(NvidiaCheck.DriverFloor, IsAtLeast(device.Driver!, policy.MinimumDriver, NumberStyles.None), $"{policy.MinimumDriver} or later", device.Driver!);
            Compare(NvidiaCheck.ExpectedDriver, policy.Drivers, device.Driver!);
        }
    }

    private void JudgeMeasurements(JudgedDevice device, NvidiaReport report, NvidiaIdentity identity)
    {
        device.ManifestIds = ManifestIds(device, report.Fields, identity);
        Compare(NvidiaCheck.ExpectedManifests, policy.ManifestIds, [.. device.ManifestIds]);

        string product = identity.Chip.Replace("_", "", StringComparison.Ordinal);
        var vbios = Find(NvidiaCheck.VbiosManifest, product, device.Vbios!);
        var driver = device.IsSwitch ? null : Find(NvidiaCheck.DriverManifest, product, device.Driver!);
        if (vbios is null || (driver is null && !device.IsSwitch))
        {
            return;
        }

        if (driver is not null)
        {
            int twice = CountShared(driver, vbios);
            findings.That(NvidiaCheck.ManifestConflict, twice == 0, "no measurement in both manifests", twice == 0 ? "none" : $"{twice} in both");
        }
        bool hasNvdec = device.IsSwitch || report.Fields.HasNvdec is true;
        int compared = vbios.Active.Length + (driver?.Active.Length ?? 0);
        string wrong = string.Join(", ", [.. Mismatches(vbios, report, hasNvdec), .. driver is null ? [] : Mismatches(driver, report, hasNvdec)]);
        findings.That(NvidiaCheck.Measurements, compared > 0 && wrong.Length == 0, "each as the manifests say", wrong.Length == 0 ? $"{compared} compared" : $"another value at {wrong}");
    }

    private ReferenceManifest? Find(NvidiaCheck name, string product, string version)
    {
        ReferenceManifest? found = null;
        foreach (var manifest in manifests)
        {
            found ??= manifest.Product == product && manifest.Version == version ? manifest : null;
        }
        findings.That(name, found is not null, $"a manifest for {product}, version {version}", found is null ? $"none among {manifests.Length}" : "there");
        return found;
    }

    private static int CountShared(ReferenceManifest driver, ReferenceManifest vbios)
    {
        int shared = 0;
        foreach (var one in driver.Active)
        {
            foreach (var other in vbios.Active)
            {
                shared += one.Index == other.Index ? 1 : 0;
            }
        }
        return shared;
    }

    private static List<int> Mismatches(ReferenceManifest manifest, NvidiaReport report, bool hasNvdec)
    {
        var wrong = new List<int>();
        foreach (var golden in manifest.Active)
        {
            if (golden.Index == NvdecIndex && !hasNvdec)
            {
                continue;
            }
            bool matches = false;
            foreach (var value in golden.Values)
            {
                matches |= golden.Index < report.Measurements.Length && report.Measurements[golden.Index].Span.SequenceEqual(value.Span);
            }
            if (!matches)
            {
                wrong.Add(golden.Index);
            }
        }
        return wrong;
    }

    // As NVIDIA's service names them.
    private static ImmutableArray<string> ManifestIds(JudgedDevice device, NvidiaFields fields, NvidiaIdentity identity)
    {
        string version = device.Vbios!.Replace(".", "", StringComparison.Ordinal);
        return device.IsSwitch
            ? [$"NV_SWITCH_BIOS_5612_0002_890_{version}"]
            : [$"NV_GPU_{(identity.Chip.StartsWith("GH", StringComparison.Ordinal) ? "" : "CC_")}DRIVER_{identity.Chip}_{device.Driver}", $"NV_GPU_VBIOS_{fields.Project}_{fields.ProjectSku}_{fields.ChipSku}_{version}"];
    }

    private void Compare(NvidiaCheck name, ImmutableArray<string>? wanted, params ReadOnlySpan<string> found)
    {
        if (wanted is not { IsDefault: false } listed)
        {
            findings.Waive(name, NotCompared);
            return;
        }
        bool all = true;
        foreach (string one in found)
        {
            all &= listed.Contains(one);
        }
        findings.That(name, all, $"one of {listed.Length} values", string.Join(", ", found));
    }

    // Part by part; a part that is missing is zero, and a version that cannot be read is older than any.
    private static bool IsAtLeast(string version, string floor, NumberStyles style)
    {
        string[] parts = version.Split('.');
        string[] floors = floor.Split('.');
        for (int i = 0; i < Math.Max(parts.Length, floors.Length); i++)
        {
            if (!TryPart(parts, i, style, out int part) || !TryPart(floors, i, style, out int least))
            {
                return false;
            }
            if (part != least)
            {
                return part > least;
            }
        }
        return true;
    }

    private static bool TryPart(string[] parts, int index, NumberStyles style, out int part)
    {
        part = 0;
        return index >= parts.Length || (int.TryParse(parts[index], style, CultureInfo.InvariantCulture, out part) && part >= 0);
    }
}
