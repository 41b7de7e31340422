using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>A request's content, as it arrives. Longer than allowed is status 413.</summary>
internal sealed class RequestStream(BinaryHttpReader reader, long max) : Stream, IHttpRequestBodyDetectionFeature
{
    private long _read;

    public bool CanHaveBody => true;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException("The length is known at the end.");

    public override long Position { get => _read; set => throw new NotSupportedException("What was read is gone."); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int length = await reader.ReadContentAsync(buffer, cancellationToken);
        _read += length;
        return _read <= max ? length : throw new BadHttpRequestException("The request is too long.", StatusCodes.Status413PayloadTooLarge);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A request is read.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("What was read is gone.");

    public override void SetLength(long value) => throw new NotSupportedException("A request is read.");

    public override void Flush() { }
}
