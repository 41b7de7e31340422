using System.Collections.Immutable;
using System.IO.Pipelines;
using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>An answer on its way to the client: each write is a chunk that leaves at once. A client that does not read holds the writer up.</summary>
internal sealed class AnswerStream : Stream
{
    private readonly PipeWriter _output;
    private readonly Answer? _memory;
    private readonly Func<bool> _isLost;
    private bool _gone;
    private long _written;

    public AnswerStream(PipeWriter output, Answer? memory, Func<bool> isLost)
    {
        (_output, _memory, _isLost) = (output, memory, isLost);
        Response = new SealedResponse(this);
    }

    public SealedResponse Response { get; }

    public bool HasStarted { get; private set; }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await StartAsync();
        _memory?.Append(buffer.Span);
        _written += buffer.Length;
        if (!_gone)
        {
            BinaryHttpCodec.WriteChunk(_output, buffer.Span);
            await SendAsync(cancellationToken);
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        bool first = !HasStarted;
        await StartAsync();
        if (first && !_gone)
        {
            await SendAsync(cancellationToken);
        }
    }

    /// <summary>The terminator, and what was not yet sent.</summary>
    public async Task EndAsync()
    {
        await StartAsync();
        if (!_gone)
        {
            BinaryHttpCodec.WriteEnd(_output, []);
            await SendAsync(CancellationToken.None);
            await _output.CompleteAsync();
        }
    }

    private async Task StartAsync()
    {
        if (HasStarted)
        {
            return;
        }
        await Response.RunStartingAsync();
        HasStarted = true;
        var head = new ResponseHead(Response.StatusCode, Fields(Response.Headers));
        _memory?.Start(head);
        BinaryHttpCodec.WriteResponseHead(_output, head);
    }

    // A pipe whose reader is gone means that the client cancelled, or that the session was cut. A resumable answer outlives the latter.
    private async Task SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            var flushed = await _output.FlushAsync(cancellationToken);
            _gone = flushed.IsCompleted || flushed.IsCanceled;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            _gone = true;
        }
        if (_gone && (_memory is null || !_isLost()))
        {
            throw new OperationCanceledException("The client let go of the answer.");
        }
    }

    private static ImmutableArray<Field> Fields(IHeaderDictionary headers) =>
        [.. headers.Where(header => !IsHopByHop(header.Key)).SelectMany(header => header.Value.Select(value => new Field(Lower(header.Key), (value ?? "").Trim())))];

    private static string Lower(string name) => string.Create(name.Length, name, static (span, name) => name.AsSpan().ToLowerInvariant(span));

    private static bool IsHopByHop(string name) =>
        name.Equals("Connection", StringComparison.OrdinalIgnoreCase) || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Keep-Alive", StringComparison.OrdinalIgnoreCase) || name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase);

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => _written;

    public override long Position { get => _written; set => throw new NotSupportedException("What was written has left."); }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("An answer is written.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("What was written has left.");

    public override void SetLength(long value) => throw new NotSupportedException("An answer has the length that it has.");

    public override void Flush() { }
}

/// <summary>Status, headers and the callbacks that ASP.NET Core runs before they leave.</summary>
internal sealed class SealedResponse(AnswerStream body) : IHttpResponseFeature
{
    private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();
    private readonly Stack<(Func<object, Task> Callback, object State)> _completed = new();

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public Stream Body { get; set; } = body;

    public bool HasStarted => body.HasStarted;

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));

    public Task RunStartingAsync() => RunAsync(_starting);

    public Task RunCompletedAsync() => RunAsync(_completed);

    private static async Task RunAsync(Stack<(Func<object, Task> Callback, object State)> callbacks)
    {
        while (callbacks.TryPop(out var entry))
        {
            await entry.Callback(entry.State);
        }
    }
}
