using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Primitives;

/// <summary>
/// C2SP chunked encryption, version 1, with SHA-512 and AES-256-GCM (Cobblestone-256): a long message in chunks of 16 KiB, of
/// which the last is always shorter, perhaps empty. The header commits to the key and the context.
/// </summary>
public static class ChunkedEncryption
{
    /// <summary>In bytes. The key must be uniformly random.</summary>
    public const int KeySize = 32;

    /// <summary>Salt ‖ commitment: what a sealed message starts with, in bytes.</summary>
    public const int HeaderSize = SaltSize + CommitmentSize;

    /// <summary>In bytes.</summary>
    public const int ChunkSize = 16 * 1024;

    /// <summary>In bytes.</summary>
    public const int SealedChunkSize = ChunkSize + AeadKey.TagSize;

    /// <summary>The longest message, in bytes: one byte less than 4 PiB.</summary>
    public const long MaxLength = MaxChunks * ChunkSize - 1;

    internal const int SaltSize = 24;

    private const int CommitmentSize = 32;
    private const int NonceSize = 12;
    private const long MaxChunks = 1L << 38;

    /// <summary>The length of a sealed message, header and all.</summary>
    public static long SealedLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        return HeaderSize + length + (length / ChunkSize + 1) * AeadKey.TagSize;
    }

    /// <summary>False where no message has that sealed length. A length is genuine only once the last chunk has opened at its index.</summary>
    public static bool TryLength(long sealedLength, out long length)
    {
        length = 0;
        if (sealedLength < HeaderSize || sealedLength > SealedLength(MaxLength))
        {
            return false;
        }

        var (full, rest) = Math.DivRem(sealedLength - HeaderSize, SealedChunkSize);
        if (rest < AeadKey.TagSize)
        {
            return false; // the last chunk, which is never a full one, is missing or shorter than its tag
        }
        length = full * ChunkSize + rest - AeadKey.TagSize;
        return true;
    }

    // Key derivation: key ‖ base nonce ‖ commitment, by HKDF-Expand with SHA-512. By hand, two blocks of HMAC, because the
    // platform's HKDF refuses a key shorter than the hash, and the specification wants one as long as the AEAD's.
    internal static ChunkKey Derive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> context, Span<byte> commitment, Backend backend)
    {
        const int Hash = SHA512.HashSizeInBytes;
        Sizes.Require(key.Length, KeySize, nameof(key));

        // T(1) ‖ info ‖ counter. The first block is derived from what follows T(1), the second from all of it.
        var input = (byte[])[.. new byte[Hash], .. "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"u8, .. salt, .. context, 1];
        Span<byte> output = stackalloc byte[2 * Hash];
        HMACSHA512.HashData(key, input.AsSpan(Hash), output);
        output[..Hash].CopyTo(input);
        input[^1] = 2;
        HMACSHA512.HashData(key, input, output[Hash..]);

        var derived = new ChunkKey(output[..KeySize], output.Slice(KeySize, NonceSize), backend);
        output.Slice(KeySize + NonceSize, CommitmentSize).CopyTo(commitment);
        CryptographicOperations.ZeroMemory(output);
        CryptographicOperations.ZeroMemory(input);
        return derived;
    }

    /// <summary>The derived key and base nonce of one message.</summary>
    internal sealed class ChunkKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> baseNonce, Backend backend) : IDisposable
    {
        private readonly Aes256GcmKey _key = Aes256GcmKey.Import(key, backend);
        private readonly byte[] _baseNonce = baseNonce.ToArray();

        public void Seal(long index, ReadOnlySpan<byte> chunk, Span<byte> sealedChunk)
        {
            Span<byte> nonce = stackalloc byte[NonceSize];
            Number(index, nonce);
            _key.Seal(nonce, chunk, default, sealedChunk);
        }

        public bool TryOpen(long index, ReadOnlySpan<byte> sealedChunk, Span<byte> chunk)
        {
            Span<byte> nonce = stackalloc byte[NonceSize];
            Number(index, nonce);
            return _key.TryOpen(nonce, sealedChunk, default, chunk);
        }

        public void Dispose() => _key.Dispose();

        // The base nonce ⊕ the chunk's number, big-endian.
        private void Number(long index, Span<byte> nonce)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, MaxChunks);
            _baseNonce.CopyTo(nonce);
            var low = nonce[^sizeof(long)..];
            BinaryPrimitives.WriteInt64BigEndian(low, BinaryPrimitives.ReadInt64BigEndian(low) ^ index);
        }
    }
}

/// <summary>Seals one message, chunk after chunk. It cannot go back: a second content under one number would give both away.</summary>
public sealed class ChunkSealer : IDisposable
{
    private readonly byte[] _header = new byte[ChunkedEncryption.HeaderSize];
    private readonly ChunkedEncryption.ChunkKey _key;
    private long _next;

    /// <summary>A new message, with a random salt of its own.</summary>
    /// <param name="key">32 uniformly random bytes. One key may seal many messages.</param>
    /// <param name="context">What the message belongs to. It is not stored, and must be the same to open.</param>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public ChunkSealer(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
        : this(key, context, RandomNumberGenerator.GetBytes(ChunkedEncryption.SaltSize), Backends.Default) { }

    // For test vectors, which fix the salt.
    internal ChunkSealer(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> salt, Backend backend)
    {
        salt.CopyTo(_header);
        _key = ChunkedEncryption.Derive(key, salt, context, _header.AsSpan(ChunkedEncryption.SaltSize), backend);
    }

    /// <summary>What the sealed message starts with: 56 bytes.</summary>
    public ReadOnlySpan<byte> Header => _header;

    /// <summary>True once the last chunk, the short one, is sealed. A message without it does not open.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Seals the next chunk: 16 KiB, or less and then it is the last.</summary>
    /// <param name="sealedChunk">16 bytes longer than <paramref name="chunk"/>; it may start at the same place.</param>
    /// <exception cref="InvalidOperationException">The last chunk was already sealed.</exception>
    public void Seal(ReadOnlySpan<byte> chunk, Span<byte> sealedChunk)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chunk.Length, ChunkedEncryption.ChunkSize);
        if (IsComplete)
        {
            throw new InvalidOperationException("The message is complete.");
        }

        _key.Seal(_next, chunk, sealedChunk);
        _next++;
        IsComplete = chunk.Length < ChunkedEncryption.ChunkSize;
    }

    public void Dispose() => _key.Dispose();
}

/// <summary>Opens the chunks of one message, in any order.</summary>
public sealed class ChunkOpener : IDisposable
{
    private readonly ChunkedEncryption.ChunkKey _key;

    private ChunkOpener(ChunkedEncryption.ChunkKey key) => _key = key;

    /// <summary>False where the header is of another length, or was not made with this key and this context.</summary>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public static bool TryCreate(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> header, [NotNullWhen(true)] out ChunkOpener? opener) =>
        TryCreate(key, context, header, Backends.Default, out opener);

    internal static bool TryCreate(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> header, Backend backend, [NotNullWhen(true)] out ChunkOpener? opener)
    {
        opener = null;
        Sizes.Require(key.Length, ChunkedEncryption.KeySize, nameof(key));
        if (header.Length != ChunkedEncryption.HeaderSize)
        {
            return false;
        }

        Span<byte> commitment = stackalloc byte[ChunkedEncryption.HeaderSize - ChunkedEncryption.SaltSize];
        var derived = ChunkedEncryption.Derive(key, header[..ChunkedEncryption.SaltSize], context, commitment, backend);
        if (!CryptographicOperations.FixedTimeEquals(commitment, header[ChunkedEncryption.SaltSize..]))
        {
            derived.Dispose();
            return false;
        }
        opener = new(derived);
        return true;
    }

    /// <summary>False, with <paramref name="chunk"/> zero, where the chunk was altered, moved, or is of no possible length.</summary>
    /// <remarks>A chunk of 16 KiB is never the last. A message that ends with one was cut, whatever its chunks say.</remarks>
    /// <param name="index">Counted from 0.</param>
    /// <param name="chunk">16 bytes shorter than <paramref name="sealedChunk"/>; it may start at the same place.</param>
    public bool TryOpen(long index, ReadOnlySpan<byte> sealedChunk, Span<byte> chunk)
    {
        if (sealedChunk.Length > ChunkedEncryption.SealedChunkSize)
        {
            chunk.Clear();
            return false;
        }
        return _key.TryOpen(index, sealedChunk, chunk);
    }

    public void Dispose() => _key.Dispose();
}
