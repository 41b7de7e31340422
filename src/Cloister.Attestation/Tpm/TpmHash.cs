using System.Security.Cryptography;

namespace Cloister.Attestation;

/// <summary>Hashes by their number at the TCG (Algorithm Registry, TPM_ALG_ID). Registers are replayed and quotes checked with SHA-256 and SHA-384 only.</summary>
public enum TpmHash : ushort
{
    Sha1 = 0x0004,
    Sha256 = 0x000b,
    Sha384 = 0x000c,
    Sha512 = 0x000d,
    Sm3 = 0x0012,
}

internal static class TpmHashes
{
    /// <summary>The length of a digest in bytes; 0 for a number that is no hash of ours.</summary>
    public static int SizeOf(TpmHash hash) => hash switch
    {
        TpmHash.Sha1                    => 20,
        TpmHash.Sha256 or TpmHash.Sm3   => 32,
        TpmHash.Sha384                  => 48,
        TpmHash.Sha512                  => 64,
        _                               => 0,
    };

    /// <summary>The two that are computed here.</summary>
    public static bool IsUsed(TpmHash hash) => hash is TpmHash.Sha256 or TpmHash.Sha384;

    public static HashAlgorithmName NameOf(TpmHash hash) => hash switch
    {
        TpmHash.Sha256 => HashAlgorithmName.SHA256,
        TpmHash.Sha384 => HashAlgorithmName.SHA384,
        _              => throw new ArgumentOutOfRangeException(nameof(hash), hash, "SHA-256 or SHA-384."),
    };

    public static byte[] HashData(TpmHash hash, ReadOnlySpan<byte> data) => CryptographicOperations.HashData(NameOf(hash), data);
}
