using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Attachments;

/// <summary>Seals and opens an attachment's parts (docs/spec/vault.md, section 5): C2SP chunked encryption of the padded content, in parts of 64 chunks.</summary>
public static class AttachmentParts
{
    /// <summary>Content in one part, in bytes: the last part has less, perhaps none.</summary>
    public const int ContentPerPart = ChunksPerPart * ChunkedEncryption.ChunkSize;

    /// <summary>The longest sealed part, in bytes: the first, with its header.</summary>
    public const int MaxPartSize = ChunkedEncryption.HeaderSize + (ChunksPerPart * ChunkedEncryption.SealedChunkSize);

    /// <summary>The longest content, in bytes, just under 64 GiB: padded, a longer one would have more parts than can be numbered.</summary>
    public const long MaxLength = (1L << 36) - (1L << 29);

    private const int ChunksPerPart = 64;

    /// <summary>A new attachment's key: 32 bytes.</summary>
    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(ChunkedEncryption.KeySize);

    /// <summary>How many parts a content of <paramref name="length"/> bytes has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No content has that length.</exception>
    public static int Count(long length)
    {
        Require(length);
        return (int)((Padding.Padme(length) / ChunkedEncryption.ChunkSize / ChunksPerPart) + 1);
    }

    internal static void Require(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
    }

    internal static byte[] Context(AccountNumber account, Identity attachment) => [.. "cloister attachment v1\0"u8, .. account.ToArray(), .. attachment.ToArray()];

    internal static long PaddedLength(long length) => Padding.Padme(length);

    internal static int ChunksIn(int part, long length)
    {
        long chunks = (Padding.Padme(length) / ChunkedEncryption.ChunkSize) + 1;
        return (int)Math.Min(ChunksPerPart, chunks - ((long)part * ChunksPerPart));
    }

    internal const int Chunks = ChunksPerPart;
}

/// <summary>Seals an attachment, part after part, while it is read. It cannot go back: seal again under another key.</summary>
public sealed class AttachmentSealer : IDisposable
{
    private readonly ChunkSealer _sealer;
    private readonly long _length;
    private int _part;

    /// <param name="length">Of the content, in bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is longer than <see cref="AttachmentParts.MaxLength"/>.</exception>
    public AttachmentSealer(AccountNumber account, Identity attachment, ReadOnlySpan<byte> key, long length)
    {
        AttachmentParts.Require(length);
        (_sealer, _length) = (new(key, AttachmentParts.Context(account, attachment)), length);
    }

    /// <summary>Seals the next part.</summary>
    /// <param name="content">The content of this part: <see cref="AttachmentParts.ContentPerPart"/> bytes, or what is left.</param>
    /// <exception cref="ArgumentException">It is another length.</exception>
    public byte[] Seal(ReadOnlySpan<byte> content)
    {
        long left = Math.Max(0, _length - ((long)_part * AttachmentParts.ContentPerPart));
        if (content.Length != Math.Min(left, AttachmentParts.ContentPerPart))
        {
            throw new ArgumentException("A part is full unless it is the last.", nameof(content));
        }
        int chunks = AttachmentParts.ChunksIn(_part, _length);
        long paddedLeft = AttachmentParts.PaddedLength(_length) - ((long)_part * AttachmentParts.ContentPerPart);
        int size = (int)Math.Min(paddedLeft, AttachmentParts.ContentPerPart);
        byte[] padded = new byte[size];
        content.CopyTo(padded);

        int header = _part == 0 ? ChunkedEncryption.HeaderSize : 0;
        byte[] part = new byte[header + size + (chunks * AeadKey.TagSize)];
        _sealer.Header[..header].CopyTo(part);
        for (int chunk = 0, from = 0, to = header; chunk < chunks; chunk++)
        {
            int length = Math.Min(ChunkedEncryption.ChunkSize, size - from);
            _sealer.Seal(padded.AsSpan(from, length), part.AsSpan(to, length + AeadKey.TagSize));
            (from, to) = (from + length, to + length + AeadKey.TagSize);
        }
        _part++;
        return part;
    }

    public void Dispose() => _sealer.Dispose();
}

/// <summary>Opens an attachment's parts, in any order once the first is there.</summary>
public sealed class AttachmentOpener : IDisposable
{
    private readonly ChunkOpener _opener;
    private readonly long _length;

    private AttachmentOpener(ChunkOpener opener, long length) => (_opener, _length) = (opener, length);

    /// <summary>False where the first part is not this attachment's, and for a length that no content has.</summary>
    /// <param name="length">Of the content, as the message says that carries it.</param>
    /// <param name="firstPart">Part 0, whole.</param>
    public static bool TryCreate(AccountNumber account, Identity attachment, ReadOnlySpan<byte> key, long length, ReadOnlySpan<byte> firstPart, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AttachmentOpener? opener)
    {
        opener = null;
        if (length is < 0 or > AttachmentParts.MaxLength || firstPart.Length < ChunkedEncryption.HeaderSize || !ChunkOpener.TryCreate(key, AttachmentParts.Context(account, attachment), firstPart[..ChunkedEncryption.HeaderSize], out var chunks))
        {
            return false;
        }
        opener = new(chunks, length);
        return true;
    }

    /// <summary>Opens one part. False where it was altered, cut, moved, or is padded with something else than zeros.</summary>
    /// <param name="content">The content of that part.</param>
    public bool TryOpen(int part, ReadOnlySpan<byte> sealedPart, out byte[] content)
    {
        content = [];
        int chunks = part < 0 || part >= AttachmentParts.Count(_length) ? 0 : AttachmentParts.ChunksIn(part, _length);
        var rest = part == 0 && sealedPart.Length >= ChunkedEncryption.HeaderSize ? sealedPart[ChunkedEncryption.HeaderSize..] : sealedPart;
        long size = Math.Min(AttachmentParts.PaddedLength(_length) - ((long)part * AttachmentParts.ContentPerPart), AttachmentParts.ContentPerPart);
        if (chunks == 0 || rest.Length != size + ((long)chunks * AeadKey.TagSize))
        {
            return false;
        }

        byte[] padded = new byte[size];
        for (int chunk = 0, from = 0, to = 0; chunk < chunks; chunk++)
        {
            int length = Math.Min(ChunkedEncryption.ChunkSize, padded.Length - to);
            if (!_opener.TryOpen(((long)part * AttachmentParts.Chunks) + chunk, rest.Slice(from, length + AeadKey.TagSize), padded.AsSpan(to, length)))
            {
                return false;
            }
            (from, to) = (from + length + AeadKey.TagSize, to + length);
        }
        int wanted = (int)Math.Clamp(_length - ((long)part * AttachmentParts.ContentPerPart), 0, padded.Length);
        if (padded.AsSpan(wanted).ContainsAnyExcept((byte)0))
        {
            return false;
        }
        content = padded[..wanted];
        return true;
    }

    public void Dispose() => _opener.Dispose();
}
