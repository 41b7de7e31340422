using System.Security.Cryptography;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>SHA-256 of what QEMU hands to the firmware, 32 bytes each: the firmware starts nothing else.</summary>
/// <remarks>The table is QEMU's (target/i386/sev.c, SevHashTable): three entries in this order, of GUID, length and hash.</remarks>
public sealed record KernelHashes(ReadOnlyMemory<byte> CommandLine, ReadOnlyMemory<byte> Initrd, ReadOnlyMemory<byte> Kernel)
{
    /// <summary>In bytes, with the padding to 16 behind the last entry.</summary>
    internal const int TableSize = (TableLength + 15) / 16 * 16;

    private const int EntryLength = 16 + 2 + 32;
    private const int TableLength = 16 + 2 + 3 * EntryLength;

    private static readonly Guid TableGuid = new("9438d606-4f22-4cc9-b479-a793d411fd21");
    private static readonly Guid CommandLineGuid = new("97d02dd8-bd20-4c94-aa78-e7714d36ab2a");
    private static readonly Guid InitrdGuid = new("44baf731-3a2f-4bd7-9af1-41e29169781d");
    private static readonly Guid KernelGuid = new("4de79437-abd2-427f-b835-d5b172d2045b");

    /// <summary>The command line is hashed in UTF-8 with the NUL behind it; an initrd that is not there as one without bytes.</summary>
    public static KernelHashes Of(ReadOnlySpan<byte> kernel, ReadOnlySpan<byte> initrd, string commandLine) =>
        new(SHA256.HashData([.. Encoding.UTF8.GetBytes(commandLine), 0]), SHA256.HashData(initrd), SHA256.HashData(kernel));

    internal byte[] ToTable()
    {
        byte[] table = new byte[TableSize];
        var writer = new WireWriter(table);
        writer.Bytes(TableGuid.ToByteArray());
        writer.UInt16LittleEndian(TableLength);
        foreach (var (guid, hash) in ((Guid, ReadOnlyMemory<byte>)[])[(CommandLineGuid, CommandLine), (InitrdGuid, Initrd), (KernelGuid, Kernel)])
        {
            writer.Bytes(guid.ToByteArray());
            writer.UInt16LittleEndian(EntryLength);
            writer.Bytes(hash.Length == SHA256.HashSizeInBytes ? hash.Span : throw new ArgumentException($"A hash has {SHA256.HashSizeInBytes} bytes, not {hash.Length}."));
        }
        return table;
    }
}
