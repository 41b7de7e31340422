using System.Net;
using System.Net.Http.Headers;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>A body whose end does not come before it is let go. It begins when the operator asks for it, which it does after it has looked at the session.</summary>
internal sealed class HeldContent : HttpContent
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously), _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _bytes;

    public HeldContent(byte[] bytes, string type)
    {
        _bytes = bytes;
        Headers.ContentType = new MediaTypeHeaderValue(type);
    }

    /// <summary>A client that waits until it is asked.</summary>
    public static HttpClient Client(Uri address) => new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = address, DefaultRequestHeaders = { ExpectContinue = true } };

    public Task Asked => _asked.Task;

    public void Release() => _release.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(_bytes.AsMemory(0, _bytes.Length - 1));
        await stream.FlushAsync();
        _asked.TrySetResult();
        await _release.Task;
        await stream.WriteAsync(_bytes.AsMemory(_bytes.Length - 1));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _bytes.Length;
        return true;
    }
}
