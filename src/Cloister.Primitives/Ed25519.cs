using Managed = Org.BouncyCastle.Math.EC.Rfc8032.Ed25519;

namespace Cloister.Primitives;

/// <summary>An Ed25519 public key (RFC 8032).</summary>
/// <remarks>
/// RFC 8032 leaves implementations a choice about points with a part of small order, and those here chose differently. No
/// honest signer makes such a key or signature, but whoever makes one on purpose could show a browser another log than a
/// server. So both accept exactly this: a canonical A of prime order, a canonical S, and R = [S]B − [k]A.
/// </remarks>
public sealed class Ed25519PublicKey : IEquatable<Ed25519PublicKey>
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    private readonly byte[] _bytes;
    private readonly Backend _backend;
    private readonly Lazy<bool> _ofPrimeOrder; // as long to find out as a signature

    /// <summary>Takes any 32 bytes; a key that is none, or not of prime order, verifies nothing.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public Ed25519PublicKey(ReadOnlySpan<byte> bytes) : this(bytes, Backends.Default) { }

    internal Ed25519PublicKey(ReadOnlySpan<byte> bytes, Backend backend)
    {
        Sizes.Require(bytes.Length, Size, nameof(bytes));
        (_bytes, _backend) = (bytes.ToArray(), backend);
        _ofPrimeOrder = new(() => IsOfPrimeOrder(_bytes), LazyThreadSafetyMode.PublicationOnly);
    }

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>RFC 8032, section 5.1.7. False for a signature of any other length, key or message, and for one that is not canonical.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519PrivateKey.SignatureSize && (SignatureRun.AnswerTo(SignatureScheme.Ed25519, default, _bytes, default, message, signature)
            ?? _ofPrimeOrder.Value && (_backend.IsManaged() ? VerifyManaged(message, signature) : VerifyNative(message, signature)));

    public bool Equals(Ed25519PublicKey? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as Ed25519PublicKey);

    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    private unsafe bool VerifyNative(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        fixed (byte* s = signature, m = message, pk = _bytes)
        {
            return Sodium.crypto_sign_ed25519_verify_detached(s, m, (ulong)message.Length, pk) == 0;
        }
    }

    // This one multiplies what it compares by the cofactor, which hides a part of small order, unless R has none either.
    private bool VerifyManaged(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        IsOfPrimeOrder(signature[..Size]) && Managed.Verify(signature.ToArray(), 0, _bytes, 0, message.ToArray(), 0, message.Length);

    private unsafe bool IsOfPrimeOrder(ReadOnlySpan<byte> point)
    {
        if (_backend.IsManaged())
        {
            return Managed.ValidatePublicKeyFull(point.ToArray(), 0);
        }

        Sodium.Initialise();
        fixed (byte* p = point)
        {
            return Sodium.crypto_core_ed25519_is_valid_point(p) == 1;
        }
    }
}

/// <summary>An Ed25519 private key. Wiped by <see cref="Dispose"/>; using it afterwards throws.</summary>
public sealed class Ed25519PrivateKey : IDisposable
{
    /// <summary>In bytes.</summary>
    public const int SeedSize = 32;

    /// <summary>In bytes.</summary>
    public const int SignatureSize = 64;

    // Native: libsodium's seed ‖ public key. Managed: the seed.
    private readonly Secret _key;
    private readonly Backend _backend;

    private Ed25519PrivateKey(Secret key, Ed25519PublicKey publicKey, Backend backend) => (_key, PublicKey, _backend) = (key, publicKey, backend);

    public Ed25519PublicKey PublicKey { get; }

    public static Ed25519PrivateKey Generate()
    {
        var seed = Secret.Random(SeedSize);
        var key = ImportSeed(seed.Bytes);
        seed.Wipe();
        return key;
    }

    /// <exception cref="ArgumentException"><paramref name="seed"/> is not 32 bytes long.</exception>
    public static Ed25519PrivateKey ImportSeed(ReadOnlySpan<byte> seed) => ImportSeed(seed, Backends.Default);

    internal static unsafe Ed25519PrivateKey ImportSeed(ReadOnlySpan<byte> seed, Backend backend)
    {
        Sizes.Require(seed.Length, SeedSize, nameof(seed));
        var publicKey = new byte[Ed25519PublicKey.Size];
        if (backend.IsManaged())
        {
            var own = Secret.Of(seed);
            Managed.GeneratePublicKey(own.Array, 0, publicKey, 0);
            return new(own, new Ed25519PublicKey(publicKey, backend), backend);
        }

        Sodium.Initialise();
        var key = new Secret(SeedSize + Ed25519PublicKey.Size);
        fixed (byte* pk = publicKey, sk = key.Bytes, s = seed)
        {
            _ = Sodium.crypto_sign_ed25519_seed_keypair(pk, sk, s);
        }
        return new(key, new Ed25519PublicKey(publicKey, backend), backend);
    }

    /// <summary>RFC 8032, section 5.1.6: deterministic.</summary>
    /// <param name="signature">64 bytes.</param>
    public unsafe void Sign(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Sizes.Require(signature.Length, SignatureSize, nameof(signature));
        if (_backend.IsManaged())
        {
            var signed = new byte[SignatureSize];
            Managed.Sign(_key.Array, 0, message.ToArray(), 0, message.Length, signed, 0);
            signed.CopyTo(signature);
            return;
        }

        fixed (byte* s = signature, m = message, sk = _key.Bytes)
        {
            _ = Sodium.crypto_sign_ed25519_detached(s, null, m, (ulong)message.Length, sk);
        }
    }

    public void Dispose() => _key.Wipe();
}
