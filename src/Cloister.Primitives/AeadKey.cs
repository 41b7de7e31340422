using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Modes;
using Org.BouncyCastle.Crypto.Parameters;

namespace Cloister.Primitives;

/// <summary>A 256-bit key of an AEAD with a 16-byte tag behind the ciphertext. Wiped by <see cref="Dispose()"/>; using it afterwards throws.</summary>
/// <remarks>
/// The caller owns the nonce: sealing twice under one nonce gives both plaintexts away. None of these commits to its key: a
/// ciphertext may open under two. Not safe for use from two threads at once.
/// </remarks>
public abstract class AeadKey : IDisposable
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    /// <summary>How much longer a ciphertext is than its plaintext, in bytes.</summary>
    public const int TagSize = 16;

    private protected AeadKey(ReadOnlySpan<byte> key)
    {
        Sizes.Require(key.Length, Size, nameof(key));
        Key = Secret.Of(key);
    }

    /// <summary>The length of a nonce, in bytes.</summary>
    public abstract int NonceSize { get; }

    private protected Secret Key { get; }

    /// <summary>Encrypts and authenticates. <paramref name="sealedBytes"/> may start where <paramref name="plaintext"/> starts.</summary>
    /// <param name="sealedBytes">Ciphertext ‖ tag: as long as the plaintext and 16 bytes more.</param>
    public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        Sizes.Require(nonce.Length, NonceSize, nameof(nonce));
        Sizes.Require(sealedBytes.Length, plaintext.Length + TagSize, nameof(sealedBytes));
        SealChecked(nonce, plaintext, associatedData, sealedBytes);
    }

    /// <summary>False, with <paramref name="plaintext"/> zero, where anything was altered.</summary>
    /// <param name="plaintext">16 bytes shorter than <paramref name="sealedBytes"/>; it may start at the same place.</param>
    public bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        Sizes.Require(nonce.Length, NonceSize, nameof(nonce));
        if (sealedBytes.Length < TagSize)
        {
            plaintext.Clear();
            return false;
        }
        Sizes.Require(plaintext.Length, sealedBytes.Length - TagSize, nameof(plaintext));

        bool opened = TryOpenChecked(nonce, sealedBytes, associatedData, plaintext);
        if (!opened)
        {
            plaintext.Clear();
        }
        return opened;
    }

    /// <summary>Overwrites the key, as a ratchet does.</summary>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public void Replace(ReadOnlySpan<byte> key)
    {
        Sizes.Require(key.Length, Size, nameof(key));
        key.CopyTo(Key.Bytes);
        Forget();
    }

    public void Dispose()
    {
        Key.Wipe();
        Forget();
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of whatever was made from the key, which is another one now, or gone.</summary>
    private protected virtual void Forget() { }

    private protected abstract void SealChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes);

    private protected abstract bool TryOpenChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext);

    private protected static void SealManaged(IAeadCipher cipher, Secret key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        cipher.Init(true, new AeadParameters(new KeyParameter(key.Bytes), TagSize * 8, nonce.ToArray(), associatedData.ToArray()));
        int written = cipher.ProcessBytes(plaintext.ToArray(), sealedBytes);
        cipher.DoFinal(sealedBytes[written..]);
    }

    private protected static bool TryOpenManaged(IAeadCipher cipher, Secret key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        cipher.Init(false, new AeadParameters(new KeyParameter(key.Bytes), TagSize * 8, nonce.ToArray(), associatedData.ToArray()));
        try
        {
            int written = cipher.ProcessBytes(sealedBytes.ToArray(), plaintext);
            cipher.DoFinal(plaintext[written..]);
            return true;
        }
        catch (InvalidCipherTextException)
        {
            return false;
        }
    }
}
