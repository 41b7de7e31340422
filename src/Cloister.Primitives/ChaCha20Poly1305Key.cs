using System.Security.Cryptography;
using Managed = Org.BouncyCastle.Crypto.Modes.ChaCha20Poly1305;

namespace Cloister.Primitives;

/// <summary>ChaCha20-Poly1305 (RFC 8439): 12-byte nonces.</summary>
public sealed class ChaCha20Poly1305Key : AeadKey
{
    // Ours to choose. Measured on x86-64 with AVX-512: a call into OpenSSL costs 0.9 µs before the first byte, one into libsodium
    // half of that; OpenSSL then encrypts three times as fast. They cross at about 1,200 bytes, and below 1,000 where the length is not
    // a multiple of 256, which libsodium likes best. With a message of a few blocks our own code is done before either has begun:
    // 64 bytes in 0.15 µs.
    private const int BulkLength = 960;

    // OpenSSL's context for a key costs as much as it saves on one message of that length. A handshake's keys seal only one.
    private const int WorthAContext = 4096;

    private readonly Backend _backend;
    private ChaCha20Poly1305? _bulk;
    private ShortChaCha20Poly1305? _short;
    private bool _hadBulk;

    private ChaCha20Poly1305Key(ReadOnlySpan<byte> key, Backend backend) : base(key)
    {
        _backend = backend;
        if (!backend.IsManaged())
        {
            Sodium.Initialise();
        }
    }

    public override int NonceSize => 12;

    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public static ChaCha20Poly1305Key Import(ReadOnlySpan<byte> key) => new(key, Backends.Default);

    internal static ChaCha20Poly1305Key Import(ReadOnlySpan<byte> key, Backend backend) => new(key, backend);

    private protected override unsafe void SealChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        if (_backend.IsManaged())
        {
            SealManaged(new Managed(), Key, nonce, plaintext, associatedData, sealedBytes);
        }
        else if (IsBulk(plaintext.Length))
        {
            Bulk.Encrypt(nonce, plaintext, sealedBytes[..plaintext.Length], sealedBytes[plaintext.Length..], associatedData);
        }
        else if (plaintext.Length <= ShortChaCha20Poly1305.MaxLength && ShortChaCha20Poly1305.IsSupported)
        {
            Short.Seal(nonce, plaintext, associatedData, sealedBytes);
        }
        else
        {
            fixed (byte* c = sealedBytes, m = plaintext, ad = associatedData, n = nonce, k = Key.Bytes)
            {
                _ = Sodium.crypto_aead_chacha20poly1305_ietf_encrypt(c, null, m, (ulong)plaintext.Length, ad, (ulong)associatedData.Length, null, n, k);
            }
        }
    }

    private protected override unsafe bool TryOpenChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        if (_backend.IsManaged())
        {
            return TryOpenManaged(new Managed(), Key, nonce, sealedBytes, associatedData, plaintext);
        }
        if (IsBulk(plaintext.Length))
        {
            return TryOpenBulk(nonce, sealedBytes, associatedData, plaintext);
        }
        if (plaintext.Length <= ShortChaCha20Poly1305.MaxLength && ShortChaCha20Poly1305.IsSupported)
        {
            return Short.TryOpen(nonce, sealedBytes, associatedData, plaintext);
        }

        fixed (byte* m = plaintext, c = sealedBytes, ad = associatedData, n = nonce, k = Key.Bytes)
        {
            return Sodium.crypto_aead_chacha20poly1305_ietf_decrypt(m, null, null, c, (ulong)sealedBytes.Length, ad, (ulong)associatedData.Length, n, k) == 0;
        }
    }

    private protected override void Forget()
    {
        _bulk?.Dispose();
        _bulk = null;
        _hadBulk = false;
        _short?.Forget();
    }

    private bool IsBulk(int length)
    {
        if (length < BulkLength || !ChaCha20Poly1305.IsSupported)
        {
            return false;
        }
        bool again = _hadBulk;
        _hadBulk = true;
        return again || length >= WorthAContext;
    }

    private ShortChaCha20Poly1305 Short => _short ??= new ShortChaCha20Poly1305(Key);

    private ChaCha20Poly1305 Bulk => _bulk ??= new ChaCha20Poly1305(Key.Bytes);

    private bool TryOpenBulk(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        try
        {
            Bulk.Decrypt(nonce, sealedBytes[..plaintext.Length], sealedBytes[plaintext.Length..], plaintext, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}
