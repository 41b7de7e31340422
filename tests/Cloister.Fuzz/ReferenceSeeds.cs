using Cloister.Testing;

namespace Cloister.Fuzz;

/// <summary>Firmware, PE files and a disk, as small as they can be; the same every time.</summary>
internal static class ReferenceSeeds
{
    public static void Write(Action<string, int, byte[]> save)
    {
        save("ovmf-image", 1, new TestFirmware().ToBytes());
        save("ovmf-image", 2, (new TestFirmware { Pages = 1, Tdx = [(0, 0x1000, 0xFFFFF000, 0x1000, 0, 1)], Snp = [(0x800000, 0x1000, 1)] }).ToBytes());
        save("pe-image", 1, new TestImage { Sections = [(".text", [1, 2, 3]), (".data", [4, 5]), (".bss", [])] }.ToBytes());
        save("pe-image", 2, new TestImage { Sections = [(".text", [1, 2, 3]), (".data", [4, 5]), (".bss", [])], Behind = [9, 8, 7] }.ToBytes());
        save("pe-image", 3, (TestImage.Unified("257.1", (".linux", "kernel"), (".cmdline", "quiet"), (".initrd", "initrd")) with { Certificates = new byte[24] }).ToBytes());
        save("partition-table", 1, TestDisk.ToBytes());
    }
}
