using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>How a key of a TPM signs (Algorithm Registry, TPM_ALG_ID).</summary>
public enum TpmScheme : ushort
{
    RsaSsa = 0x0014,
    RsaPss = 0x0016,
    Ecdsa = 0x0018,
}

/// <summary>A TPMT_SIGNATURE (TPM 2.0 Library, Part 2, section 11.3.4): a view over the bytes it was parsed from.</summary>
/// <remarks>
/// <code>
///   struct {
///       uint16 scheme;                          // RSASSA, RSAPSS or ECDSA
///       uint16 hash;
///       opaque signature&lt;0..512&gt;;               // RSA
///       opaque r&lt;1..48&gt;, s&lt;1..48&gt;;              // ECDSA
///   } Signature;
/// </code>
/// </remarks>
public readonly ref struct TpmSignature
{
    private const int MaxRsa = 512;
    private const int MaxCoordinate = 48;

    private TpmSignature(ReadOnlySpan<byte> bytes, out WireError error)
    {
        var reader = new WireReader(bytes);
        Scheme = (TpmScheme)reader.UInt16BigEndian("scheme");
        Hash = (TpmHash)reader.UInt16BigEndian("hash");
        switch (Scheme)
        {
            case TpmScheme.RsaSsa or TpmScheme.RsaPss:
                Rsa = reader.Sized("signature", MaxRsa);
                break;
            case TpmScheme.Ecdsa:
                R = reader.Sized("r", MaxCoordinate);
                S = reader.Sized("s", MaxCoordinate);
                break;
            default:
                reader.Refuse("scheme", (long)TpmScheme.RsaSsa, (long)Scheme);
                break;
        }
        reader.ExpectEnd("signature");
        error = reader.Error;
    }

    public TpmScheme Scheme { get; }

    public TpmHash Hash { get; }

    /// <summary>As long as the modulus; empty for ECDSA.</summary>
    public ReadOnlySpan<byte> Rsa { get; }

    /// <summary>Big-endian, no longer than the curve's order; empty for RSA.</summary>
    public ReadOnlySpan<byte> R { get; }

    /// <summary>As <see cref="R"/>.</summary>
    public ReadOnlySpan<byte> S { get; }

    /// <summary>Reads one signature and nothing behind it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TpmSignature signature, out WireError error)
    {
        var read = new TpmSignature(bytes, out error);
        bool formed = error.Fault is WireFault.None;
        signature = formed ? read : default;
        return formed;
    }
}
