using Cloister.Wire;
using System.Buffers.Binary;

namespace Cloister.Attestation;

/// <summary>An SEV-SNP attestation report, versions 2 to 5: a view over the bytes it was parsed from, owning nothing.</summary>
/// <remarks>
/// AMD SEV Secure Nested Paging Firmware ABI Specification (56860), table 23; all integers little-endian. Parsing checks the
/// form: length, version, signature algorithm, and that reserved fields are zero. Whether the report is genuine and wanted is
/// asked by <see cref="Appraisal"/>.
/// </remarks>
public readonly ref struct SnpReport
{
    /// <summary>In bytes.</summary>
    public const int Size = 0x4A0;

    /// <summary>The part that the signature covers, in bytes.</summary>
    public const int SignedSize = 0x2A0;

    public const int MinVersion = 2;
    public const int MaxVersion = 5;

    internal const string VersionField = "version";

    private const int NumberSize = 72;
    private const int P384Size = 48;

    private readonly ReadOnlySpan<byte> _bytes;

    private SnpReport(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public uint Version => UInt32(0x000);
    public uint GuestSvn => UInt32(0x004);
    public GuestPolicy Policy => new(UInt64(0x008));
    public ReadOnlySpan<byte> FamilyId => _bytes.Slice(0x010, 16);
    public ReadOnlySpan<byte> ImageId => _bytes.Slice(0x020, 16);
    public uint Vmpl => UInt32(0x030);
    public uint SignatureAlgorithm => UInt32(0x034);
    public ulong CurrentTcb => UInt64(0x038);
    public PlatformInfo PlatformInfo => new(UInt64(0x040));
    public SignerInfo Signer => new(UInt32(0x048));
    public ReadOnlySpan<byte> ReportData => _bytes.Slice(0x050, 64);
    public ReadOnlySpan<byte> Measurement => _bytes.Slice(0x090, 48);
    public ReadOnlySpan<byte> HostData => _bytes.Slice(0x0C0, 32);
    public ReadOnlySpan<byte> IdKeyDigest => _bytes.Slice(0x0E0, 48);
    public ReadOnlySpan<byte> AuthorKeyDigest => _bytes.Slice(0x110, 48);
    public ReadOnlySpan<byte> ReportId => _bytes.Slice(0x140, 32);
    public ReadOnlySpan<byte> ReportIdMa => _bytes.Slice(0x160, 32);
    public ulong ReportedTcb => UInt64(0x180);
    public byte Family => _bytes[0x188];
    public byte Model => _bytes[0x189];
    public byte Stepping => _bytes[0x18A];
    public ReadOnlySpan<byte> ChipId => _bytes.Slice(0x1A0, 64);
    public ulong CommittedTcb => UInt64(0x1E0);
    public FirmwareVersion Current => new(_bytes[0x1EA], _bytes[0x1E9], _bytes[0x1E8]);
    public FirmwareVersion Committed => new(_bytes[0x1EE], _bytes[0x1ED], _bytes[0x1EC]);
    public ulong LaunchTcb => UInt64(0x1F0);

    /// <summary>Version 5: which mitigations were in force when the guest was launched; zero before.</summary>
    public ulong LaunchMitigations => Version >= 5 ? UInt64(0x1F8) : 0;

    /// <summary>Version 5: which mitigations are in force; zero before.</summary>
    public ulong CurrentMitigations => Version >= 5 ? UInt64(0x200) : 0;

    /// <summary>Exactly the bytes that the processor signed.</summary>
    public ReadOnlySpan<byte> Signed => _bytes[..SignedSize];

    /// <summary>The processor's line, from the CPUID fields of version 3 and later; <see cref="SnpProduct.Unknown"/> where version 2 does not say.</summary>
    public SnpProduct Product => Version < 3 ? SnpProduct.Unknown : (Family, Model) switch
    {
        (0x19, <= 0x0F)                                        => SnpProduct.Milan,
        (0x19, (>= 0x10 and <= 0x1F) or (>= 0xA0 and <= 0xAF)) => SnpProduct.Genoa,
        (0x1A, <= 0x1F)                                        => SnpProduct.Turin,
        _                                                      => SnpProduct.Unknown,
    };

    /// <summary>Writes r ‖ s, big-endian, 48 bytes each, from AMD's little-endian numbers of 72 bytes. False where a number does not fit P-384.</summary>
    public bool TryGetSignature(Span<byte> p1363)
    {
        bool fits = true;
        for (int number = 0; number < 2; number++)
        {
            var littleEndian = _bytes.Slice(SignedSize + number * NumberSize, NumberSize);
            fits &= !littleEndian[P384Size..].ContainsAnyExcept((byte)0);
            var bigEndian = p1363.Slice(number * P384Size, P384Size);
            littleEndian[..P384Size].CopyTo(bigEndian);
            bigEndian.Reverse();
        }
        return fits;
    }

    public static bool TryParse(ReadOnlySpan<byte> source, out SnpReport report, out WireError error)
    {
        var reader = new WireReader(source);
        uint version = reader.UInt32LittleEndian(VersionField);
        if (version is < MinVersion or > MaxVersion)
        {
            reader.Refuse(VersionField, MaxVersion, version);
        }
        reader.Bytes("guest_svn … vmpl", 0x034 - 0x004);
        reader.Expect("signature_algo", [1, 0, 0, 0]); // ECDSA P-384 with SHA-384
        reader.Bytes("current_tcb … signer_info", 0x04C - 0x038);
        reader.Zeros("reserved", 4);
        reader.Bytes("report_data … reported_tcb", 0x188 - 0x050);
        if (version >= 3)
        {
            reader.Bytes("cpuid", 3);
        }
        reader.Zeros("reserved", 0x1A0 - reader.Offset is > 0 and var rest ? rest : 0);
        reader.Bytes("chip_id … current_major", 0x1EB - 0x1A0);
        reader.Zeros("reserved", 1);
        reader.Bytes("committed_build … committed_major", 3);
        reader.Zeros("reserved", 1);
        reader.Bytes("launch_tcb", 8);
        if (version >= 5)
        {
            reader.Bytes("launch_mit_vector, current_mit_vector", 16);
        }
        reader.Zeros("reserved", SignedSize - reader.Offset is > 0 and var tail ? tail : 0);
        reader.Bytes("signature", 2 * NumberSize);
        reader.Zeros("reserved", Size - reader.Offset is > 0 and var end ? end : 0);
        reader.ExpectEnd("report");

        error = reader.Error;
        report = reader.Failed ? default : new(source);
        return !reader.Failed;
    }

    private uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[offset..]);

    private ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[offset..]);
}

/// <summary>A line of AMD server processors. Bergamo and Siena are certified as Genoa.</summary>
public enum SnpProduct : byte { Unknown, Milan, Genoa, Turin }

public readonly record struct FirmwareVersion(byte Major, byte Minor, byte Build)
{
    public override string ToString() => $"{Major}.{Minor}.{Build}";
}
