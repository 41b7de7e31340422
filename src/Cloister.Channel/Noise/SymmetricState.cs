using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Channel.Noise;

/// <summary>Chaining key, transcript hash and current key of a handshake. Noise rev 34, section 5.2.</summary>
internal sealed class SymmetricState : IDisposable
{
    private const int HashSize = NoiseKdf.HashSize;

    // Ours to choose: longer than any message of the suite that the product speaks, short enough for the stack.
    private const int StackLength = 2048;

    private readonly NoiseCipher _kind;
    private readonly CipherState _cipher;
    private readonly byte[] _secrets = GC.AllocateArray<byte>(2 * HashSize, pinned: true);

    public SymmetricState(NoiseProtocol protocol)
    {
        _kind = protocol.Cipher;
        _cipher = new CipherState(_kind);

        // A name of up to 32 bytes stands for itself, padded with zeros; a longer one for its hash.
        var name = protocol.Name.Span;
        if (name.Length <= HashSize)
        {
            name.CopyTo(Hash);
        }
        else
        {
            SHA256.HashData(name, Hash);
        }
        Hash.CopyTo(ChainingKey);
    }

    public bool HasKey => _cipher.HasKey;

    /// <summary>The transcript so far; once the handshake is complete, the name of the session.</summary>
    public Span<byte> Hash => _secrets.AsSpan(HashSize);

    private Span<byte> ChainingKey => _secrets.AsSpan(0, HashSize);

    public void MixHash(ReadOnlySpan<byte> data)
    {
        if (data.Length > StackLength - HashSize)
        {
            MixLongHash(data);
            return;
        }

        Span<byte> joined = stackalloc byte[StackLength];
        Hash.CopyTo(joined);
        data.CopyTo(joined[HashSize..]);
        SHA256.HashData(joined[..(HashSize + data.Length)], Hash);
    }

    public void MixKey(ReadOnlySpan<byte> material)
    {
        Span<byte> key = stackalloc byte[AeadKey.Size];
        NoiseKdf.Derive(ChainingKey, material, ChainingKey, key);
        _cipher.InitializeKey(key);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Noise rev 34, section 9.1: for pre-shared keys.</summary>
    public void MixKeyAndHash(ReadOnlySpan<byte> material)
    {
        Span<byte> hash = stackalloc byte[HashSize];
        Span<byte> key = stackalloc byte[AeadKey.Size];
        NoiseKdf.Derive(ChainingKey, material, ChainingKey, hash, key);
        MixHash(hash);
        _cipher.InitializeKey(key);
        CryptographicOperations.ZeroMemory(hash);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <param name="ciphertext">Exactly the plaintext's length, and 16 bytes more once there is a key; it may start at the same place.</param>
    public void EncryptAndHash(ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        _cipher.Encrypt(Hash, plaintext, ciphertext);
        MixHash(ciphertext);
    }

    /// <param name="plaintext">Elsewhere than the ciphertext, which is hashed.</param>
    public bool TryDecryptAndHash(ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        bool opened = _cipher.TryDecrypt(Hash, ciphertext, plaintext);
        if (opened)
        {
            MixHash(ciphertext);
        }
        return opened;
    }

    /// <summary>The keys of the two directions, the initiator's first.</summary>
    public (CipherState Initiator, CipherState Responder) Split()
    {
        Span<byte> first = stackalloc byte[AeadKey.Size];
        Span<byte> second = stackalloc byte[AeadKey.Size];
        NoiseKdf.Derive(ChainingKey, [], first, second);

        var (initiator, responder) = (new CipherState(_kind), new CipherState(_kind));
        initiator.InitializeKey(first);
        responder.InitializeKey(second);
        CryptographicOperations.ZeroMemory(first);
        CryptographicOperations.ZeroMemory(second);
        return (initiator, responder);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_secrets);
        _cipher.Dispose();
    }

    private void MixLongHash(ReadOnlySpan<byte> data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Hash);
        hash.AppendData(data);
        hash.GetHashAndReset(Hash);
    }
}
