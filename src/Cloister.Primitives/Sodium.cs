using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cloister.Primitives;

/// <summary>The functions of libsodium 1.0.22 that we call. Each returns 0 for success and -1 for refusal, unless it says otherwise.</summary>
/// <remarks>Callers check every length first: libsodium reads and writes what the primitive's constants say.</remarks>
internal static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    // sodium_init is idempotent and safe from several threads; -1 means that it found no source of randomness.
    static Sodium()
    {
        if (sodium_init() < 0)
        {
            throw new InvalidOperationException("libsodium cannot be initialised.");
        }
    }

    /// <summary>Runs the static constructor, once, before the first call.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Initialise() { }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    public static partial int crypto_scalarmult_curve25519(byte* q, byte* n, byte* p);

    [LibraryImport(Library)]
    public static partial int crypto_scalarmult_curve25519_base(byte* q, byte* n);

    [LibraryImport(Library)]
    public static partial int crypto_kem_mlkem768_seed_keypair(byte* publicKey, byte* secretKey, byte* seed);

    [LibraryImport(Library)]
    public static partial int crypto_kem_mlkem768_enc_deterministic(byte* ciphertext, byte* secret, byte* publicKey, byte* seed);

    [LibraryImport(Library)]
    public static partial int crypto_kem_mlkem768_dec(byte* secret, byte* ciphertext, byte* secretKey);

    /// <summary>1 where the point is canonical, on the curve, in the prime-order subgroup and not the identity; else 0.</summary>
    [LibraryImport(Library)]
    public static partial int crypto_core_ed25519_is_valid_point(byte* p);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_seed_keypair(byte* publicKey, byte* secretKey, byte* seed);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_detached(byte* signature, ulong* signatureLength, byte* message, ulong messageLength, byte* secretKey);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_verify_detached(byte* signature, byte* message, ulong messageLength, byte* publicKey);

    [LibraryImport(Library)]
    public static partial int crypto_aead_chacha20poly1305_ietf_encrypt(
        byte* c, ulong* cLength, byte* m, ulong mLength, byte* ad, ulong adLength, byte* unused, byte* nonce, byte* key);

    [LibraryImport(Library)]
    public static partial int crypto_aead_chacha20poly1305_ietf_decrypt(
        byte* m, ulong* mLength, byte* unused, byte* c, ulong cLength, byte* ad, ulong adLength, byte* nonce, byte* key);

    [LibraryImport(Library)]
    public static partial int crypto_aead_xchacha20poly1305_ietf_encrypt(
        byte* c, ulong* cLength, byte* m, ulong mLength, byte* ad, ulong adLength, byte* unused, byte* nonce, byte* key);

    [LibraryImport(Library)]
    public static partial int crypto_aead_xchacha20poly1305_ietf_decrypt(
        byte* m, ulong* mLength, byte* unused, byte* c, ulong cLength, byte* ad, ulong adLength, byte* nonce, byte* key);

    [LibraryImport(Library)]
    public static partial int crypto_pwhash_argon2id(byte* derived, ulong derivedLength, byte* password, ulong passwordLength, byte* salt, ulong passes, nuint memory, int algorithm);
}
