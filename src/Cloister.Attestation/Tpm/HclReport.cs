using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What the paravisor of a confidential machine on Azure keeps in its vTPM: claims, among them the attestation key, that the processor's report vouches for.</summary>
/// <remarks>
/// Microsoft, "Confidential VM Guest Attestation Design Detail", Attestation Report Format; integers little-endian:
/// <code>
///   struct {
///       opaque signature[4] = "HCLA";
///       uint32 version;                         // 1 or 2
///       uint32 report_size, request_type, status, reserved[3];
///       opaque report[1184];                    // the processor's; not read, what counts is verified apart
///       uint32 data_size; uint32 data_version = 1;
///       uint32 report_type;                     // 2 SEV-SNP, 4 TDX
///       uint32 hash_type;                       // 1 SHA-256, 2 SHA-384, 3 SHA-512
///       opaque claims&lt;0..2^32-1&gt;;               // JSON
///   } HclReport;
/// </code>
/// Only the claims are vouched for: their hash is in the report data of the processor's report. Zeros may follow, as the index of the vTPM has a fixed size.
/// </remarks>
public sealed class HclReport
{
    /// <summary>In bytes. Real ones have 2,600.</summary>
    public const int MaxSize = 16 * 1024;

    private const int HardwareReportSize = 1184;
    private const string AttestationKeyId = "HCLAkPub";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private readonly byte[] _claims;
    private readonly uint _hashType;

    private HclReport(byte[] claims, uint hashType, string fingerprint) => (_claims, _hashType, AttestationKey) = (claims, hashType, fingerprint);

    /// <summary>The attestation key's fingerprint (<see cref="TpmPublicKey.Fingerprint"/>).</summary>
    public string AttestationKey { get; }

    /// <summary>True where 64 bytes of report data hold the hash of the claims, and zeros behind it. Whose report data they are is the caller's to know.</summary>
    public bool IsBoundBy(ReadOnlySpan<byte> reportData) => reportData.SequenceEqual(ReportData);

    /// <summary>What the processor's report must carry, 64 bytes: the hash of the claims, and zeros behind it.</summary>
    public byte[] ReportData
    {
        get
        {
            byte[] hash = _hashType switch
            {
                1 => System.Security.Cryptography.SHA256.HashData(_claims),
                2 => System.Security.Cryptography.SHA384.HashData(_claims),
                _ => System.Security.Cryptography.SHA512.HashData(_claims),
            };
            return [.. hash, .. new byte[64 - hash.Length]];
        }
    }

    /// <summary>Reads one report. Members of the claims that are not asked for are passed over: the processor vouches for all of them.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out HclReport? report, out WireError error)
    {
        report = null;
        if (bytes.Length > MaxSize)
        {
            error = new WireError(WireFault.TooLong, "report", 0, MaxSize, bytes.Length);
            return false;
        }

        var reader = new WireReader(bytes);
        reader.Expect("signature", "HCLA"u8);
        Require(ref reader, "version", 1, 2);
        reader.Bytes("header", 24);
        reader.Bytes("report", HardwareReportSize);
        reader.UInt32LittleEndian("data_size");
        Require(ref reader, "data_version", 1, 1);
        uint reportType = Require(ref reader, "report_type", 2, 4);
        if (reportType == 3)
        {
            reader.Refuse("report_type", 2, reportType);
        }
        uint hashType = Require(ref reader, "hash_type", 1, 3);
        var claims = reader.PrefixedBytes("claims", MaxSize);
        int end = reader.Offset;
        reader.ExpectZerosToEnd("padding");

        error = reader.Error;
        if (!reader.Failed)
        {
            byte[] copy = claims.ToArray();
            report = FindKey(copy) is { } fingerprint ? new HclReport(copy, hashType, fingerprint) : null;
            error = report is null ? new WireError(WireFault.BadText, "claims", end - claims.Length, 0, 0) : default;
        }
        return report is not null;
    }

    private static uint Require(ref WireReader reader, string field, uint least, uint most)
    {
        uint value = reader.UInt32LittleEndian(field);
        if (value < least || value > most)
        {
            reader.Refuse(field, least, value);
        }
        return value;
    }

    // RFC 7517: exactly one key of that name.
    private static string? FindKey(byte[] claims)
    {
        try
        {
            using var parsed = JsonDocument.Parse(claims, Strict);
            string? found = null;
            foreach (var key in parsed.RootElement.GetProperty("keys").EnumerateArray())
            {
                if (key.TryGetProperty("kid", out var id) && id.GetString() == AttestationKeyId)
                {
                    if (found is not null || key.GetProperty("kty").GetString() != "RSA"
                        || !Base64.TryDecodeUrl(key.GetProperty("n").GetString(), out var modulus) || !Base64.TryDecodeUrl(key.GetProperty("e").GetString(), out var exponent)
                        || modulus.Length == 0 || exponent.Length == 0)
                    {
                        return null;
                    }
                    found = KeyFingerprint.OfRsa(modulus, exponent);
                }
            }
            return found;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null; // no claims of that form: nothing in them counts
        }
    }
}
