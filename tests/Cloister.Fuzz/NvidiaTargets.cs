using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>What a machine with GPUs sends: reports, certificates, manifests and answers about revocation.</summary>
internal static class NvidiaTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Report(ReadOnlySpan<byte> input)
    {
        bool read = NvidiaReport.TryParse(input.ToArray(), out var report, out var error);
        Targets.Require(read == error.Fault is WireFault.None);
        if (read)
        {
            Targets.Require(report!.Signed.Length + report.Signature.Length == input.Length && report.Measurements.All(value => value.Length == NvidiaReport.MeasurementSize));
            _ = (report.Fields.DriverVersion, report.Fields.VbiosVersion, report.Fields.SwitchBiosVersion, report.Fields.Mode, report.Fields.ConnectedGpus, report.Fields.ConnectedSwitches, report.Fields.SwitchPdi);
        }
        Refused(new NvidiaEvidence { Gpus = [new(input.ToArray(), default)], Switches = [new(input.ToArray(), default)] }, new NvidiaCollateral());
    }

    /// <summary>What is read has one canonical form, and that one reads as itself.</summary>
    public static void Xml(ReadOnlySpan<byte> input)
    {
        if (XmlSubset.TryParse(input, out var root))
        {
            byte[] canonical = XmlCanonical.Write(root);
            Targets.Require(canonical.Length > XmlSubset.MaxSize || (XmlSubset.TryParse(canonical, out var again) && XmlCanonical.Write(again).AsSpan().SequenceEqual(canonical)));
        }
    }

    public static void Manifest(ReadOnlySpan<byte> input)
    {
        if (ReferenceManifest.TryParse(input.ToArray(), out var manifest))
        {
            Targets.Require(manifest.Active.All(golden => golden.Values.Length > 0 && golden.Values.All(value => value.Length == NvidiaReport.MeasurementSize)));
        }
        Refused(new NvidiaEvidence { Gpus = [] }, new NvidiaCollateral { Manifests = [input.ToArray()] });
    }

    /// <summary>What is read has its bounds, and whatever is refused is refused by name.</summary>
    public static void Corim(ReadOnlySpan<byte> input)
    {
        bool read = ReferenceManifest.TryParse(input.ToArray(), out var manifest, out var error);
        Targets.Require(read == manifest is not null && (!read || error.Fault is WireFault.None) && (read || error.Fault is not WireFault.None || !Attestation.Corim.IsOne(input)));
        if (read)
        {
            Targets.Require(manifest!.Active.Length is > 0 and <= 254 && manifest.Active.All(golden => golden is { Index: >= 0 and < 254, Values.Length: > 0 and <= 64 } && golden.Values.All(value => value.Length == NvidiaReport.MeasurementSize)));
            Targets.Require(manifest.Product.Length > 0 && manifest.TagId.EndsWith($"-{manifest.Version}", StringComparison.Ordinal) && manifest.Signature.Signed.Length < input.Length + 64);
        }
        Refused(new NvidiaEvidence { Gpus = [] }, new NvidiaCollateral { Manifests = [input.ToArray()] });
    }

    public static void Ocsp(ReadOnlySpan<byte> input) => _ = OcspResponse.TryParse(input.ToArray(), out _);

    public static void Chain(ReadOnlySpan<byte> input) => Refused(new NvidiaEvidence { Gpus = [new(default, input.ToArray())] }, new NvidiaCollateral());

    public static void Json(ReadOnlySpan<byte> input) => _ = NvidiaDeviceEvidence.TryParseJson(input, out _);

    private static void Refused(NvidiaEvidence evidence, NvidiaCollateral collateral) =>
        Targets.Require(!NvidiaVerification.Verify(evidence, collateral, NvidiaPolicy.Strict(1), new byte[NvidiaReport.NonceSize], Now).IsAccepted);
}
