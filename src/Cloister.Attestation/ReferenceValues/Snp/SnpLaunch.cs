using System.Collections.Immutable;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>How a hypervisor sets up a processor's first state. They differ in a few fields, and so does the launch digest.</summary>
public enum SnpHypervisor : byte
{
    /// <summary>QEMU on a host kernel that initialises the floating-point state: Linux as merged upstream.</summary>
    Qemu,

    /// <summary>QEMU on a host kernel that leaves the floating-point state zero: AMD's host kernels before 6.9.</summary>
    QemuZeroFloatingPoint,

    /// <summary>Amazon EC2: other segment attributes, no processor type, and the CPUID page measured last.</summary>
    Ec2,
}

/// <summary>A guest's shape, as far as the launch digest depends on it.</summary>
public sealed record SnpLaunch
{
    /// <summary>Ours to choose: more virtual processors than any hypervisor gives.</summary>
    public const int MaxVcpus = 4096;

    /// <summary>1 to <see cref="MaxVcpus"/>.</summary>
    public required int Vcpus { get; init; }

    /// <summary>CPUID Fn0000_0001 EAX of the processor's type: <see cref="VcpuTypes"/>. EC2's guests do not depend on it.</summary>
    public required uint CpuSignature { get; init; }

    /// <summary>SEV_FEATURES; bit 0 (SNP) is always set.</summary>
    public ulong GuestFeatures { get; init; } = 1;

    public SnpHypervisor Hypervisor { get; init; }

    /// <summary>Null where the hypervisor gives no kernel to the firmware.</summary>
    public KernelHashes? Kernel { get; init; }
}

/// <summary>The part of firmware that the launch digest depends on, for those who have its digest and not its bytes.</summary>
/// <param name="PagesDigest">The launch digest after the image's own pages, 48 bytes.</param>
public sealed record SnpFirmware(ReadOnlyMemory<byte> PagesDigest, ImmutableArray<SnpSection> Sections, uint? ApResetAddress, uint? HashTableAddress)
{
    internal const int DigestSize = 48;

    public static SnpFirmware Of(FirmwareImage image)
    {
        var pages = new SnpPageChain();
        pages.AddNormal(image.Address, image.Bytes.Span);
        return new(pages.Digest.ToArray(), image.SnpSections, image.ApResetAddress, image.HashTableAddress);
    }
}
