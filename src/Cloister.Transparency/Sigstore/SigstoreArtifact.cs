using System.Security.Cryptography;

namespace Cloister.Transparency;

/// <summary>What was signed: its bytes, or only its SHA-256.</summary>
public sealed class SigstoreArtifact
{
    private readonly ReadOnlyMemory<byte>? _bytes;
    private readonly byte[] _sha256;

    private SigstoreArtifact(ReadOnlyMemory<byte>? bytes, byte[] sha256) => (_bytes, _sha256) = (bytes, sha256);

    public static SigstoreArtifact Of(ReadOnlyMemory<byte> bytes) => new(bytes, SHA256.HashData(bytes.Span));

    /// <summary>Signatures that are not over SHA-256 cannot be verified then.</summary>
    /// <exception cref="ArgumentException">The digest is not 32 bytes long.</exception>
    public static SigstoreArtifact WithDigest(ReadOnlySpan<byte> sha256) =>
        sha256.Length == SHA256.HashSizeInBytes ? new(null, sha256.ToArray()) : throw new ArgumentException("SHA-256 has 32 bytes.", nameof(sha256));

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> Sha256 => _sha256;

    /// <summary>Null where it is not known.</summary>
    internal byte[]? Hash(HashAlgorithmName hash) =>
        hash == HashAlgorithmName.SHA256 ? _sha256 : _bytes is { } bytes ? CryptographicOperations.HashData(hash, bytes.Span) : null;

    internal bool IsSignedBy(SigstoreKey key, HashAlgorithmName hash, ReadOnlySpan<byte> signature) =>
        key.SignsHashes ? Hash(hash) is { } digest && key.VerifyHash(hash, digest, signature) : _bytes is { } bytes && key.Verify(hash, bytes.Span, signature);
}
