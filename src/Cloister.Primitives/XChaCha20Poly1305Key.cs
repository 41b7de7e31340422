using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cloister.Primitives;

/// <summary>XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): 24-byte nonces, long enough to be random.</summary>
public sealed class XChaCha20Poly1305Key : AeadKey
{
    private const int SubkeyNonceSize = 16;

    private readonly Backend _backend;

    private XChaCha20Poly1305Key(ReadOnlySpan<byte> key, Backend backend) : base(key)
    {
        _backend = backend;
        if (!backend.IsManaged())
        {
            Sodium.Initialise();
        }
    }

    public override int NonceSize => 24;

    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public static XChaCha20Poly1305Key Import(ReadOnlySpan<byte> key) => new(key, Backends.Default);

    internal static XChaCha20Poly1305Key Import(ReadOnlySpan<byte> key, Backend backend) => new(key, backend);

    private protected override unsafe void SealChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        if (_backend.IsManaged())
        {
            Span<byte> inner = stackalloc byte[12];
            using var subkey = Derive(nonce, inner);
            subkey.Seal(inner, plaintext, associatedData, sealedBytes);
            return;
        }

        fixed (byte* c = sealedBytes, m = plaintext, ad = associatedData, n = nonce, k = Key.Bytes)
        {
            _ = Sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(c, null, m, (ulong)plaintext.Length, ad, (ulong)associatedData.Length, null, n, k);
        }
    }

    private protected override unsafe bool TryOpenChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        if (_backend.IsManaged())
        {
            Span<byte> inner = stackalloc byte[12];
            using var subkey = Derive(nonce, inner);
            return subkey.TryOpen(inner, sealedBytes, associatedData, plaintext);
        }

        fixed (byte* m = plaintext, c = sealedBytes, ad = associatedData, n = nonce, k = Key.Bytes)
        {
            return Sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(m, null, null, c, (ulong)sealedBytes.Length, ad, (ulong)associatedData.Length, n, k) == 0;
        }
    }

    // Section 2.3: the first 16 bytes of the nonce make a subkey; the last 8, behind four zeros, are its nonce.
    private ChaCha20Poly1305Key Derive(ReadOnlySpan<byte> nonce, Span<byte> innerNonce)
    {
        innerNonce.Clear();
        nonce[SubkeyNonceSize..].CopyTo(innerNonce[4..]);

        Span<byte> subkey = stackalloc byte[Size];
        HChaCha20(Key.Bytes, nonce[..SubkeyNonceSize], subkey);
        var key = ChaCha20Poly1305Key.Import(subkey, Backend.Managed);
        CryptographicOperations.ZeroMemory(subkey);
        return key;
    }

    // Section 2.2.
    private static void HChaCha20(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, Span<byte> output)
    {
        Span<uint> x = stackalloc uint[16];
        "expand 32-byte k"u8.CopyTo(MemoryMarshal.AsBytes(x));
        key.CopyTo(MemoryMarshal.AsBytes(x[4..]));
        nonce.CopyTo(MemoryMarshal.AsBytes(x[12..]));

        for (int round = 0; round < 10; round++)
        {
            QuarterRound(x, 0, 4, 8, 12);
            QuarterRound(x, 1, 5, 9, 13);
            QuarterRound(x, 2, 6, 10, 14);
            QuarterRound(x, 3, 7, 11, 15);
            QuarterRound(x, 0, 5, 10, 15);
            QuarterRound(x, 1, 6, 11, 12);
            QuarterRound(x, 2, 7, 8, 13);
            QuarterRound(x, 3, 4, 9, 14);
        }

        for (int i = 0; i < 4; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(output[(4 * i)..], x[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(output[(16 + 4 * i)..], x[12 + i]);
        }
        x.Clear();
    }

    private static void QuarterRound(Span<uint> x, int a, int b, int c, int d)
    {
        unchecked
        {
            x[a] += x[b]; x[d] = BitOperations.RotateLeft(x[d] ^ x[a], 16);
            x[c] += x[d]; x[b] = BitOperations.RotateLeft(x[b] ^ x[c], 12);
            x[a] += x[b]; x[d] = BitOperations.RotateLeft(x[d] ^ x[a], 8);
            x[c] += x[d]; x[b] = BitOperations.RotateLeft(x[b] ^ x[c], 7);
        }
    }
}
