using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.EC;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace Cloister.Primitives;

public enum EcdsaCurve : byte { P256, P384 }

/// <summary>How the two numbers r and s are written.</summary>
public enum EcdsaSignatureFormat : byte
{
    /// <summary>SEQUENCE { r INTEGER, s INTEGER } in DER (RFC 3279, section 2.2.3).</summary>
    Der,

    /// <summary>r ‖ s, big-endian, each as long as the curve's order (IEEE P1363).</summary>
    P1363,
}

/// <summary>An ECDSA public key on a NIST curve (FIPS 186-5). It verifies; nothing here signs.</summary>
public sealed class EcdsaPublicKey : IDisposable
{
    private readonly EcdsaCurve _curve;
    private readonly byte[] _point;
    private readonly ECDsa? _native; // null: managed code verifies
    private ECPublicKeyParameters? _managed;

    private EcdsaPublicKey(EcdsaCurve curve, byte[] point, ECDsa? native) => (_curve, _point, _native) = (curve, point, native);

    /// <summary>False where the point is not uncompressed, not as long as the curve's, or not on the curve.</summary>
    /// <param name="point">04 ‖ x ‖ y (SEC 1, section 2.3.3).</param>
    public static bool TryImport(EcdsaCurve curve, ReadOnlySpan<byte> point, [NotNullWhen(true)] out EcdsaPublicKey? key) =>
        TryImport(curve, point, Backends.Default, out key);

    internal static bool TryImport(EcdsaCurve curve, ReadOnlySpan<byte> point, Backend backend, [NotNullWhen(true)] out EcdsaPublicKey? key)
    {
        key = null;
        int size = SizeOf(curve);
        if (point.Length != 1 + 2 * size || point[0] != 4)
        {
            return false;
        }

        if (backend.IsManaged())
        {
            key = SignatureRun.IsKey(SchemeOf(curve), point) ?? IsOnCurve(curve, point[1..]) ? new(curve, point.ToArray(), null) : null;
            return key is not null;
        }
        try
        {
            key = new(curve, point.ToArray(), ImportNative(curve, point[1..], size));
            return true;
        }
        catch (CryptographicException)
        {
            return false; // the point is not on the curve
        }
    }

    /// <summary>FIPS 186-5, section 6.4.2, over the hash of <paramref name="message"/>. False for anything but exactly one well-formed signature.</summary>
    public bool Verify(ReadOnlySpan<byte> message, HashAlgorithmName hash, ReadOnlySpan<byte> signature, EcdsaSignatureFormat format)
    {
        Span<byte> numbers = stackalloc byte[2 * SizeOf(_curve)];
        Span<byte> digest = stackalloc byte[64];
        return TryRead(signature, format, numbers)
            && (SignatureRun.AnswerTo(SchemeOf(_curve), hash, _point, default, message, numbers)
                ?? VerifyHash(digest[..CryptographicOperations.HashData(hash, message, digest)], numbers));
    }

    /// <summary>The same where only the message's hash is at hand. It says as much as the caller knows of what was hashed.</summary>
    /// <param name="digest">32, 48 or 64 bytes; of a longer one than the curve's order the leftmost bits count.</param>
    public bool VerifyHash(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature, EcdsaSignatureFormat format)
    {
        Span<byte> numbers = stackalloc byte[2 * SizeOf(_curve)];
        return TryRead(signature, format, numbers) && VerifyHash(digest, numbers);
    }

    public void Dispose() => _native?.Dispose();

    private static int SizeOf(EcdsaCurve curve) => curve switch
    {
        EcdsaCurve.P256 => 32,
        EcdsaCurve.P384 => 48,
        _               => throw new ArgumentOutOfRangeException(nameof(curve)),
    };

    private static SignatureScheme SchemeOf(EcdsaCurve curve) => curve is EcdsaCurve.P256 ? SignatureScheme.EcdsaP256 : SignatureScheme.EcdsaP384;

    private static ECDsa ImportNative(EcdsaCurve curve, ReadOnlySpan<byte> xy, int size) => ECDsa.Create(new ECParameters
    {
        Curve = curve is EcdsaCurve.P256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384,
        Q = new ECPoint { X = xy[..size].ToArray(), Y = xy[size..].ToArray() },
    });

    // y² = x³ − 3x + b (SP 800-186, section 3.2.1). BouncyCastle's curves would say it too, but they take a page 20 ms to make, for nothing where the browser verifies.
    private static bool IsOnCurve(EcdsaCurve curve, ReadOnlySpan<byte> xy)
    {
        var (p, b) = curve is EcdsaCurve.P256 ? Curves.P256 : Curves.P384;
        var (x, y) = (Number(xy[..(xy.Length / 2)]), Number(xy[(xy.Length / 2)..]));
        return x < p && y < p && ((y * y) - (((x * x) - 3) * x) - b) % p == 0;
    }

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    // The prime, and b. A class of its own, because where the platform verifies nobody needs them.
    private static class Curves
    {
        public static readonly (BigInteger P, BigInteger B) P256 = Of(
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");

        public static readonly (BigInteger P, BigInteger B) P384 = Of(
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");

        private static (BigInteger P, BigInteger B) Of(string p, string b) => (Number(Convert.FromHexString(p)), Number(Convert.FromHexString(b)));
    }

    // Null where the point is not on the curve: a run that only asks takes it for one (SignatureRun.IsKey).
    private ECPublicKeyParameters? Managed()
    {
        if (!IsOnCurve(_curve, _point.AsSpan(1)))
        {
            return null;
        }
        var curve = CustomNamedCurves.GetByName(_curve is EcdsaCurve.P256 ? "secp256r1" : "secp384r1");
        return new ECPublicKeyParameters(curve.Curve.DecodePoint(_point), new ECDomainParameters(curve));
    }

    private bool VerifyHash(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> numbers)
    {
        if (_native is not null)
        {
            return _native.VerifyHash(digest, numbers);
        }
        if ((_managed ??= Managed()) is not { } key)
        {
            return false;
        }
        int size = SizeOf(_curve);
        var signer = new ECDsaSigner();
        signer.Init(false, key);
        return signer.VerifySignature(digest.ToArray(), new(1, numbers[..size]), new(1, numbers[size..]));
    }

    // Into r ‖ s.
    private static bool TryRead(ReadOnlySpan<byte> signature, EcdsaSignatureFormat format, Span<byte> numbers) => format switch
    {
        EcdsaSignatureFormat.P1363 => signature.Length == numbers.Length && signature.TryCopyTo(numbers),
        EcdsaSignatureFormat.Der   => TryReadDer(signature, numbers.Length / 2, numbers),
        _                          => false,
    };

    // Strict DER, minimal and positive integers, nothing behind: one encoding for one signature.
    private static bool TryReadDer(ReadOnlySpan<byte> signature, int size, Span<byte> fixedSize)
    {
        try
        {
            var outer = new AsnReader(signature.ToArray(), AsnEncodingRules.DER);
            var sequence = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            bool fits = TryWrite(sequence.ReadIntegerBytes().Span, fixedSize[..size]) & TryWrite(sequence.ReadIntegerBytes().Span, fixedSize[size..]);
            sequence.ThrowIfNotEmpty();
            return fits;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static bool TryWrite(ReadOnlySpan<byte> integer, Span<byte> destination)
    {
        bool negative = (integer[0] & 0x80) != 0;
        var magnitude = integer.TrimStart((byte)0);
        if (negative || magnitude.Length > destination.Length)
        {
            return false;
        }
        destination.Clear();
        magnitude.CopyTo(destination[^magnitude.Length..]);
        return true;
    }
}
