using System.Buffers.Binary;
using System.IO.Compression;

namespace Cloister.Vault.Exchange;

/// <summary>A file in a .zip file, as its directory describes it: whoever made it may say anything.</summary>
/// <param name="Name">With its folders.</param>
/// <param name="IsEncrypted">With whatever method.</param>
/// <param name="Method">0: as it is; 8: deflated.</param>
/// <param name="Checksum">CRC-32 of the content.</param>
/// <param name="Packed">In bytes, in the file.</param>
/// <param name="Length">Of the content, in bytes.</param>
/// <param name="At">Where its own header begins.</param>
internal sealed record ZipEntry(string Name, bool IsEncrypted, int Method, uint Checksum, long Packed, long Length, long At)
{
    public const int Stored = 0;
    public const int Deflated = 8;

    /// <summary>More than text shrinks by: what unpacks to more than so many times its bytes is made to fill a memory or a disk.</summary>
    public const int MaxRatio = 200;

    private const int HeaderSize = 30;
    private const uint HeaderMark = 0x04034b50;

    // That little text may be all one letter.
    private const long Small = 1 << 20;

    public bool IsFolder => Name.EndsWith('/');

    /// <summary>Without its folders.</summary>
    public string File => Name[(Name.LastIndexOf('/') + 1)..];

    public bool IsBomb => Length > Small && Length / MaxRatio > Packed;

    /// <summary>Its content, which is never longer than <see cref="Length"/>; null where it is not there. Only one is read at a time.</summary>
    /// <param name="file">It can seek.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<ZipContent?> OpenAsync(Stream file, CancellationToken cancellationToken)
    {
        byte[]? header = await ZipDirectory.ReadAsync(file, At, HeaderSize, cancellationToken).ConfigureAwait(false);
        if (header is null || BinaryPrimitives.ReadUInt32LittleEndian(header) != HeaderMark)
        {
            return null;
        }
        long start = At + HeaderSize + BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(28));
        if (start > file.Length - Packed)
        {
            return null;
        }
        file.Position = start;
        var packed = new Section(file, Packed);
        return new(Method == Deflated ? new DeflateStream(packed, CompressionMode.Decompress) : packed, Length, Checksum);
    }

    /// <summary>So many bytes of a stream from where it stands.</summary>
    private sealed class Section(Stream file, long length) : ForwardStream
    {
        private long _left = length;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await file.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken).ConfigureAwait(false);
            _left -= read;
            return read;
        }
    }
}
