using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Vault.Unlockers;

/// <summary>An unlocker's secret in this process's memory: 32 bytes, wiped when disposed; using it afterwards throws.</summary>
public sealed class MemorySecret : UnlockerSecret
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    private readonly byte[] _secret = GC.AllocateUninitializedArray<byte>(Size, pinned: true);
    private bool _wiped;

    private MemorySecret(UnlockerKind kind, ReadOnlySpan<byte> secret) : base(kind) => secret.CopyTo(_secret);

    // Once it is wiped it would be 32 zeros, which everybody knows.
    private ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_wiped, this);
            return _secret;
        }
    }

    /// <summary>Keeps a copy.</summary>
    /// <exception cref="ArgumentException">The secret is not 32 bytes long.</exception>
    public static MemorySecret Import(UnlockerKind kind, ReadOnlySpan<byte> secret)
    {
        if (secret.Length != Size)
        {
            throw new ArgumentException("An unlocker's secret has 32 bytes.", nameof(secret));
        }
        return new(kind, secret);
    }

    /// <summary>A new device's.</summary>
    public static MemorySecret GenerateDevice()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        var secret = new MemorySecret(UnlockerKind.Device, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }

    /// <summary>The 32 bytes themselves, for a device that must keep them on its disk. Whoever has them opens the account.</summary>
    public byte[] DangerousExport() => [.. Bytes];

    public override ValueTask<Ed25519PublicKey> SignInKeyAsync(AccountNumber account)
    {
        using var key = SignInKey();
        return new(key.PublicKey);
    }

    public override ValueTask<byte[]> SignAsync(AccountNumber account, ReadOnlyMemory<byte> message)
    {
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        using var key = SignInKey();
        key.Sign(message.Span, signature);
        return new(signature);
    }

    public override ValueTask<byte[]> PublicKeyAsync(AccountNumber account)
    {
        using var x25519 = X25519();
        using var mlKem = MlKem();
        return new([.. x25519.PublicKey.Bytes, .. mlKem.PublicKey.Bytes]);
    }

    internal Aes256GcmKey WrapKey(AccountNumber account)
    {
        Span<byte> derived = stackalloc byte[AeadKey.Size];
        Derive(account.ToArray(), "cloister unlocker v1 wrap"u8, derived);
        var key = Aes256GcmKey.Import(derived);
        CryptographicOperations.ZeroMemory(derived);
        return key;
    }

    internal X25519PrivateKey X25519()
    {
        Span<byte> derived = stackalloc byte[X25519PrivateKey.Size];
        Derive([], "cloister unlocker v1 x25519"u8, derived);
        var key = X25519PrivateKey.Import(derived);
        CryptographicOperations.ZeroMemory(derived);
        return key;
    }

    internal MlKem768PrivateKey MlKem()
    {
        Span<byte> derived = stackalloc byte[MlKem768PrivateKey.SeedSize];
        Derive([], "cloister unlocker v1 ml-kem-768"u8, derived);
        var key = MlKem768PrivateKey.ImportSeed(derived);
        CryptographicOperations.ZeroMemory(derived);
        return key;
    }

    /// <summary>The identity of words and of trustees, which follows from the secret alone.</summary>
    internal Identity OwnIdentity()
    {
        Span<byte> derived = stackalloc byte[Identity.Size];
        Derive([], "cloister unlocker v1 id"u8, derived);
        return Identity.Read(derived);
    }

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(_secret);
        _wiped = true;
        base.Dispose(disposing);
    }

    private Ed25519PrivateKey SignInKey()
    {
        Span<byte> seed = stackalloc byte[Ed25519PrivateKey.SeedSize];
        Derive([], "cloister unlocker v1 sign-in"u8, seed);
        var key = Ed25519PrivateKey.ImportSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }

    private void Derive(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> derived) => HKDF.DeriveKey(HashAlgorithmName.SHA256, Bytes, derived, salt, info);
}
