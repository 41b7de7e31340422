using System.Net;

namespace Cloister.Enclave.Engines;

/// <summary>A client's request body on its way to the upstream server, at most as long as the enclave allows.</summary>
internal sealed class ForwardedBody(HttpRequest source, int limit) : HttpContent
{
    private const int ChunkSize = 16 * 1024;

    /// <summary>Whether the body was cut because it grew beyond the limit.</summary>
    public bool IsTooLarge { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => CopyAsync(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => CopyAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = source.ContentLength ?? 0;
        return source.ContentLength is not null;
    }

    private async Task CopyAsync(Stream upstream, CancellationToken cancellation)
    {
        byte[] chunk = new byte[ChunkSize];
        try
        {
            int total = 0;
            while (await source.Body.ReadAsync(chunk, cancellation) is var read and > 0)
            {
                total += read;
                if (IsTooLarge = total > limit)
                {
                    throw new HttpRequestException("The request is larger than the enclave accepts.");
                }
                await upstream.WriteAsync(chunk.AsMemory(0, read), cancellation);
            }
        }
        catch (BadHttpRequestException fault) when (fault.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            // The door counts too, and may be the first to notice.
            IsTooLarge = true;
            throw;
        }
        finally
        {
            Array.Clear(chunk);
        }
    }
}
