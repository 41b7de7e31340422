using System.Diagnostics.CodeAnalysis;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>The measurement that an SEV-SNP report will carry (docs/spec/reference-values.md, section 3).</summary>
public static class SnpLaunchDigest
{
    private const uint BootAddress = 0xFFFF_FFF0;

    /// <summary>The image's pages, its sections in their order, and the first state of each processor. 48 bytes.</summary>
    public static bool TryCompute(FirmwareImage image, SnpLaunch launch, [NotNullWhen(true)] out byte[]? digest, out MeasurementFault fault) =>
        TryCompute(SnpFirmware.Of(image), launch, out digest, out fault);

    /// <inheritdoc cref="TryCompute(FirmwareImage, SnpLaunch, out byte[], out MeasurementFault)"/>
    /// <exception cref="ArgumentOutOfRangeException">The number of processors is out of its range.</exception>
    /// <exception cref="ArgumentException">The description of the firmware is none that an image could have, or a hash has another length.</exception>
    public static bool TryCompute(SnpFirmware firmware, SnpLaunch launch, [NotNullWhen(true)] out byte[]? digest, out MeasurementFault fault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(launch.Vcpus, 1, nameof(launch));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(launch.Vcpus, SnpLaunch.MaxVcpus, nameof(launch));
        if (firmware.PagesDigest.Length != SnpFirmware.DigestSize || firmware.Sections.IsDefault || !firmware.Sections.All(section => section.IsMeasurable))
        {
            throw new ArgumentException("No image has such a digest or such sections.", nameof(firmware));
        }
        digest = null;
        if (!TryPlaceHashes(firmware, launch.Kernel, out var hashes, out fault))
        {
            return false;
        }

        var pages = new SnpPageChain(firmware.PagesDigest.Span);
        bool cpuidLast = launch.Hypervisor is SnpHypervisor.Ec2;
        foreach (var section in firmware.Sections)
        {
            if (section.Type is not SnpSectionType.Cpuid || !cpuidLast)
            {
                Add(pages, section, hashes);
            }
        }
        foreach (var section in firmware.Sections.Where(section => cpuidLast && section.Type is SnpSectionType.Cpuid))
        {
            Add(pages, section, hashes);
        }
        AddProcessors(pages, firmware.ApResetAddress, launch);
        digest = pages.Digest.ToArray();
        return true;
    }

    private static void Add(SnpPageChain pages, SnpSection section, ReadOnlySpan<byte> hashes)
    {
        switch (section.Type)
        {
            case SnpSectionType.KernelHashes when !hashes.IsEmpty: pages.AddNormal(section.Address, hashes); break;
            case SnpSectionType.Secrets: pages.AddEmpty(SnpPageType.Secrets, section.Address, section.Size); break;
            case SnpSectionType.Cpuid: pages.AddEmpty(SnpPageType.Cpuid, section.Address, section.Size); break;
            default: pages.AddEmpty(SnpPageType.Zero, section.Address, section.Size); break;
        }
    }

    private static void AddProcessors(SnpPageChain pages, uint? reset, SnpLaunch launch)
    {
        pages.AddVmsa(SaveArea.Page(BootAddress, launch));
        if (launch.Vcpus > 1)
        {
            byte[] further = SaveArea.Page(reset!.Value, launch);
            for (int processor = 1; processor < launch.Vcpus; processor++)
            {
                pages.AddVmsa(further);
            }
        }
    }

    /// <summary>The page with the hashes, empty without a kernel. A kernel that the firmware would not check has no reference value: it would run unmeasured.</summary>
    private static bool TryPlaceHashes(SnpFirmware firmware, KernelHashes? kernel, out byte[] page, out MeasurementFault fault)
    {
        page = [];
        var section = firmware.Sections.FirstOrDefault(section => section.Type is SnpSectionType.KernelHashes);
        fault = firmware switch
        {
            { Sections.IsEmpty: true }                                                        => MeasurementFault.NoSnpMetadata,
            { ApResetAddress: null }                                                          => MeasurementFault.NoResetAddress,
            _ when kernel is null                                                             => MeasurementFault.None,
            _ when section.Size == 0 || firmware.HashTableAddress is null                     => MeasurementFault.NoKernelHashes,
            { HashTableAddress: { } place } when !IsInside(place, section)                    => MeasurementFault.HashTableOutside,
            _                                                                                 => MeasurementFault.None,
        };
        if (fault is MeasurementFault.None && kernel is not null)
        {
            page = new byte[FirmwareImage.PageSize];
            kernel.ToTable().CopyTo(page, (int)(firmware.HashTableAddress!.Value - section.Address));
        }
        return fault is MeasurementFault.None;
    }

    private static bool IsInside(uint place, SnpSection section) => place >= section.Address && (ulong)place + KernelHashes.TableSize <= (ulong)section.Address + section.Size;
}
