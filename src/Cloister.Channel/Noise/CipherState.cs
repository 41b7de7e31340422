using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Channel.Noise;

/// <summary>A key and the number of messages it has sealed or opened. Noise rev 34, section 5.1.</summary>
/// <remarks>Not safe for use from two threads at once. Disposing it wipes the key; using it afterwards throws.</remarks>
internal sealed class CipherState(NoiseCipher cipher) : IDisposable
{
    private const int NonceSize = 12;

    private AeadKey? _key;
    private ulong _nonce;

    public bool HasKey => _key is not null;

    /// <summary>Sets the key and starts counting at zero.</summary>
    public void InitializeKey(ReadOnlySpan<byte> key)
    {
        Install(key);
        _nonce = 0;
    }

    /// <summary>Seals under the next number. Without a key yet, copies.</summary>
    /// <param name="ciphertext">16 bytes longer than the plaintext once there is a key; it may start at the same place.</param>
    public void Encrypt(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        if (_key is null)
        {
            plaintext.CopyTo(ciphertext);
            return;
        }

        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(nonce, Current);
        _key.Seal(nonce, plaintext, associatedData, ciphertext);
        _nonce++;
    }

    /// <summary>Opens what was sealed under the next number. On failure the number stands still and <paramref name="plaintext"/> is zero.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        if (_key is null)
        {
            ciphertext.CopyTo(plaintext);
            return true;
        }

        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(nonce, Current);
        bool opened = _key.TryOpen(nonce, ciphertext, associatedData, plaintext);
        if (opened)
        {
            _nonce++;
        }
        return opened;
    }

    /// <summary>Noise rev 34, section 4.2: replaces the key by one from which it cannot be found. The count goes on.</summary>
    public void Rekey()
    {
        var key = _key ?? throw new InvalidOperationException("There is no key to replace.");

        Span<byte> nonce = stackalloc byte[NonceSize];
        Span<byte> next = stackalloc byte[AeadKey.Size + AeadKey.TagSize];
        next.Clear();
        WriteNonce(nonce, ulong.MaxValue);
        key.Seal(nonce, next[..AeadKey.Size], [], next);
        Install(next[..AeadKey.Size]);
        CryptographicOperations.ZeroMemory(next);
    }

    public void Dispose() => _key?.Dispose();

    // The last number belongs to Rekey.
    private ulong Current => _nonce < ulong.MaxValue ? _nonce : throw new InvalidOperationException("The key is used up.");

    // Noise rev 34, section 12.
    private void WriteNonce(Span<byte> nonce, ulong number)
    {
        nonce[..sizeof(uint)].Clear();
        if (cipher is NoiseCipher.ChaChaPoly)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(nonce[sizeof(uint)..], number);
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(nonce[sizeof(uint)..], number);
        }
    }

    private void Install(ReadOnlySpan<byte> key)
    {
        if (_key is null)
        {
            _key = cipher is NoiseCipher.ChaChaPoly ? ChaCha20Poly1305Key.Import(key) : Aes256GcmKey.Import(key);
        }
        else
        {
            _key.Replace(key);
        }
    }
}
