using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Simulation;

/// <summary>The fields of a report to be signed. Left alone, they are what the strict profile wants; tests spoil one at a time.</summary>
public sealed record SimulatedReport
{
    /// <summary>The firmware that the simulated chip's certificate endorses.</summary>
    public static TcbVersion Tcb { get; } = new(0, 10, 0, 27, 0x1b);

    /// <summary>64 bytes: <see cref="EnclaveStatement.ReportData"/>.</summary>
    public required ReadOnlyMemory<byte> ReportData { get; init; }

    /// <summary>48 bytes.</summary>
    public required ReadOnlyMemory<byte> Measurement { get; init; }

    public uint Version { get; init; } = 5;

    /// <summary>ABI 1.55, reserved bit 17, nothing else allowed.</summary>
    public ulong Policy { get; init; } = 1 << 17 | 1 << 8 | 55;

    /// <summary>ECC, power meter off, ciphertext hiding, alias check complete.</summary>
    public ulong PlatformInfo { get; init; } = 0b11_1100;

    public uint Signer { get; init; }
    public uint Vmpl { get; init; }
    public ulong CurrentTcb { get; init; } = Encode(Tcb);
    public ulong ReportedTcb { get; init; } = Encode(Tcb);
    public ulong CommittedTcb { get; init; } = Encode(Tcb);
    public ulong LaunchTcb { get; init; } = Encode(Tcb);
    public byte Family { get; init; } = 0x19;
    public byte Model { get; init; } = 0x11;
    public byte Stepping { get; init; } = 1;
    public ulong Mitigations { get; init; }
    public ReadOnlyMemory<byte> HostData { get; init; } = new byte[32];
    public ReadOnlyMemory<byte> IdKeyDigest { get; init; } = new byte[48];
    public ReadOnlyMemory<byte> AuthorKeyDigest { get; init; } = new byte[48];

    /// <summary>Replaces the chip's own identity. Null: the authority's.</summary>
    public ReadOnlyMemory<byte>? ChipId { get; init; }

    /// <summary>The layout of Genoa.</summary>
    public static ulong Encode(TcbVersion tcb) => tcb.BootLoader | (ulong)tcb.Tee << 8 | (ulong)tcb.Snp << 48 | (ulong)tcb.Microcode << 56;

    /// <summary>The report's bytes without a signature.</summary>
    internal byte[] ToBytes(ReadOnlySpan<byte> chipId)
    {
        var report = new byte[SnpReport.Size];
        var writer = new WireWriter(report);
        writer.UInt32LittleEndian(Version);
        writer.Zeros(4);
        writer.UInt64LittleEndian(Policy);
        writer.Zeros(32);
        writer.UInt32LittleEndian(Vmpl);
        writer.UInt32LittleEndian(1);
        writer.UInt64LittleEndian(CurrentTcb);
        writer.UInt64LittleEndian(PlatformInfo);
        writer.UInt32LittleEndian(Signer);
        writer.Zeros(4);
        writer.Bytes(ReportData.Span);
        writer.Bytes(Measurement.Span);
        writer.Bytes(HostData.Span);
        writer.Bytes(IdKeyDigest.Span);
        writer.Bytes(AuthorKeyDigest.Span);
        writer.Zeros(64);
        writer.UInt64LittleEndian(ReportedTcb);
        writer.Bytes([Family, Model, Stepping]);
        writer.Zeros(21);
        writer.Bytes(ChipId is { } id ? id.Span : chipId);
        writer.UInt64LittleEndian(CommittedTcb);
        writer.Bytes([1, 55, 1, 0, 1, 55, 1, 0]);
        writer.UInt64LittleEndian(LaunchTcb);
        writer.UInt64LittleEndian(Mitigations);
        writer.UInt64LittleEndian(Mitigations);
        return report;
    }
}
