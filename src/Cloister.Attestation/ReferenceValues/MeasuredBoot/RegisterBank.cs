using System.Security.Cryptography;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>The hash by which a register is extended. PCRs are quoted from the SHA-256 bank; RTMRs are SHA-384.</summary>
public enum RegisterBank : byte { Sha256, Sha384 }

/// <summary>A register that starts at zero and is extended digest by digest: a TPM's PCR, or an RTMR of a trust domain.</summary>
public static class MeasuredRegister
{
    /// <summary>How long a digest is, in bytes.</summary>
    public static int DigestSize(RegisterBank bank) => bank is RegisterBank.Sha384 ? SHA384.HashSizeInBytes : SHA256.HashSizeInBytes;

    /// <summary>What the register holds after these extensions, in their order.</summary>
    /// <exception cref="ArgumentException">A digest has another length than the bank's.</exception>
    public static byte[] Replay(RegisterBank bank, IEnumerable<byte[]> digests)
    {
        byte[] register = new byte[DigestSize(bank)];
        foreach (byte[] digest in digests)
        {
            if (digest.Length != register.Length)
            {
                throw new ArgumentException($"A digest of {digest.Length} bytes does not extend a register of {register.Length}.", nameof(digests));
            }
            register = Hash(bank, [.. register, .. digest]);
        }
        return register;
    }

    internal static byte[] Hash(RegisterBank bank, ReadOnlySpan<byte> data) => bank is RegisterBank.Sha384 ? SHA384.HashData(data) : SHA256.HashData(data);
}
