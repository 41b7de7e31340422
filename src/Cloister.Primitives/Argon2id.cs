using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace Cloister.Primitives;

/// <summary>Argon2id, version 0x13, one lane, without secret and associated data (RFC 9106).</summary>
/// <remarks>It makes each guess cost memory and time. A password that is guessed in few attempts is guessed nevertheless.</remarks>
public static class Argon2id
{
    /// <summary>In bytes.</summary>
    public const int SaltSize = 16;

    private const int NativeAlgorithm = 2; // crypto_pwhash_ALG_ARGON2ID13

    /// <summary>Derives at least 16 bytes from a password.</summary>
    /// <param name="password">Any bytes, also none.</param>
    /// <param name="salt">16 bytes.</param>
    /// <param name="memory">In KiB, at least 8.</param>
    /// <param name="passes">At least 1.</param>
    /// <exception cref="ArgumentException">A length or a cost is out of its range.</exception>
    public static void Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memory, int passes, Span<byte> derived) => Derive(password, salt, memory, passes, derived, Backends.Default);

    internal static unsafe void Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memory, int passes, Span<byte> derived, Backend backend)
    {
        Sizes.Require(salt.Length, SaltSize, nameof(salt));
        ArgumentOutOfRangeException.ThrowIfLessThan(memory, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(passes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(derived.Length, 16, nameof(derived));
        if (backend.IsManaged())
        {
            DeriveManaged(password, salt, memory, passes, derived);
            return;
        }

        Sodium.Initialise();
        fixed (byte* d = derived, p = password, s = salt)
        {
            if (Sodium.crypto_pwhash_argon2id(d, (ulong)derived.Length, p, (ulong)password.Length, s, (ulong)passes, checked((nuint)memory * 1024), NativeAlgorithm) != 0)
            {
                throw new InsufficientMemoryException($"Argon2id needs {memory} KiB of memory.");
            }
        }
    }

    private static void DeriveManaged(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memory, int passes, Span<byte> derived)
    {
        var generator = new Argon2BytesGenerator();
        generator.Init(new Argon2Parameters.Builder(Argon2Parameters.Argon2id).WithVersion(Argon2Parameters.Version13).WithSalt(salt.ToArray()).WithMemoryAsKB(memory).WithIterations(passes).WithParallelism(1).Build());
        byte[] output = new byte[derived.Length];
        generator.GenerateBytes(password.ToArray(), output);
        output.CopyTo(derived);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(output);
    }
}
