using System.IO.Compression;
using System.Security.Cryptography;
using CsCheck;

namespace Cloister.Primitives.Tests;

public class ChunkedEncryptionTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, ChunkedEncryption.KeySize).Select(i => (byte)i)];

    // Flags say more than valid and invalid: which chunks of a spoiled message still open, and what they say.
    [Theory, MemberData(nameof(WycheproofTests.Backends), MemberType = typeof(WycheproofTests))]
    public void Cobblestone256(int backend) => Wycheproof.Check("c2sp_chunked_encryption_aes_256_gcm.json", (_, test) =>
    {
        byte[] key = test.Hex("key"), context = test.Hex("ctx"), sealedMessage = Inflated(test.Hex("ct"));
        if (test.HasFlag("InvalidKeySize"))
        {
            Assert.Throws<ArgumentException>(() => ChunkOpener.TryCreate(key, context, sealedMessage, (Backend)backend, out ChunkOpener? _));
            return false;
        }

        byte[] header = sealedMessage[..Math.Min(ChunkedEncryption.HeaderSize, sealedMessage.Length)];
        bool began = ChunkOpener.TryCreate(key, context, header, (Backend)backend, out var opener);
        Assert.Equal(!test.HasFlag("HeaderFailure"), began);
        if (opener is null)
        {
            return false;
        }

        using (opener)
        {
            var (message, whole) = OpenAll(opener, sealedMessage);
            if (whole || test.HasFlag("PartialPlaintext"))
            {
                Assert.Equal(test.Hex("msgSha512"), SHA512.HashData(message));
                Assert.Equal(test.GetProperty("msgLength").GetInt32(), message.Length);
            }
            if (whole)
            {
                Assert.True(ChunkedEncryption.TryLength(sealedMessage.Length, out long length));
                Assert.Equal(message.Length, length);
                Assert.Equal(sealedMessage.Length, ChunkedEncryption.SealedLength(length));
                Assert.Equal(sealedMessage, SealAll(key, context, header[..ChunkedEncryption.SaltSize], message, (Backend)backend));
            }
            return whole;
        }
    });

    [Fact]
    public void What_was_sealed_opens_in_any_order() =>
        Gen.Select(Gen.Int[0, 70_000], Gen.Byte.Array[0, 20], Gen.Int[0, 10]).Sample((length, context, first) =>
        {
            byte[] message = RandomNumberGenerator.GetBytes(length), sealedMessage = SealAll(Key, context, RandomNumberGenerator.GetBytes(24), message, Backend.Native);
            Assert.Equal(ChunkedEncryption.SealedLength(length), sealedMessage.Length);
            Assert.True(ChunkOpener.TryCreate(Key, context, sealedMessage.AsSpan(0, ChunkedEncryption.HeaderSize), out var opener));
            using (opener)
            {
                int chunks = length / ChunkedEncryption.ChunkSize + 1, index = first % chunks;
                var sealedChunk = ChunkAt(sealedMessage, index);
                var chunk = new byte[sealedChunk.Length - AeadKey.TagSize];
                Assert.True(opener.TryOpen(index, sealedChunk, chunk));
                Assert.Equal(message[(index * ChunkedEncryption.ChunkSize)..][..chunk.Length], chunk);
                Assert.False(opener.TryOpen(index + 1, sealedChunk, chunk));
                Assert.Equal(message, OpenAll(opener, sealedMessage).Message);
            }
        }, iter: 50);

    [Fact]
    public void Every_message_has_a_salt_of_its_own()
    {
        using var one = new ChunkSealer(Key, default);
        using var other = new ChunkSealer(Key, default);
        Assert.False(one.Header[..ChunkedEncryption.SaltSize].SequenceEqual(other.Header[..ChunkedEncryption.SaltSize]));
        Assert.False(one.Header[ChunkedEncryption.SaltSize..].SequenceEqual(other.Header[ChunkedEncryption.SaltSize..]));
    }

    [Fact]
    public void Nothing_is_sealed_behind_the_last_chunk()
    {
        using var sealer = new ChunkSealer(Key, default);
        sealer.Seal(new byte[ChunkedEncryption.ChunkSize], new byte[ChunkedEncryption.SealedChunkSize]);
        Assert.False(sealer.IsComplete);
        sealer.Seal([], new byte[AeadKey.TagSize]);
        Assert.True(sealer.IsComplete);
        Assert.Throws<InvalidOperationException>(() => sealer.Seal([], new byte[AeadKey.TagSize]));
    }

    [Theory]
    [InlineData(0, 72)]
    [InlineData(16383, 16455)]
    [InlineData(16384, 16472)]
    [InlineData(ChunkedEncryption.MaxLength, 56 + (1L << 38) * 16400 - 1)]
    public void Lengths_go_both_ways(long length, long sealedLength)
    {
        Assert.Equal(sealedLength, ChunkedEncryption.SealedLength(length));
        Assert.True(ChunkedEncryption.TryLength(sealedLength, out long back));
        Assert.Equal(length, back);
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(0)]
    [InlineData(56)]
    [InlineData(71)]
    [InlineData(56 + 16400)]
    [InlineData(56 + 16400 + 15)]
    [InlineData(56 + (1L << 38) * 16400)]
    [InlineData(long.MaxValue)]
    public void No_message_has_such_a_length(long sealedLength) => Assert.False(ChunkedEncryption.TryLength(sealedLength, out _));

    [Fact]
    public void Misuse_throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ChunkedEncryption.SealedLength(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ChunkedEncryption.SealedLength(ChunkedEncryption.MaxLength + 1));
        Assert.Throws<ArgumentException>(() => new ChunkSealer(new byte[31], default));
        var sealer = new ChunkSealer(Key, default);
        Assert.Throws<ArgumentOutOfRangeException>(() => sealer.Seal(new byte[ChunkedEncryption.ChunkSize + 1], new byte[ChunkedEncryption.SealedChunkSize + 1]));
        Assert.True(ChunkOpener.TryCreate(Key, default, sealer.Header, out var opener));
        Assert.Throws<ArgumentOutOfRangeException>(() => opener.TryOpen(-1, new byte[16], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => opener.TryOpen(1L << 38, new byte[16], []));
        Assert.False(opener.TryOpen(0, new byte[ChunkedEncryption.SealedChunkSize + 1], new byte[ChunkedEncryption.ChunkSize + 1]));
        sealer.Dispose();
        opener.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sealer.Seal([], new byte[AeadKey.TagSize]));
        Assert.Throws<ObjectDisposedException>(() => opener.TryOpen(0, new byte[AeadKey.TagSize], []));
    }

    private static byte[] SealAll(byte[] key, byte[] context, byte[] salt, byte[] message, Backend backend)
    {
        using var sealer = new ChunkSealer(key, context, salt, backend);
        var sealedMessage = new MemoryStream();
        sealedMessage.Write(sealer.Header);
        for (int at = 0; !sealer.IsComplete; at += ChunkedEncryption.ChunkSize)
        {
            var chunk = message.AsSpan(at, Math.Min(ChunkedEncryption.ChunkSize, message.Length - at));
            var sealedChunk = new byte[chunk.Length + AeadKey.TagSize];
            sealer.Seal(chunk, sealedChunk);
            sealedMessage.Write(sealedChunk);
        }
        return sealedMessage.ToArray();
    }

    // What a reader of a stream does: chunk after chunk, and whole only if the last was short and nothing followed it.
    private static (byte[] Message, bool Whole) OpenAll(ChunkOpener opener, byte[] sealedMessage)
    {
        var message = new MemoryStream();
        int last = -1;
        for (int index = 0; ChunkAt(sealedMessage, index) is { Length: > 0 } sealedChunk; index++)
        {
            var chunk = new byte[Math.Max(0, sealedChunk.Length - AeadKey.TagSize)];
            if (!opener.TryOpen(index, sealedChunk, chunk))
            {
                return (message.ToArray(), false);
            }
            message.Write(chunk);
            last = chunk.Length;
        }
        return (message.ToArray(), last is >= 0 and < ChunkedEncryption.ChunkSize);
    }

    private static byte[] ChunkAt(byte[] sealedMessage, int index)
    {
        int start = Math.Min(ChunkedEncryption.HeaderSize + index * ChunkedEncryption.SealedChunkSize, sealedMessage.Length);
        return sealedMessage[start..Math.Min(start + ChunkedEncryption.SealedChunkSize, sealedMessage.Length)];
    }

    private static byte[] Inflated(byte[] zlib)
    {
        var inflated = new MemoryStream();
        using var stream = new ZLibStream(new MemoryStream(zlib), CompressionMode.Decompress);
        stream.CopyTo(inflated);
        return inflated.ToArray();
    }
}
