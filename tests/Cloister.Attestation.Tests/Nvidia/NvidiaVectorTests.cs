using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>Real evidence and real manifests, some of them spoiled by NVIDIA for this.</summary>
public class NvidiaVectorTests
{
    private const string Nonce = "e97b23a1718095a0e9e35edca810768c70a6a5a389b705e753b197912bc11576";

    internal static byte[] Vector(string file) => Repository.Vector($"nvidia/{file}");

    // Neither the answers about revocation nor the manifests of these devices are published.
    private static NvidiaPolicy Policy => NvidiaPolicy.Strict(1) with { Modes = [NvidiaMode.ProtectedPcie], Revocation = NvidiaRevocation.None };

    private static NvidiaResult Verify(string evidence, string day, params string[] manifests) => NvidiaVerification.Verify(
        new NvidiaEvidence { Gpus = Read(evidence) },
        new NvidiaCollateral { Manifests = [.. manifests.Select(file => (ReadOnlyMemory<byte>)Vector(file))] },
        Policy, Convert.FromHexString(Nonce), DateTimeOffset.Parse($"{day}T00:00:00Z", CultureInfo.InvariantCulture));

    private static ImmutableArray<NvidiaDeviceEvidence> Read(string file)
    {
        Assert.True(NvidiaDeviceEvidence.TryParseJson(Vector(file), out var devices));
        return devices;
    }

    [Theory]
    [InlineData("hopper_evidence.json", "48B02DF44660DA06")]
    [InlineData("evidence_hopper_590_12.json", "48B02DEF643655BA")]
    public void A_real_GPU_is_genuine_and_only_its_manifests_are_missing(string file, string serial)
    {
        var result = Verify(file, "2026-04-10", "NV_GPU_DRIVER_GH100_550.144.03.xml");
        Assert.Equal("DriverManifest VbiosManifest GpuTopology", NvidiaVerificationTests.Failed(result));
        var device = Assert.Single(result.Devices);
        Assert.Equal(("GH100", serial, "590.12", "96.00.A5.00.01", NvidiaMode.ProtectedPcie), (device.Chip, device.Serial, device.Driver, device.Vbios, device.Mode));
        Assert.Equal(["NV_GPU_DRIVER_GH100_590.12", "NV_GPU_VBIOS_G520_0200_885_9600A50001"], device.ManifestIds.AsEnumerable());
        foreach (var check in (NvidiaCheck[])[NvidiaCheck.DeviceRoot, NvidiaCheck.DeviceChain, NvidiaCheck.DeviceValidity, NvidiaCheck.ReportSignature, NvidiaCheck.Nonce, NvidiaCheck.FirmwareId])
        {
            Assert.Equal(Verdict.Passed, result.Findings.Single(finding => finding.Name == check).Verdict);
        }
    }

    [Theory]
    [InlineData("hopper_evidence.json", 4)]
    [InlineData("evidence_hopper_590_12.json", 4)]
    public void A_real_report_has_all_its_parts(string file, int switches)
    {
        Assert.True(NvidiaReport.TryParse(Read(file)[0].Report, out var report, out var error), $"{error}");
        Assert.Equal(Nonce, Hex.Encode(report.RequestNonce.Span));
        Assert.Equal(64, report.Measurements.Length);
        Assert.Equal(switches, report.Fields.ConnectedSwitches.Count);
        Assert.True(report.Fields.HasNvdec is false);
    }

    /// <summary>Manifest, day, and what is refused of the manifest itself.</summary>
    [Theory]
    [InlineData("NV_GPU_DRIVER_GH100_550.144.03.xml", "2026-04-10", "")]
    [InlineData("NV_GPU_DRIVER_GH100_550.144.03.xml", "2026-12-31", "ManifestValidity")]
    [InlineData("NV_GPU_DRIVER_GH100_550.144.03.xml", "2024-12-30", "ManifestValidity")]
    [InlineData("incorrect_signature_driver_rim.xml", "2026-04-10", "ManifestSignature")]
    [InlineData("NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml", "2025-04-10", "")]
    [InlineData("NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml", "2026-04-10", "ManifestValidity")]
    public void A_real_manifest_is_judged(string file, string day, string failures)
    {
        var result = Verify("hopper_evidence.json", day, file);
        Assert.Equal(failures, string.Join(' ', result.Findings.Where(finding => $"{finding.Name}".StartsWith("Manifest", StringComparison.Ordinal) && finding.Verdict is Verdict.Failed && finding.Found != "not reached").Select(finding => finding.Name)));
    }

    /// <summary>Both manifests are NVIDIA's own. The GPU is made up, with the versions and the measurements that they name; then with one of these changed.</summary>
    [Theory]
    [InlineData(-1, "")]
    [InlineData(1, "Measurements")]
    [InlineData(36, "Measurements")]
    public void A_GPU_is_held_to_real_manifests(int changed, string failures)
    {
        var now = new DateTimeOffset(2025, 4, 10, 0, 0, 0, TimeSpan.Zero);
        using var authority = new NvidiaAuthority(now);
        byte[][] files = [Vector("NV_GPU_DRIVER_GH100_550.144.03.xml"), Vector("NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml")];
        var evidence = authority.Evidence(new NvidiaParts
        {
            Fields = fields => (fields[3], fields[6]) = ([.. "550.144.03"u8, 0], [0, 0x5e, 0, 0x96, 1, 0, 0, 0]),
            Measured = values =>
            {
                foreach (byte[] file in files)
                {
                    Assert.True(ReferenceManifest.TryParse(file, out var manifest));
                    foreach (var golden in manifest.Active)
                    {
                        values[golden.Index] = [.. golden.Values[^1].Span];
                    }
                }
                if (changed >= 0)
                {
                    values[changed][0] ^= 1;
                }
            },
        });
        var policy = authority.Policy() with { ManifestRoots = [NvidiaRoot.Manifest], Revocation = NvidiaRevocation.None };
        var result = NvidiaVerification.Verify(evidence, new NvidiaCollateral { Manifests = [.. files.Select(file => (ReadOnlyMemory<byte>)file)] }, policy, NvidiaAuthority.Nonce, now);
        Assert.Equal(failures, NvidiaVerificationTests.Failed(result));
    }

    [Fact]
    public void A_real_manifest_reads_as_it_is_written()
    {
        Assert.True(ReferenceManifest.TryParse(Vector("NV_GPU_DRIVER_GH100_550.144.03.xml"), out var manifest));
        Assert.True(manifest.Signature.IsIntact);
        Assert.Equal(("GH100", "550.144.03"), (manifest.Product, manifest.Version));
        Assert.Equal([7, .. Enumerable.Range(21, 20)], manifest.Active.Select(golden => golden.Index));
        Assert.Equal(4, manifest.Active.Single(golden => golden.Index == 35).Values.Length);
    }

    [Fact]
    public void The_pinned_roots_are_the_published_ones()
    {
        Assert.True(PemCertificates.TryParse(Vector("rim_root.crt"), out var manifest));
        Assert.Equal(NvidiaRoot.Manifest, Assert.Single(manifest).Key.Fingerprint);
        Assert.True(PemCertificates.TryParse(Read("hopper_evidence.json")[0].Certificates.Span, out var device));
        Assert.Equal((5, NvidiaRoot.Device), (device.Length, device[^1].Key.Fingerprint));
    }

    /// <summary>NVIDIA publishes what its parser makes of a report, without the report: put together again from its parts, ours reads the same.</summary>
    [Fact]
    public void A_report_reads_as_NVIDIA_reads_it()
    {
        using var parsed = JsonDocument.Parse(Vector("spdm_parsed_output.json"));
        var root = parsed.RootElement;
        byte[] Bytes(JsonElement element) => Convert.FromHexString(element.GetString()![2..]);
        var blocks = root.GetProperty("MeasurementRecord").GetProperty("MeasurementBlocks").EnumerateObject().ToArray();
        byte[] record = [.. blocks.SelectMany(block => (byte[])
        [
            byte.Parse(block.Name, CultureInfo.InvariantCulture), 1, 51, 0, block.Value.GetProperty("DMTFSpecMeasurementValueType").GetByte(), 48, 0, .. Bytes(block.Value.GetProperty("DMTFSpecMeasurementValue")),
        ])];
        Assert.Equal(root.GetProperty("MeasurementRecordLength").GetInt32(), record.Length);
        byte[] opaque = [.. root.GetProperty("OpaqueData").GetProperty("OpaqueDataField").EnumerateObject().SelectMany(field =>
        {
            byte[] value = field.Value.ValueKind is JsonValueKind.Array ? [.. field.Value.EnumerateArray().SelectMany(count => BitConverter.GetBytes(count.GetInt32()))] : Bytes(field.Value);
            return (byte[])[(byte)Kind(field.Name), 0, .. UInt16(value.Length), .. value];
        })];

        // Two fields that its parser passes over: the version of the data and the feature flag, whose values it does not tell.
        opaque = [.. opaque, 34, 0, 2, 0, 1, 0, 36, 0, 2, 0, 1, 0];
        int length = root.GetProperty("OpaqueLength").GetInt32();
        Assert.Equal(length, opaque.Length);
        byte[] report = [0x11, 0xe0, 1, 0xff, .. new byte[33], 0x11, 0x60, 0, 0, 64, .. UInt16(record.Length), 0, .. record, .. Bytes(root.GetProperty("Nonce")), .. UInt16(length), .. opaque, .. Bytes(root.GetProperty("Signature"))];

        Assert.True(NvidiaReport.TryParse(report, out var read, out var error), $"{error}");
        Assert.Equal(("580.159.03", "96.00.74.00.20"), (read.Fields.DriverVersion, read.Fields.VbiosVersion));
        Assert.Equal(("1010", "0205", "862"), (read.Fields.Project, read.Fields.ProjectSku, read.Fields.ChipSku));
        Assert.Equal(Bytes(root.GetProperty("Nonce")), read.ResponseNonce.ToArray());
        Assert.Equal(blocks.Select(block => Hex.Encode(Bytes(block.Value.GetProperty("DMTFSpecMeasurementValue")))), read.Measurements.Select(value => Hex.Encode(value.Span)));
    }

    private static byte[] UInt16(int value) => [(byte)(value & 0xff), (byte)(value >> 8)];

    private static readonly string[] Kinds =
    [
        "", "CERT_ISSUER_NAME", "CERT_AUTHORITY_KEY_IDENTIFIER", "DRIVER_VERSION", "GPU_INFO", "SKU", "VBIOS_VERSION", "MANUFACTURER_ID", "TAMPER_DETECTION", "SMC", "VPR", "NVDEC0_STATUS",
        "MSRSCNT", "CPRINFO", "BOARD_ID", "CHIP_SKU", "CHIP_SKU_MOD", "PROJECT", "PROJECT_SKU", "PROJECT_SKU_MOD", "FWID", "PROTECTED_PCIE_STATUS",
    ];

    private static int Kind(string name) => Array.IndexOf(Kinds, name["OPAQUE_FIELD_ID_".Length..]);
}
