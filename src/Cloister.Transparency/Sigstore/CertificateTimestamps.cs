using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>A certificate log's promise to show a certificate (RFC 6962, section 3.2).</summary>
/// <param name="Time">In milliseconds since 1970.</param>
internal sealed record CertificateTimestamp(byte[] LogId, ulong Time, byte[] Extensions, HashAlgorithmName? Hash, byte[] Signature)
{
    public DateTimeOffset? Moment => Time <= 253_402_300_799_999 ? DateTimeOffset.FromUnixTimeMilliseconds((long)Time) : null;
}

/// <summary>The promises inside a certificate (section 3.3).</summary>
internal static class CertificateTimestamps
{
    public const string Oid = "1.3.6.1.4.1.11129.2.4.2";

    private const int MaxCount = 16;
    private const int LogIdSize = 32;
    private const byte V1 = 0, OfCertificate = 0;
    private const ushort PrecertificateEntry = 1;
    private const byte Rsa = 1, Ecdsa = 3;

    /// <summary>Reads the extension's value: an OCTET STRING around a list in TLS's encoding.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> extension, out ImmutableArray<CertificateTimestamp> timestamps)
    {
        timestamps = [];
        try
        {
            var reader = new AsnReader(extension, AsnEncodingRules.DER);
            byte[] list = reader.ReadOctetString();
            return !reader.HasData && TryReadList(list, out timestamps);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>Whether the log signed it over this certificate before it was made: the issuer's key, and all but the promises.</summary>
    public static bool Verify(CertificateTimestamp timestamp, SigstoreKey log, SigstoreCertificate certificate, SigstoreCertificate issuer)
    {
        byte[] tbs = certificate.SignedPartWithout(Oid);
        Span<byte> time = stackalloc byte[sizeof(ulong)];
        Span<byte> length = stackalloc byte[sizeof(uint)];
        Span<byte> extensionsLength = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt64BigEndian(time, timestamp.Time);
        BinaryPrimitives.WriteUInt32BigEndian(length, (uint)tbs.Length);
        BinaryPrimitives.WriteUInt16BigEndian(extensionsLength, (ushort)timestamp.Extensions.Length);
        byte[] signed = [V1, OfCertificate, .. time, 0, (byte)PrecertificateEntry, .. SHA256.HashData(issuer.EncodedKey), .. length[1..], .. tbs, .. extensionsLength, .. timestamp.Extensions];
        return timestamp.Hash is { } hash && log.Verify(hash, signed, timestamp.Signature);
    }

    private static bool TryReadList(byte[] list, out ImmutableArray<CertificateTimestamp> timestamps)
    {
        var found = ImmutableArray.CreateBuilder<CertificateTimestamp>();
        timestamps = [];
        var reader = new WireReader(list);
        int all = reader.UInt16BigEndian("sct list length");
        if (reader.Failed || all != reader.Remaining)
        {
            return false;
        }
        while (reader.Remaining > 0)
        {
            int length = reader.UInt16BigEndian("sct length");
            var one = reader.Bytes("sct", length);
            if (reader.Failed || found.Count == MaxCount || !TryReadOne(one, out var timestamp))
            {
                return false;
            }
            found.Add(timestamp);
        }
        timestamps = found.ToImmutable();
        return true;
    }

    private static bool TryReadOne(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CertificateTimestamp? timestamp)
    {
        var reader = new WireReader(bytes);
        reader.Expect("version", [V1]);
        byte[] id = reader.Bytes("log id", LogIdSize).ToArray();
        ulong time = reader.UInt64BigEndian("timestamp");
        byte[] extensions = reader.Bytes("extensions", reader.UInt16BigEndian("extensions length")).ToArray();
        var (hash, algorithm) = (reader.UInt8("hash"), reader.UInt8("signature algorithm"));
        byte[] signature = reader.Bytes("signature", reader.UInt16BigEndian("signature length")).ToArray();
        reader.ExpectEnd("sct");
        timestamp = reader.Failed ? null : new(id, time, extensions, HashOf(hash, algorithm), signature);
        return timestamp is not null;
    }

    // TLS's numbers (RFC 5246, section 7.4.1.4.1); RFC 6962 has no other hash than SHA-256 and these two algorithms.
    private static HashAlgorithmName? HashOf(byte hash, byte algorithm) => (hash, algorithm) is (4, Rsa or Ecdsa) ? HashAlgorithmName.SHA256 : null;
}
