using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What a GPU or a switch signed: an SPDM 1.1 request for all measurements and the response to it.</summary>
/// <remarks>
/// DMTF DSP0274 1.1, GET_MEASUREMENTS and MEASUREMENTS; all integers little-endian:
/// <code>
///   struct {
///       uint8 version = 0x11, code = 0xE0;      // GET_MEASUREMENTS
///       uint8 param1 = 1, param2 = 0xFF;        // signed, all of them
///       opaque nonce[32];
///       uint8 slot = 0..7;
///   } Request;
///   struct {
///       uint8 version = 0x11, code = 0x60;      // MEASUREMENTS
///       uint8 param1, param2 = 0;               // reserved with a request for all
///       uint8 number_of_blocks = 1..254;
///       Block record&lt;0..2^24-1&gt;;
///       opaque nonce[32];
///       opaque opaque_data&lt;0..2^16-1&gt;;
///       opaque signature[96];                   // r ‖ s on P-384 over everything before it
///   } Response;
///   struct {
///       uint8 index = 1, 2, 3 …;
///       uint8 specification = 1;                // DMTF
///       uint16 size = 51;
///       uint8 type = 0..4;                      // a digest
///       uint16 value_size = 48;
///       opaque value[48];
///   } Block;
/// </code>
/// Every length is exact, the blocks are numbered without gaps, and nothing follows.
/// </remarks>
public sealed class NvidiaReport
{
    public const int NonceSize = 32;

    /// <summary>SHA-384.</summary>
    public const int MeasurementSize = 48;

    /// <summary>ECDSA on P-384, r ‖ s.</summary>
    public const int SignatureSize = 96;

    /// <summary>In bytes. Real ones have under 5 KiB.</summary>
    public const int MaxSize = 64 * 1024;

    private const int MaxBlocks = 254;
    private const byte MaxDigestType = 4;

    private readonly ReadOnlyMemory<byte> _bytes;

    private NvidiaReport(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>Request, and response without its signature: exactly the bytes that the device signed.</summary>
    public ReadOnlyMemory<byte> Signed => _bytes[..^SignatureSize];

    public ReadOnlyMemory<byte> Signature => _bytes[^SignatureSize..];

    /// <summary>The nonce that the device was asked with.</summary>
    public required ReadOnlyMemory<byte> RequestNonce { get; init; }

    /// <summary>The device's own.</summary>
    public required ReadOnlyMemory<byte> ResponseNonce { get; init; }

    /// <summary>48 bytes each. The first is block 1, which manifests call index 0.</summary>
    public required ImmutableArray<ReadOnlyMemory<byte>> Measurements { get; init; }

    public required NvidiaFields Fields { get; init; }

    public static bool TryParse(ReadOnlyMemory<byte> source, [NotNullWhen(true)] out NvidiaReport? report, out WireError error)
    {
        report = null;
        var reader = new WireReader(source.Span);
        if (source.Length > MaxSize)
        {
            error = new WireError(WireFault.TooLong, "report", 0, MaxSize, source.Length);
            return false;
        }

        reader.Expect("version … param2", [0x11, 0xe0, 1, 0xff]);
        int requestNonce = reader.Offset;
        reader.Bytes("nonce", NonceSize);
        byte slot = reader.UInt8("slot");
        if (slot > 7)
        {
            reader.Refuse("slot", 7, slot);
        }

        reader.Expect("version … param2", [0x11, 0x60, 0, 0]);
        byte blocks = reader.UInt8("number_of_blocks");
        var length = reader.Bytes("record length", 3);
        int recordLength = reader.Failed ? 0 : length[0] | length[1] << 8 | length[2] << 16;
        int record = reader.Offset;
        reader.Bytes("record", recordLength);
        int responseNonce = reader.Offset;
        reader.Bytes("nonce", NonceSize);
        int opaqueLength = reader.UInt16LittleEndian("opaque length");
        int opaque = reader.Offset;
        reader.Bytes("opaque data", opaqueLength);
        reader.Bytes("signature", SignatureSize);
        reader.ExpectEnd("report");

        error = reader.Error;
        if (reader.Failed
            || !TryReadRecord(source.Slice(record, recordLength), blocks, out var measurements, ref error)
            || !NvidiaFields.TryParse(source.Slice(opaque, opaqueLength), out var fields, out error))
        {
            return false;
        }
        report = new NvidiaReport(source)
        {
            RequestNonce = source.Slice(requestNonce, NonceSize),
            ResponseNonce = source.Slice(responseNonce, NonceSize),
            Measurements = measurements,
            Fields = fields,
        };
        return true;
    }

    private static bool TryReadRecord(ReadOnlyMemory<byte> record, int blocks, out ImmutableArray<ReadOnlyMemory<byte>> measurements, ref WireError error)
    {
        var reader = new WireReader(record.Span);
        if (blocks is < 1 or > MaxBlocks)
        {
            reader.Refuse("number_of_blocks", MaxBlocks, blocks);
        }
        var values = new ReadOnlyMemory<byte>[blocks];
        for (int i = 0; i < blocks && !reader.Failed; i++)
        {
            byte index = reader.UInt8("index");
            if (index != i + 1)
            {
                reader.Refuse("index", i + 1, index);
            }
            reader.Expect("specification and size", [1, MeasurementSize + 3, 0]);
            byte type = reader.UInt8("type");
            if (type > MaxDigestType)
            {
                reader.Refuse("type", MaxDigestType, type);
            }
            reader.Expect("value_size", [MeasurementSize, 0]);
            int value = reader.Offset;
            if (reader.Bytes("value", MeasurementSize).Length > 0)
            {
                values[i] = record.Slice(value, MeasurementSize);
            }
        }
        reader.ExpectEnd("record");
        error = reader.Error;
        measurements = reader.Failed ? [] : [.. values];
        return !reader.Failed;
    }
}
