namespace Cloister.Fuzz;

/// <summary>A peer that says what it was given, at once and then no more, and listens to nothing.</summary>
internal sealed class Peer : Stream
{
    private readonly MemoryStream _says;
    private readonly TaskCompletionSource _begun = new();

    public Peer(byte[] says, bool begins = true)
    {
        _says = new MemoryStream(says);
        if (begins)
        {
            Begin();
        }
    }

    /// <summary>Whoever reads gets the rest on this thread.</summary>
    public void Begin() => _begun.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _begun.Task;
        return _says.Read(buffer.Span);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() { }
}
