using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What TPM2_Quote signs: a view over the bytes it was parsed from, owning nothing.</summary>
/// <remarks>
/// TPM 2.0 Library, Part 2, sections 10.12.12 (TPMS_ATTEST) and 10.12.1 (TPMS_QUOTE_INFO); all integers big-endian:
/// <code>
///   struct {
///       uint32 magic = 0xff544347;              // TPM_GENERATED_VALUE
///       uint16 type = 0x8018;                   // TPM_ST_ATTEST_QUOTE
///       opaque qualified_signer&lt;0..66&gt;;
///       opaque extra_data&lt;0..66&gt;;
///       uint64 clock; uint32 reset_count, restart_count; uint8 safe;
///       uint64 firmware_version;
///       uint32 selections = 1;                  // ours: one bank
///       uint16 bank; opaque pcr_select&lt;1..4&gt;;   // behind one byte of length; bit n%8 of byte n/8: register n
///       opaque pcr_digest&lt;0..64&gt;;
///   } Attest;
/// </code>
/// A quote over several banks at once is refused. Whether it is genuine and wanted is asked by <see cref="TpmVerification"/>.
/// </remarks>
public readonly ref struct TpmQuote
{
    /// <summary>TPM_GENERATED_VALUE: a restricted key signs nothing from outside that begins with it, so what does was made by the TPM.</summary>
    public const uint Generated = 0xff54_4347;

    /// <summary>TPM_ST_ATTEST_QUOTE. The same key also signs other statements of the TPM.</summary>
    public const ushort QuoteType = 0x8018;

    internal const string MagicField = "magic";
    internal const string TypeField = "type";

    private const int MaxName = 66;
    private const int MaxSelect = 4;
    private const int MaxDigest = 64;

    private readonly uint _selection;

    private TpmQuote(ReadOnlySpan<byte> bytes, out WireError error)
    {
        var reader = new WireReader(bytes);
        uint magic = reader.UInt32BigEndian(MagicField);
        if (magic != Generated)
        {
            reader.Refuse(MagicField, Generated, magic);
        }
        reader.ExpectUInt16(TypeField, QuoteType);
        QualifiedSigner = reader.Sized("qualified_signer", MaxName);
        ExtraData = reader.Sized("extra_data", MaxName);
        (Clock, ResetCount, RestartCount) = (reader.UInt64BigEndian("clock"), reader.UInt32BigEndian("reset_count"), reader.UInt32BigEndian("restart_count"));
        byte safe = reader.UInt8("safe");
        if (safe > 1)
        {
            reader.Refuse("safe", 1, safe);
        }
        (ClockIsSafe, FirmwareVersion) = (safe == 1, reader.UInt64BigEndian("firmware_version"));

        uint selections = reader.UInt32BigEndian("selections");
        if (selections != 1)
        {
            reader.Refuse("selections", 1, selections);
        }
        Bank = (TpmHash)reader.UInt16BigEndian("bank");
        int size = reader.UInt8("pcr_select");
        if (size is 0 or > MaxSelect)
        {
            reader.Refuse("pcr_select", MaxSelect, size);
        }
        _selection = ReadSelection(reader.Failed ? default : reader.Bytes("pcr_select", size));
        PcrDigest = reader.Sized("pcr_digest", MaxDigest);
        reader.ExpectEnd("attest");
        error = reader.Error;
    }

    /// <summary>The key's name within its hierarchy. Not judged: it depends on parents that are not handed over.</summary>
    public ReadOnlySpan<byte> QualifiedSigner { get; }

    /// <summary>What the caller of TPM2_Quote gave to be signed: its nonce.</summary>
    public ReadOnlySpan<byte> ExtraData { get; }

    /// <summary>Milliseconds that the TPM has been powered.</summary>
    public ulong Clock { get; }

    /// <summary>How often it was reset; what it means is between the machine's owner and the machine, and it is shown, not judged.</summary>
    public uint ResetCount { get; }

    /// <summary>How often it was restarted or resumed since the last reset; shown, not judged.</summary>
    public uint RestartCount { get; }

    /// <summary>False where the clock may have gone back.</summary>
    public bool ClockIsSafe { get; }

    /// <summary>The TPM's own, in its maker's numbering.</summary>
    public ulong FirmwareVersion { get; }

    /// <summary>The hash of the registers that were quoted.</summary>
    public TpmHash Bank { get; }

    /// <summary>The numbers of the registers that were quoted, ascending.</summary>
    public ImmutableArray<int> Registers
    {
        get
        {
            var registers = ImmutableArray.CreateBuilder<int>();
            for (int i = 0; i < 8 * MaxSelect; i++)
            {
                if ((_selection >> i & 1) != 0)
                {
                    registers.Add(i);
                }
            }
            return registers.ToImmutable();
        }
    }

    /// <summary>The hash over the registers' values, ascending, one behind the other.</summary>
    public ReadOnlySpan<byte> PcrDigest { get; }

    /// <summary>Reads one TPMS_ATTEST of a quote and nothing behind it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TpmQuote quote, out WireError error)
    {
        var read = new TpmQuote(bytes, out error);
        bool formed = error.Fault is WireFault.None;
        quote = formed ? read : default;
        return formed;
    }

    /// <summary>The extra data that stands for 64 bytes of report data: their SHA-256, since a TPM takes no more than its largest digest (docs/spec/tpm.md, section 3).</summary>
    public static byte[] ExtraDataOf(ReadOnlySpan<byte> reportData) => SHA256.HashData(reportData);

    private static uint ReadSelection(ReadOnlySpan<byte> select)
    {
        uint selection = 0;
        for (int i = 0; i < select.Length; i++)
        {
            selection |= (uint)select[i] << (8 * i);
        }
        return selection;
    }
}
