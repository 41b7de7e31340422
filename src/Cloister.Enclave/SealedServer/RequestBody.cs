using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>A request's content, as it arrives. Longer than allowed is status 413, longer or shorter than announced 400.</summary>
internal sealed class RequestBody(BinaryHttpReader reader, RequestHead head, long? announced, long max) : Stream, IHttpRequestBodyDetectionFeature
{
    private long _read;

    /// <summary>Only a guess for content of unknown length: most methods without content say nothing about it.</summary>
    public bool CanHaveBody => announced is > 0 || (announced is null && head.Method is not ("GET" or "HEAD" or "OPTIONS" or "DELETE" or "TRACE"));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (announced > max)
        {
            throw TooLong();
        }
        int length = await reader.ReadContentAsync(buffer, cancellationToken);
        _read += length;
        bool atEnd = length == 0 && !buffer.IsEmpty;
        return _read > max                                                     ? throw TooLong()
             : _read > announced || (atEnd && announced is not null && _read < announced) ? throw new BadHttpRequestException("The content has another length than was announced.")
             :                                                                   length;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private static BadHttpRequestException TooLong() => new("The request is too long.", StatusCodes.Status413PayloadTooLarge);

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    private const string OnlyForward = "A request is read, asynchronously, once and from front to back.";

    public override long Length => throw new NotSupportedException(OnlyForward);

    public override long Position { get => _read; set => throw new NotSupportedException(OnlyForward); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyForward);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyForward);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(OnlyForward);

    public override void SetLength(long value) => throw new NotSupportedException(OnlyForward);

    public override void Flush() { }
}
