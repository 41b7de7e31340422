using System.Formats.Asn1;
using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>SHA-256 of a key as the SubjectPublicKeyInfo that a certificate for it carries, in lower-case hex (<see cref="PublicKey.Fingerprint"/>).</summary>
internal static class KeyFingerprint
{
    /// <summary>RFC 8017, appendix A.1.1. Both numbers big-endian.</summary>
    public static string OfRsa(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        var key = new AsnWriter(AsnEncodingRules.DER);
        using (key.PushSequence())
        {
            key.WriteIntegerUnsigned(modulus.TrimStart((byte)0));
            key.WriteIntegerUnsigned(exponent.TrimStart((byte)0));
        }
        return Of(Algorithms.RsaEncryption, null, key.Encode());
    }

    /// <summary>RFC 5480. The point uncompressed.</summary>
    public static string OfEcdsa(EcdsaCurve curve, ReadOnlySpan<byte> point) =>
        Of(Algorithms.EcPublicKey, curve is EcdsaCurve.P256 ? Algorithms.P256 : Algorithms.P384, point);

    private static string Of(string algorithm, string? curve, ReadOnlySpan<byte> key)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(algorithm);
                if (curve is null)
                {
                    writer.WriteNull();
                }
                else
                {
                    writer.WriteObjectIdentifier(curve);
                }
            }
            writer.WriteBitString(key);
        }
        return Hex.Encode(SHA256.HashData(writer.Encode()));
    }
}
