using System.Buffers.Binary;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>A virtual processor's first state, as it is encrypted and measured (AMD64 Architecture Programmer's Manual, volume 2, table B-4).</summary>
internal static class SaveArea
{
    private const uint BootAddress = 0xFFFF_FFF0;

    /// <param name="start">Where it begins: the upper half is the code segment's base.</param>
    public static byte[] Page(uint start, SnpLaunch launch)
    {
        bool ec2 = launch.Hypervisor is SnpHypervisor.Ec2;
        byte[] page = new byte[FirmwareImage.PageSize];
        Segment(page, 0x000, 0, 0x93, 0);                                                      // ES
        Segment(page, 0x010, 0xF000, ec2 && start == BootAddress ? 0x9A : 0x9B, start & 0xFFFF_0000); // CS
        Segment(page, 0x020, 0, ec2 ? 0x92 : 0x93, 0);                                         // SS
        Segment(page, 0x030, 0, 0x93, 0);                                                      // DS
        Segment(page, 0x040, 0, 0x93, 0);                                                      // FS
        Segment(page, 0x050, 0, 0x93, 0);                                                      // GS
        Segment(page, 0x060, 0, 0, 0);                                                         // GDTR
        Segment(page, 0x070, 0, 0x82, 0);                                                      // LDTR
        Segment(page, 0x080, 0, 0, 0);                                                         // IDTR
        Segment(page, 0x090, 0, ec2 ? 0x83 : 0x8B, 0);                                         // TR
        Register(page, 0x0D0, 0x1000);                                                         // EFER: SVME, by KVM
        Register(page, 0x148, 0x40);                                                           // CR4: MCE, by KVM
        Register(page, 0x158, 0x10);                                                           // CR0: ET
        Register(page, 0x160, 0x400);                                                          // DR7
        Register(page, 0x168, 0xFFFF_0FF0);                                                    // DR6
        Register(page, 0x170, 0x2);                                                            // RFLAGS
        Register(page, 0x178, start & 0xFFFF);                                                 // RIP
        Register(page, 0x268, 0x0007_0406_0007_0406);                                          // G_PAT
        Register(page, 0x310, ec2 ? 0 : launch.CpuSignature);                                  // RDX
        Register(page, 0x3B0, launch.GuestFeatures | 1);                                       // SEV_FEATURES
        Register(page, 0x3E8, 0x1);                                                            // XCR0
        if (launch.Hypervisor is SnpHypervisor.Qemu)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x408), 0x1F80);              // MXCSR
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(0x410), 0x37F);               // X87_FCW
        }
        return page;
    }

    private static void Segment(byte[] page, int offset, ushort selector, int attributes, uint address)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(offset), selector);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(offset + 2), (ushort)attributes);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset + 4), 0xFFFF);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(offset + 8), address);
    }

    private static void Register(byte[] page, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(offset), value);
}
