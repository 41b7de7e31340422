using Cloister.Channel.Exchanges;

namespace Cloister.Client;

/// <summary>What a request's content is copied into: each write is a chunk that leaves at once, or gathers where all of it is short.</summary>
internal sealed class RequestBody(BinaryHttpWriter output, bool gathers) : Stream
{
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (gathers)
        {
            Write(buffer.Span);
        }
        else
        {
            await output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken) => await output.FlushAsync(cancellationToken).ConfigureAwait(false);

    // Content that is serialised without waiting can only gather.
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        buffer.CopyTo(output.GetSpan(Math.Max(buffer.Length, 1)));
        output.Advance(buffer.Length);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    private const string OnlyForward = "A request is written, once and from front to back.";

    public override long Length => throw new NotSupportedException(OnlyForward);

    public override long Position { get => throw new NotSupportedException(OnlyForward); set => throw new NotSupportedException(OnlyForward); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyForward);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(OnlyForward);

    public override void SetLength(long value) => throw new NotSupportedException(OnlyForward);

    public override void Flush() { }
}
