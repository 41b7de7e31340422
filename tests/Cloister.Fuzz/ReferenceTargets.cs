using Cloister.Attestation.ReferenceValues;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>What reference values are computed from: firmware, PE files, disks. They come from a build, or from whoever claims to have one.</summary>
internal static class ReferenceTargets
{
    private static readonly SnpLaunch Launch = new() { Vcpus = 2, CpuSignature = 0x800F12, Kernel = KernelHashes.Of([1], [2], "3") };

    public static void Firmware(ReadOnlySpan<byte> input)
    {
        bool read = FirmwareImage.TryParse(input.ToArray(), out var image, out var error);
        Targets.Require(read == error.Fault is WireFault.None && read == image is not null);
        if (image is not null)
        {
            bool measured = SnpLaunchDigest.TryCompute(image, Launch, out byte[]? digest, out var fault);
            Targets.Require(measured == fault is MeasurementFault.None && (!measured || digest!.Length == 48));
            measured = TdxMrtd.TryCompute(image, TdxPageOrder.SectionBySection, out byte[]? mrtd, out fault);
            Targets.Require(measured == fault is MeasurementFault.None && (!measured || mrtd!.Length == 48));
            var platform = new TdxConfiguration { Memory = 1UL << 32, AcpiLoader = default, AcpiRsdp = default, AcpiTables = default };
            Targets.Require(platform.TryGetEvents(image, out var events, out fault) == fault is MeasurementFault.None && events is null == fault is not MeasurementFault.None);
        }
    }

    public static void Image(ReadOnlySpan<byte> input)
    {
        bool read = PeImage.TryParse(input.ToArray(), out var image, out var error);
        Targets.Require(read == error.Fault is WireFault.None && read == image is not null);
        if (image is not null)
        {
            Targets.Require(image.Authenticode(RegisterBank.Sha256).Length == 32 && image.Sections.All(section => image.Contents(section).Length <= section.Size));
            bool unified = UnifiedKernel.TryRead(image, null, out var kernel, out var fault);
            Targets.Require(unified == fault is MeasurementFault.None && (!unified || kernel!.StubEvents(RegisterBank.Sha384, "ready").All(digest => digest.Length == 48)));
        }
    }

    public static void Disk(ReadOnlySpan<byte> input)
    {
        bool read = PartitionTable.TryReadEvent(input, out byte[]? data, out var error);
        Targets.Require(read == error.Fault is WireFault.None && (!read || data!.Length is >= 100 && data.Length <= input.Length));
    }
}
