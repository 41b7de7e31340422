using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Modes;

namespace Cloister.Primitives;

/// <summary>AES-256-GCM (NIST SP 800-38D): 12-byte nonces, full tags.</summary>
public sealed class Aes256GcmKey : AeadKey
{
    private readonly Backend _backend;
    private AesGcm? _native;

    private Aes256GcmKey(ReadOnlySpan<byte> key, Backend backend) : base(key) => _backend = backend;

    public override int NonceSize => 12;

    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public static Aes256GcmKey Import(ReadOnlySpan<byte> key) => new(key, Backends.Default);

    internal static Aes256GcmKey Import(ReadOnlySpan<byte> key, Backend backend) => new(key, backend);

    private protected override void SealChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        if (_backend.IsManaged())
        {
            SealManaged(NewManaged(), Key, nonce, plaintext, associatedData, sealedBytes);
            return;
        }
        Native.Encrypt(nonce, plaintext, sealedBytes[..plaintext.Length], sealedBytes[plaintext.Length..], associatedData);
    }

    private protected override bool TryOpenChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        if (_backend.IsManaged())
        {
            return TryOpenManaged(NewManaged(), Key, nonce, sealedBytes, associatedData, plaintext);
        }

        try
        {
            Native.Decrypt(nonce, sealedBytes[..plaintext.Length], sealedBytes[plaintext.Length..], plaintext, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private protected override void Forget()
    {
        _native?.Dispose();
        _native = null;
    }

    private AesGcm Native => _native ??= new AesGcm(Key.Bytes, TagSize);

    private static GcmBlockCipher NewManaged() => new(Org.BouncyCastle.Crypto.AesUtilities.CreateEngine());
}
