using System.Security.Cryptography;
using Managed = Org.BouncyCastle.Math.EC.Rfc7748.X25519;

namespace Cloister.Primitives;

/// <summary>An X25519 public key (RFC 7748): 32 bytes, any of which are allowed; a low-order one shows when it is used.</summary>
public sealed class X25519PublicKey : IEquatable<X25519PublicKey>
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    private readonly byte[] _bytes;

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public X25519PublicKey(ReadOnlySpan<byte> bytes)
    {
        Sizes.Require(bytes.Length, Size, nameof(bytes));
        _bytes = bytes.ToArray();
    }

    /// <summary>The u-coordinate, little-endian.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    public bool Equals(X25519PublicKey? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as X25519PublicKey);

    public override int GetHashCode() => BitConverter.ToInt32(_bytes);
}

/// <summary>An X25519 private key. Wiped by <see cref="Dispose"/>; using it afterwards throws.</summary>
public sealed class X25519PrivateKey : IDisposable
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    /// <summary>The length of an agreed secret, in bytes.</summary>
    public const int SecretSize = 32;

    private readonly Secret _scalar;
    private readonly Backend _backend;

    private X25519PrivateKey(Secret scalar, Backend backend)
    {
        (_scalar, _backend) = (scalar, backend);
        Span<byte> point = stackalloc byte[X25519PublicKey.Size];
        MultiplyBase(point);
        PublicKey = new X25519PublicKey(point);
    }

    public X25519PublicKey PublicKey { get; }

    public static X25519PrivateKey Generate() => Generate(Backends.Default);

    /// <exception cref="ArgumentException"><paramref name="privateKey"/> is not 32 bytes long.</exception>
    public static X25519PrivateKey Import(ReadOnlySpan<byte> privateKey) => Import(privateKey, Backends.Default);

    internal static X25519PrivateKey Generate(Backend backend) => new(Secret.Random(Size), backend);

    internal static X25519PrivateKey Import(ReadOnlySpan<byte> privateKey, Backend backend)
    {
        Sizes.Require(privateKey.Length, Size, nameof(privateKey));
        return new(Secret.Of(privateKey), backend);
    }

    /// <summary>RFC 7748, section 6.1. False, with <paramref name="secret"/> zero, where the peer's key is of low order: the secret would be known to anyone.</summary>
    /// <param name="peerPublicKey">32 bytes.</param>
    /// <param name="secret">32 bytes. It is not uniform: derive keys from it, never use it as one.</param>
    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> secret)
    {
        Sizes.Require(peerPublicKey.Length, X25519PublicKey.Size, nameof(peerPublicKey));
        Sizes.Require(secret.Length, SecretSize, nameof(secret));

        bool agreed = _backend.IsManaged() ? AgreeManaged(peerPublicKey, secret) : AgreeNative(peerPublicKey, secret);
        if (!agreed)
        {
            CryptographicOperations.ZeroMemory(secret);
        }
        return agreed;
    }

    public void Dispose() => _scalar.Wipe();

    private unsafe void MultiplyBase(Span<byte> point)
    {
        if (_backend.IsManaged())
        {
            Managed.ScalarMultBase(_scalar.Bytes, point);
            return;
        }

        Sodium.Initialise();
        fixed (byte* q = point, n = _scalar.Bytes)
        {
            _ = Sodium.crypto_scalarmult_curve25519_base(q, n);
        }
    }

    private unsafe bool AgreeNative(ReadOnlySpan<byte> peer, Span<byte> secret)
    {
        fixed (byte* q = secret, n = _scalar.Bytes, p = peer)
        {
            return Sodium.crypto_scalarmult_curve25519(q, n, p) == 0;
        }
    }

    private bool AgreeManaged(ReadOnlySpan<byte> peer, Span<byte> secret) => Managed.CalculateAgreement(_scalar.Bytes, peer, secret);
}
