using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Vault.Unlockers;

/// <summary>The bytes of a wrapped account key in its two forms (docs/spec/vault.md, section 3). Public, so that every custody speaks the same.</summary>
public static class Wrap
{
    internal const int NonceSize = 12;

    private const int HeaderSize = WrapFormat.HeaderSize;
    private const int SealedKeySize = WrapFormat.SealedKeySize;
    private const int BySecretSize = WrapFormat.BySecretSize;
    private const int ToKeySize = WrapFormat.ToKeySize;

    private static ReadOnlySpan<byte> Label => "cloister wrap v1\0"u8;

    /// <summary>Its form and epoch. False for bytes that are neither form, and for epoch 0.</summary>
    public static bool TryRead(ReadOnlySpan<byte> wrap, out WrapForm form, out uint epoch)
    {
        form = WrapFormat.Form(wrap);
        epoch = form is WrapForm.None ? 0 : WrapFormat.Epoch(wrap);
        return epoch > 0;
    }

    /// <summary>What both forms are bound to.</summary>
    public static byte[] Associated(AccountNumber account, Identity unlocker, UnlockerKind kind, uint epoch)
    {
        byte[] bytes = new byte[Label.Length + AccountNumber.Size + Identity.Size + 1 + sizeof(uint)];
        var writer = new WireWriter(bytes);
        writer.Bytes(Label);
        account.Write(writer.Take(AccountNumber.Size));
        unlocker.Write(writer.Take(Identity.Size));
        writer.UInt8((byte)kind);
        writer.UInt32BigEndian(epoch);
        return bytes;
    }

    internal static byte[] Seal(AeadKey wrapKey, ReadOnlySpan<byte> accountKey, uint epoch, ReadOnlySpan<byte> associated)
    {
        byte[] wrap = new byte[BySecretSize];
        wrap[0] = (byte)WrapForm.BySecret;
        BinaryPrimitives.WriteUInt32BigEndian(wrap.AsSpan(1), epoch);
        var nonce = wrap.AsSpan(HeaderSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        wrapKey.Seal(nonce, accountKey, associated, wrap.AsSpan(HeaderSize + NonceSize));
        return wrap;
    }

    internal static bool TryOpen(AeadKey wrapKey, ReadOnlySpan<byte> wrap, ReadOnlySpan<byte> associated, Span<byte> accountKey) =>
        wrapKey.TryOpen(wrap.Slice(HeaderSize, NonceSize), wrap[(HeaderSize + NonceSize)..], associated, accountKey);

    /// <summary>Wraps to an unlocker's public key. False where that is none.</summary>
    internal static bool TrySealToKey(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> accountKey, uint epoch, ReadOnlySpan<byte> associated, out byte[] wrap)
    {
        wrap = new byte[ToKeySize];
        if (!TryEncapsulate(publicKey, epoch, out byte[] begin, out byte[] key))
        {
            return false;
        }
        begin.CopyTo(wrap, 0);
        using var aead = Aes256GcmKey.Import(key);
        CryptographicOperations.ZeroMemory(key);
        aead.Seal(stackalloc byte[NonceSize], accountKey, associated, wrap.AsSpan(begin.Length));
        return true;
    }

    /// <summary>Opens a wrap to the key of these two halves. What it opens to is still to be compared with a key commitment: anybody can make one.</summary>
    internal static bool TryOpenWithKey(X25519PrivateKey x25519, MlKem768PrivateKey mlKem, ReadOnlySpan<byte> wrap, ReadOnlySpan<byte> associated, Span<byte> accountKey)
    {
        if (!TryDecapsulate(x25519, mlKem, wrap, out byte[] key, out byte[] wrapped))
        {
            return false;
        }
        using var aead = Aes256GcmKey.Import(key);
        CryptographicOperations.ZeroMemory(key);
        return aead.TryOpen(stackalloc byte[NonceSize], wrapped, associated, accountKey);
    }

    /// <summary>The first half of a wrap to a key, for a custody that holds account keys as handles: what stands before the sealed account key, and the AES-256-GCM key that seals it, with a nonce of zeros and once. To be wiped.</summary>
    public static bool TryEncapsulate(ReadOnlySpan<byte> publicKey, uint epoch, out byte[] begin, out byte[] key)
    {
        (begin, key) = (new byte[ToKeySize - SealedKeySize], []);
        if (publicKey.Length != UnlockerSecret.PublicKeySize || !MlKem768PublicKey.TryImport(publicKey[X25519PublicKey.Size..], out var mlKem))
        {
            return false;
        }
        using var ephemeral = X25519PrivateKey.Generate();
        Span<byte> secrets = stackalloc byte[MlKem768PrivateKey.SecretSize + X25519PrivateKey.SecretSize];
        if (!ephemeral.TryAgree(publicKey[..X25519PublicKey.Size], secrets[MlKem768PrivateKey.SecretSize..]))
        {
            return false;
        }
        begin[0] = (byte)WrapForm.ToKey;
        BinaryPrimitives.WriteUInt32BigEndian(begin.AsSpan(1), epoch);
        ephemeral.PublicKey.Bytes.CopyTo(begin.AsSpan(HeaderSize));
        mlKem.Encapsulate(begin.AsSpan(HeaderSize + X25519PublicKey.Size), secrets[..MlKem768PrivateKey.SecretSize]);
        key = KeyOf(secrets, begin, publicKey);
        CryptographicOperations.ZeroMemory(secrets);
        return true;
    }

    /// <summary>The first half of opening a wrap to a key: the AES-256-GCM key, to be wiped, and the sealed account key. False where X25519 gives nothing.</summary>
    /// <param name="wrap">One that <see cref="TryRead"/> found to be of form <see cref="WrapForm.ToKey"/>.</param>
    public static bool TryDecapsulate(X25519PrivateKey x25519, MlKem768PrivateKey mlKem, ReadOnlySpan<byte> wrap, out byte[] key, out byte[] wrapped)
    {
        (key, wrapped) = ([], wrap[^SealedKeySize..].ToArray());
        Span<byte> secrets = stackalloc byte[MlKem768PrivateKey.SecretSize + X25519PrivateKey.SecretSize];
        if (!x25519.TryAgree(wrap.Slice(HeaderSize, X25519PublicKey.Size), secrets[MlKem768PrivateKey.SecretSize..]))
        {
            return false;
        }
        mlKem.Decapsulate(wrap.Slice(HeaderSize + X25519PublicKey.Size, MlKem768PrivateKey.CiphertextSize), secrets[..MlKem768PrivateKey.SecretSize]);
        byte[] publicKey = [.. x25519.PublicKey.Bytes, .. mlKem.PublicKey.Bytes];
        key = KeyOf(secrets, wrap[..^SealedKeySize], publicKey);
        CryptographicOperations.ZeroMemory(secrets);
        return true;
    }

    /// <summary>Puts a wrap by secret together, for a custody that sealed elsewhere.</summary>
    public static byte[] JoinBySecret(uint epoch, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedKey)
    {
        byte[] wrap = new byte[BySecretSize];
        wrap[0] = (byte)WrapForm.BySecret;
        BinaryPrimitives.WriteUInt32BigEndian(wrap.AsSpan(1), epoch);
        nonce.CopyTo(wrap.AsSpan(HeaderSize));
        sealedKey.CopyTo(wrap.AsSpan(HeaderSize + NonceSize));
        return wrap;
    }

    /// <summary>Takes a wrap by secret apart.</summary>
    public static (byte[] Nonce, byte[] SealedKey) SplitBySecret(ReadOnlySpan<byte> wrap) => (wrap.Slice(HeaderSize, NonceSize).ToArray(), wrap[(HeaderSize + NonceSize)..].ToArray());

    // Both secrets and everything that was sent go in: it opens only to who has both private keys, and to nothing else that was sent.
    private static byte[] KeyOf(ReadOnlySpan<byte> secrets, ReadOnlySpan<byte> begin, ReadOnlySpan<byte> publicKey)
    {
        byte[] transcript = SHA256.HashData([.. begin[HeaderSize..], .. publicKey]);
        byte[] derived = new byte[AeadKey.Size];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secrets, derived, [], (byte[])[.. "cloister wrap v1 to key"u8, .. transcript]);
        return derived;
    }
}
