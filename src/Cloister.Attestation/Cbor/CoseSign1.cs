namespace Cloister.Attestation;

/// <summary>A signed message of RFC 9052, section 4.2.</summary>
internal static class CoseSign1
{
    /// <summary>The tag in front of it.</summary>
    public const byte Tag = 18;

    /// <summary>ECDSA with SHA-384 (RFC 9053, section 2.1); on P-384 in every format here.</summary>
    public const int Es384 = -35;

    /// <summary>r ‖ s on P-384.</summary>
    public const int SignatureSize = 96;

    /// <summary>Section 4.4: ["Signature1", protected, external_aad, payload], of which the third is empty here.</summary>
    /// <param name="header">What the byte string of the protected header holds.</param>
    public static byte[] SignedBytes(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) => [0x84, 0x6a, .. "Signature1"u8, .. ByteString(header), 0x40, .. ByteString(payload)];

    private static byte[] ByteString(ReadOnlySpan<byte> value) => value.Length switch
    {
        < 24               => [(byte)(0x40 | value.Length), .. value],
        <= byte.MaxValue   => [0x58, (byte)value.Length, .. value],
        <= ushort.MaxValue => [0x59, (byte)(value.Length >> 8), (byte)(value.Length & 0xff), .. value],
        _                  => [0x5a, (byte)(value.Length >> 24), (byte)(value.Length >> 16 & 0xff), (byte)(value.Length >> 8 & 0xff), (byte)(value.Length & 0xff), .. value],
    };
}
