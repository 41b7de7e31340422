using System.Buffers.Binary;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A TDX quote of version 4 or 5: a view over the bytes it was parsed from, owning nothing.</summary>
/// <remarks>
/// Intel TDX DCAP Quoting Library API, Appendix A.3 and A.4; all integers little-endian:
/// <code>
///   struct {
///       uint16 version = 4 or 5;
///       uint16 att_key_type = 2;                // ECDSA-256-with-P-256
///       uint32 tee_type = 0x81;                 // TDX
///       opaque qe_svn[2], pce_svn[2];           // reserved in later editions
///       opaque qe_vendor_id[16];
///       opaque user_data[20];
///       uint16 body_type; uint32 body_size;     // version 5 only: 2 and 584, or 3 and 648
///       opaque body[584 or 648];                // TD report 1.0 or 1.5
///       opaque signature_data&lt;0..2^32-1&gt;;
///   } Quote;
///   struct {
///       opaque signature[64], attestation_key[64];
///       uint16 certification_data_type = 6;
///       struct {
///           opaque qe_report[384], qe_report_signature[64];
///           opaque qe_auth_data&lt;0..2^16-1&gt;;
///           uint16 qe_certification_data_type;  // 5: the PCK chain in PEM
///           opaque qe_certification_data&lt;0..2^32-1&gt;;
///       } certification_data&lt;0..2^32-1&gt;;
///   } SignatureData;
/// </code>
/// Every length must be exact. Quote generators pad with zeros: zeros are accepted after the last field, anything else is not.
/// Whether the quote is genuine and wanted is asked by <see cref="TdxVerification"/>.
/// </remarks>
public readonly ref struct TdxQuote
{
    public const int HeaderSize = 48;
    public const int MinVersion = 4;
    public const int MaxVersion = 5;
    public const ushort EcdsaP256 = 2;
    public const uint Tdx = 0x81;

    /// <summary>The type of certification data that is a PCK certificate chain.</summary>
    public const ushort PckChain = 5;

    /// <summary>Ours to choose: the longest signature data that is read. Real ones have under 5 KiB.</summary>
    public const int MaxSignatureData = 32 * 1024;

    internal const string VersionField = "version";
    internal const string AttestationKeyTypeField = "att_key_type";
    internal const string TeeTypeField = "tee_type";

    private const ushort QeReportCertification = 6;
    private const ushort Report10 = 2;
    private const ushort Report15 = 3;

    private readonly ReadOnlySpan<byte> _header;

    private TdxQuote(ReadOnlySpan<byte> signed, TdReport report, SignatureData data)
    {
        _header = signed[..HeaderSize];
        Signed = signed;
        Report = report;
        Data = data;
    }

    /// <summary>Header and body: exactly the bytes that the attestation key signed.</summary>
    public ReadOnlySpan<byte> Signed { get; }

    public TdReport Report { get; }

    private SignatureData Data { get; }

    public ushort Version => BinaryPrimitives.ReadUInt16LittleEndian(_header);
    public ushort AttestationKeyType => BinaryPrimitives.ReadUInt16LittleEndian(_header[2..]);
    public uint TeeType => BinaryPrimitives.ReadUInt32LittleEndian(_header[4..]);
    public ushort QeSvn => BinaryPrimitives.ReadUInt16LittleEndian(_header[8..]);
    public ushort PceSvn => BinaryPrimitives.ReadUInt16LittleEndian(_header[10..]);
    public ReadOnlySpan<byte> QeVendorId => _header.Slice(12, 16);
    public ReadOnlySpan<byte> UserData => _header.Slice(28, 20);

    /// <summary>r ‖ s over <see cref="Signed"/>.</summary>
    public ReadOnlySpan<byte> Signature => Data.Signature;

    /// <summary>x ‖ y on P-256.</summary>
    public ReadOnlySpan<byte> AttestationKey => Data.AttestationKey;

    public QeReport QeReport => new(Data.QeReport);

    /// <summary>r ‖ s over the quoting enclave's report.</summary>
    public ReadOnlySpan<byte> QeReportSignature => Data.QeReportSignature;

    public ReadOnlySpan<byte> QeAuthData => Data.QeAuthData;

    public ushort CertificationDataType => Data.CertificationDataType;

    /// <summary>For <see cref="PckChain"/>: certificates in PEM, the PCK's first.</summary>
    public ReadOnlySpan<byte> CertificationData => Data.CertificationData;

    /// <summary>How long the quote at the start of a buffer says that it is, in bytes; the buffer's length where it does not say or says more.</summary>
    /// <remarks>For callers whose buffer may hold other bytes behind the quote. Nobody signed those.</remarks>
    public static int MeasureLength(ReadOnlySpan<byte> source)
    {
        var reader = new WireReader(source);
        ushort version = reader.UInt16LittleEndian(VersionField);
        reader.Bytes("header", HeaderSize - sizeof(ushort));
        uint body = TdReport.Size10;
        if (version == MaxVersion)
        {
            reader.UInt16LittleEndian("body_type");
            body = reader.UInt32LittleEndian("body_size");
        }
        reader.Bytes("body", (int)Math.Min(body, TdReport.Size15));
        reader.PrefixedBytes("signature_data", MaxSignatureData);
        return reader.Failed ? source.Length : reader.Offset;
    }

    public static bool TryParse(ReadOnlySpan<byte> source, out TdxQuote quote, out WireError error)
    {
        var reader = new WireReader(source);
        int version = Value(ref reader, VersionField, reader.UInt16LittleEndian(VersionField), MinVersion, MaxVersion);
        Value(ref reader, AttestationKeyTypeField, reader.UInt16LittleEndian(AttestationKeyTypeField), EcdsaP256);
        Value(ref reader, TeeTypeField, reader.UInt32LittleEndian(TeeTypeField), Tdx);
        reader.Bytes("qe_svn … user_data", HeaderSize - 8);

        int size = TdReport.Size10;
        if (version == MaxVersion)
        {
            ushort type = (ushort)Value(ref reader, "body_type", reader.UInt16LittleEndian("body_type"), Report10, Report15);
            size = type == Report15 ? TdReport.Size15 : TdReport.Size10;
            Value(ref reader, "body_size", reader.UInt32LittleEndian("body_size"), (uint)size);
        }
        var report = reader.Bytes("body", size);
        int signedSize = reader.Offset;

        var signatureData = reader.PrefixedBytes("signature_data", MaxSignatureData);
        int dataOffset = reader.Offset - signatureData.Length;
        reader.ExpectZerosToEnd("padding");

        error = reader.Error;
        SignatureData data = default;
        if (!reader.Failed)
        {
            data = SignatureData.Parse(signatureData, out error);
            error = error with { Offset = error.Offset + (error.Fault is WireFault.None ? 0 : dataOffset) };
        }
        bool parsed = error.Fault is WireFault.None;
        quote = parsed ? new(source[..signedSize], new TdReport(report), data) : default;
        return parsed;
    }

    private static int Value(scoped ref WireReader reader, string field, uint found, uint wanted, uint? or = null)
    {
        if (found != wanted && found != or)
        {
            reader.Refuse(field, wanted, found);
        }
        return reader.Failed ? 0 : (int)found;
    }

    private readonly ref struct SignatureData
    {
        public ReadOnlySpan<byte> Signature { get; private init; }
        public ReadOnlySpan<byte> AttestationKey { get; private init; }
        public ReadOnlySpan<byte> QeReport { get; private init; }
        public ReadOnlySpan<byte> QeReportSignature { get; private init; }
        public ReadOnlySpan<byte> QeAuthData { get; private init; }
        public ushort CertificationDataType { get; private init; }
        public ReadOnlySpan<byte> CertificationData { get; private init; }

        public static SignatureData Parse(ReadOnlySpan<byte> source, out WireError error)
        {
            var reader = new WireReader(source);
            var data = new SignatureData
            {
                Signature = reader.Bytes("signature", 64),
                AttestationKey = reader.Bytes("attestation_key", 64),
                QeReport = Certification(ref reader),
                QeReportSignature = reader.Bytes("qe_report_signature", 64),
                QeAuthData = reader.Bytes("qe_auth_data", reader.UInt16LittleEndian("qe_auth_data_size")),
                CertificationDataType = reader.UInt16LittleEndian("qe_certification_data_type"),
                CertificationData = reader.PrefixedBytes("qe_certification_data", MaxSignatureData),
            };
            reader.ExpectEnd("signature_data");
            error = reader.Error;
            return data;
        }

        private static ReadOnlySpan<byte> Certification(scoped ref WireReader reader)
        {
            Value(ref reader, "certification_data_type", reader.UInt16LittleEndian("certification_data_type"), QeReportCertification);
            uint size = reader.UInt32LittleEndian("certification_data_size");
            if (!reader.Failed && size > reader.Remaining)
            {
                reader.Bytes("certification_data", (int)Math.Min(size, int.MaxValue));
            }
            Value(ref reader, "certification_data_size", size, (uint)reader.Remaining);
            return reader.Bytes("qe_report", Attestation.QeReport.Size);
        }
    }
}

/// <summary>What a trust domain is: the TD report of version 1.0, or of 1.5 with two fields more (Intel TDX Module ABI, TDREPORT_STRUCT).</summary>
public readonly ref struct TdReport
{
    /// <summary>In bytes.</summary>
    public const int Size10 = 584;

    /// <summary>In bytes.</summary>
    public const int Size15 = 648;

    private readonly ReadOnlySpan<byte> _bytes;

    internal TdReport(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public bool IsVersion15 => _bytes.Length == Size15;

    /// <summary>Security versions at launch: the module's in [0] and its major version in [1], the microcode's in [2].</summary>
    public ReadOnlySpan<byte> TeeTcbSvn => _bytes[..16];
    public ReadOnlySpan<byte> MrSeam => _bytes[16..64];
    public ReadOnlySpan<byte> MrSignerSeam => _bytes[64..112];
    public ReadOnlySpan<byte> SeamAttributes => _bytes[112..120];
    public ReadOnlySpan<byte> TdAttributesBytes => _bytes[120..128];
    public ReadOnlySpan<byte> XfamBytes => _bytes[128..136];
    public ReadOnlySpan<byte> MrTd => _bytes[136..184];
    public ReadOnlySpan<byte> MrConfigId => _bytes[184..232];
    public ReadOnlySpan<byte> MrOwner => _bytes[232..280];
    public ReadOnlySpan<byte> MrOwnerConfig => _bytes[280..328];
    public ReadOnlySpan<byte> ReportData => _bytes[520..584];

    /// <summary>Version 1.5: security versions of the module that runs now; empty before.</summary>
    public ReadOnlySpan<byte> TeeTcbSvn2 => IsVersion15 ? _bytes[584..600] : default;

    /// <summary>Version 1.5: the measurement of a bound service domain, such as one that migrates this one; empty before.</summary>
    public ReadOnlySpan<byte> MrServiceTd => IsVersion15 ? _bytes[600..648] : default;

    public TdAttributes TdAttributes => new(BinaryPrimitives.ReadUInt64LittleEndian(TdAttributesBytes));
    public Xfam Xfam => new(BinaryPrimitives.ReadUInt64LittleEndian(XfamBytes));

    /// <summary>A runtime measurement register.</summary>
    /// <param name="index">0 to 3.</param>
    public ReadOnlySpan<byte> RtMr(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)index, 3u, nameof(index));
        return _bytes.Slice(328 + 48 * index, 48);
    }
}

/// <summary>The quoting enclave's own report (Intel SDM volume 3D, REPORT; the fields that are judged).</summary>
public readonly ref struct QeReport
{
    /// <summary>In bytes.</summary>
    public const int Size = 384;

    private readonly ReadOnlySpan<byte> _bytes;

    internal QeReport(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Exactly the bytes that the PCK signed.</summary>
    public ReadOnlySpan<byte> Signed => _bytes;

    public ReadOnlySpan<byte> CpuSvn => _bytes[..16];
    public ReadOnlySpan<byte> MiscSelect => _bytes[16..20];
    public ReadOnlySpan<byte> Attributes => _bytes[48..64];
    public ReadOnlySpan<byte> MrEnclave => _bytes[64..96];
    public ReadOnlySpan<byte> MrSigner => _bytes[128..160];
    public ushort IsvProdId => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[256..]);
    public ushort IsvSvn => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[258..]);
    public ReadOnlySpan<byte> ReportData => _bytes[320..384];
}
