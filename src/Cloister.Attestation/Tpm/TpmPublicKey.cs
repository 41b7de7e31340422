using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>The public part of a signing key of a TPM, RSA, P-256 or P-384: a TPMT_PUBLIC (TPM 2.0 Library, Part 2, section 12.2.4).</summary>
/// <remarks>
/// All integers big-endian; TPM_ALG_NULL is 0x0010:
/// <code>
///   struct {
///       uint16 type;                            // 0x0001 RSA, 0x0023 ECC
///       uint16 name_hash;
///       uint32 attributes;
///       opaque auth_policy&lt;0..64&gt;;
///       uint16 symmetric = NULL;                // a key that signs has none
///       uint16 scheme, scheme_hash;
///       uint16 bits; uint32 exponent;           // RSA; exponent 0 is 65537
///       opaque modulus&lt;0..512&gt;;
///       uint16 curve; uint16 kdf = NULL;        // ECC: 3 is P-256, 4 is P-384
///       opaque x&lt;0..48&gt;, y&lt;0..48&gt;;
///   } Public;
/// </code>
/// </remarks>
public sealed class TpmPublicKey
{
    /// <summary>In bytes.</summary>
    public const int MaxSize = 1024;

    private const ushort RsaType = 0x0001;
    private const ushort EccType = 0x0023;
    private const ushort Null = 0x0010;
    private const ushort P256 = 0x0003;
    private const uint DefaultExponent = 65537;

    private readonly RsaPublicKey? _rsa;
    private readonly EcdsaPublicKey? _ecdsa;
    private readonly int _coordinateSize;

    private TpmPublicKey(ReadOnlySpan<byte> bytes, Fields fields, RsaPublicKey? rsa, EcdsaPublicKey? ecdsa, string fingerprint)
    {
        (_rsa, _ecdsa, _coordinateSize) = (rsa, ecdsa, fields.CoordinateSize);
        (Attributes, Scheme, Hash, Fingerprint) = (fields.Attributes, fields.Scheme, fields.Hash, fingerprint);
        RsaBits = rsa is null ? 0 : fields.Bits;
        byte[] digest = TpmHashes.HashData(fields.NameHash, bytes);
        Name = Hex.Encode([(byte)((ushort)fields.NameHash >> 8), (byte)((ushort)fields.NameHash & 0xff), .. digest]);
    }

    public TpmKeyAttributes Attributes { get; }

    /// <summary>The one scheme that the key signs with.</summary>
    public TpmScheme Scheme { get; }

    /// <summary>The one hash that it signs with.</summary>
    public TpmHash Hash { get; }

    /// <summary>0 where it is no RSA key.</summary>
    public int RsaBits { get; }

    /// <summary>The key's name (Part 1, section 16): the hash's number and the hash over the whole public part, attributes included, in lower-case hex.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of the key as a SubjectPublicKeyInfo, in lower-case hex: what a certificate for it carries.</summary>
    public string Fingerprint { get; }

    /// <summary>True where this key made the signature over <paramref name="message"/>, with its own scheme and hash.</summary>
    public bool Verify(ReadOnlySpan<byte> message, TpmSignature signature)
    {
        if (signature.Scheme != Scheme || signature.Hash != Hash)
        {
            return false;
        }
        var name = TpmHashes.NameOf(Hash);
        switch (Scheme)
        {
            case TpmScheme.RsaSsa:
                return _rsa?.VerifyPkcs1(message, name, signature.Rsa) ?? false;
            case TpmScheme.RsaPss:
                return _rsa?.VerifyPss(message, name, signature.Rsa) ?? false;
            default:
                Span<byte> numbers = stackalloc byte[2 * 48];
                numbers = numbers[..(2 * _coordinateSize)];
                return _ecdsa is not null
                    && TryPad(signature.R, numbers[.._coordinateSize]) && TryPad(signature.S, numbers[_coordinateSize..])
                    && _ecdsa.Verify(message, name, numbers, EcdsaSignatureFormat.P1363);
        }
    }

    /// <summary>Reads one public part and nothing behind it. False also for keys that cannot sign quotes and for numbers that are no key.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TpmPublicKey? key, out WireError error)
    {
        key = null;
        var reader = new WireReader(bytes);
        if (bytes.Length > MaxSize)
        {
            error = new WireError(WireFault.TooLong, "public", 0, MaxSize, bytes.Length);
            return false;
        }
        var fields = new Fields(ref reader);
        if (!reader.Failed)
        {
            key = fields.Type == RsaType ? ImportRsa(bytes, fields) : ImportEcc(bytes, fields);
            if (key is null)
            {
                reader.Refuse("unique", 1, 0);
            }
        }
        error = reader.Error;
        return key is not null;
    }

    private static TpmPublicKey? ImportRsa(ReadOnlySpan<byte> bytes, Fields fields)
    {
        Span<byte> exponent = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(exponent, fields.Exponent == 0 ? DefaultExponent : fields.Exponent);
        exponent = exponent.TrimStart((byte)0);
        return fields.First.Length * 8 == fields.Bits && RsaPublicKey.TryImport(fields.First, exponent, out var rsa)
            ? new TpmPublicKey(bytes, fields, rsa, null, KeyFingerprint.OfRsa(fields.First, exponent)) : null;
    }

    private static TpmPublicKey? ImportEcc(ReadOnlySpan<byte> bytes, Fields fields)
    {
        var curve = fields.CoordinateSize == 32 ? EcdsaCurve.P256 : EcdsaCurve.P384;
        Span<byte> point = stackalloc byte[1 + 2 * 48];
        point = point[..(1 + 2 * fields.CoordinateSize)];
        point[0] = 4;
        return TryPad(fields.First, point.Slice(1, fields.CoordinateSize)) && TryPad(fields.Second, point[(1 + fields.CoordinateSize)..])
            && EcdsaPublicKey.TryImport(curve, point, out var ecdsa)
            ? new TpmPublicKey(bytes, fields, null, ecdsa, KeyFingerprint.OfEcdsa(curve, point)) : null;
    }

    // Some TPMs drop leading zeros of numbers, some do not.
    private static bool TryPad(ReadOnlySpan<byte> number, Span<byte> destination)
    {
        if (number.IsEmpty || number.Length > destination.Length)
        {
            return false;
        }
        destination.Clear();
        number.CopyTo(destination[^number.Length..]);
        return true;
    }

    private readonly ref struct Fields
    {
        public Fields(ref WireReader reader)
        {
            Type = reader.UInt16BigEndian("type");
            if (Type is not (RsaType or EccType))
            {
                reader.Refuse("type", RsaType, Type);
            }
            NameHash = ReadHash(ref reader, "name_hash");
            Attributes = new TpmKeyAttributes(reader.UInt32BigEndian("attributes"));
            reader.Sized("auth_policy", 64);
            reader.ExpectUInt16("symmetric", Null);
            Scheme = (TpmScheme)reader.UInt16BigEndian("scheme");
            bool fits = Type == RsaType ? Scheme is TpmScheme.RsaSsa or TpmScheme.RsaPss : Scheme is TpmScheme.Ecdsa;
            if (!fits)
            {
                reader.Refuse("scheme", (long)TpmScheme.RsaSsa, (long)Scheme);
            }
            Hash = ReadHash(ref reader, "scheme_hash");
            if (Type == RsaType)
            {
                (Bits, Exponent) = (reader.UInt16BigEndian("bits"), reader.UInt32BigEndian("exponent"));
                First = reader.Sized("modulus", 512);
            }
            else
            {
                ushort curve = reader.UInt16BigEndian("curve");
                if (curve is not (P256 or P256 + 1))
                {
                    reader.Refuse("curve", P256, curve);
                }
                CoordinateSize = curve == P256 ? 32 : 48;
                reader.ExpectUInt16("kdf", Null);
                First = reader.Sized("x", 48);
                Second = reader.Sized("y", 48);
            }
            reader.ExpectEnd("public");
        }

        public readonly ushort Type;
        public readonly TpmHash NameHash;
        public readonly TpmKeyAttributes Attributes;
        public readonly TpmScheme Scheme;
        public readonly TpmHash Hash;
        public readonly ushort Bits;
        public readonly uint Exponent;
        public readonly int CoordinateSize;
        public readonly ReadOnlySpan<byte> First;
        public readonly ReadOnlySpan<byte> Second;

        private static TpmHash ReadHash(ref WireReader reader, string field)
        {
            var hash = (TpmHash)reader.UInt16BigEndian(field);
            if (!TpmHashes.IsUsed(hash))
            {
                reader.Refuse(field, (long)TpmHash.Sha256, (long)hash);
            }
            return hash;
        }
    }
}
