using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Cloister.Primitives;

/// <summary>RFC 8439, section 2.8, for messages so short that entering a library takes longer than encrypting them.</summary>
/// <remarks>
/// A token of an answer is such a message, and so is cover traffic. Eight blocks of key stream cost what one does: the four
/// that such a message needs, of which the first is the authenticator's key, and those of the next message of a sequence, which are kept
/// until it comes. They are as secret as the key and wiped with it. Not safe for use from two threads at once.
/// </remarks>
/// <param name="key">The owner's, 32 bytes.</param>
internal sealed unsafe class ShortChaCha20Poly1305(Secret key)
{
    /// <summary>What eight blocks carry.</summary>
    public const int MaxLength = 2 * ChaCha20.RunLength - ChaCha20.BlockLength;

    private const int OneRunLength = ChaCha20.RunLength - ChaCha20.BlockLength;
    private const int TagSize = AeadKey.TagSize;

    private readonly Secret _ahead = new(ChaCha20.RunLength);
    private readonly byte[] _aheadNonce = new byte[ChaCha20.NonceLength];
    private bool _isAhead;

    public static bool IsSupported => ChaCha20.IsSupported;

    /// <param name="sealedBytes">16 bytes longer than the plaintext; it may start at the same place.</param>
    [SkipLocalsInit]
    public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        byte* stream = stackalloc byte[2 * ChaCha20.RunLength];
        int streamLength = MakeStream(nonce, plaintext.Length, stream);
        fixed (byte* m = plaintext, c = sealedBytes)
        {
            Xor(m, stream + ChaCha20.BlockLength, c, plaintext.Length);
            Authenticate(stream, c, plaintext.Length, associatedData, c + plaintext.Length);
        }
        CryptographicOperations.ZeroMemory(new(stream, streamLength));
    }

    /// <summary>False, with nothing written, where anything was altered.</summary>
    [SkipLocalsInit]
    public bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        byte* stream = stackalloc byte[2 * ChaCha20.RunLength];
        byte* tag = stackalloc byte[TagSize];
        int streamLength = MakeStream(nonce, plaintext.Length, stream);
        bool authentic;
        fixed (byte* c = sealedBytes, m = plaintext)
        {
            Authenticate(stream, c, plaintext.Length, associatedData, tag);
            authentic = CryptographicOperations.FixedTimeEquals(new(tag, TagSize), sealedBytes[plaintext.Length..]);
            if (authentic)
            {
                Xor(c, stream + ChaCha20.BlockLength, m, plaintext.Length);
            }
        }
        CryptographicOperations.ZeroMemory(new(stream, streamLength));
        return authentic;
    }

    /// <summary>Wipes what was made ahead, under a key that is another one now, or gone.</summary>
    public void Forget()
    {
        CryptographicOperations.ZeroMemory(_ahead.Bytes);
        _isAhead = false;
    }

    // As much of the key stream as the message needs, from block 0. Returns its length.
    private int MakeStream(ReadOnlySpan<byte> nonce, int length, byte* stream)
    {
        fixed (byte* k = key.Bytes, ahead = _ahead.Bytes)
        {
            if (length > OneRunLength)
            {
                ChaCha20.TwoRuns(k, nonce, 0, stream, nonce, 4, stream + ChaCha20.RunLength);
                return 2 * ChaCha20.RunLength;
            }
            if (_isAhead && nonce.SequenceEqual(_aheadNonce))
            {
                new ReadOnlySpan<byte>(ahead, ChaCha20.RunLength).CopyTo(new(stream, ChaCha20.RunLength));
                Forget();
                return ChaCha20.RunLength;
            }

            MoveAhead(nonce);
            ChaCha20.TwoRuns(k, nonce, 0, stream, _aheadNonce, 0, ahead);
            return ChaCha20.RunLength;
        }
    }

    // Counting nonces end in a 64-bit little-endian number, as in Noise. Another kind only makes this work in vain.
    private void MoveAhead(ReadOnlySpan<byte> nonce)
    {
        nonce.CopyTo(_aheadNonce);
        var number = _aheadNonce.AsSpan(ChaCha20.NonceLength - sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(number, unchecked(BinaryPrimitives.ReadUInt64LittleEndian(number) + 1));
        _isAhead = true;
    }

    private static void Authenticate(byte* oneTimeKey, byte* ciphertext, int length, ReadOnlySpan<byte> associatedData, byte* tag)
    {
        var authenticator = new Poly1305(oneTimeKey);
        fixed (byte* ad = associatedData)
        {
            authenticator.Absorb(ad, associatedData.Length);
        }
        authenticator.Absorb(ciphertext, length);
        authenticator.Absorb((ulong)associatedData.Length, (ulong)length);
        authenticator.Finish(tag);
    }

    private static void Xor(byte* source, byte* stream, byte* destination, int length)
    {
        int i = 0;
        for (; i <= length - 32; i += 32)
        {
            (Vector256.Load(source + i) ^ Vector256.Load(stream + i)).Store(destination + i);
        }
        for (; i <= length - 8; i += 8)
        {
            *(ulong*)(destination + i) = *(ulong*)(source + i) ^ *(ulong*)(stream + i);
        }
        for (; i < length; i++)
        {
            destination[i] = (byte)(source[i] ^ stream[i]);
        }
    }
}
