using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Cloister.Channel.Exchanges;
using Cloister.Wire;

namespace Cloister.Client;

/// <summary>Puts a request onto an exchange.</summary>
internal static class RequestWriter
{
    private static readonly string[] HopByHop = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host"];

    public static async Task WriteAsync(PipeWriter output, HttpRequestMessage request, AnswerTicket ticket, CancellationToken cancellationToken)
    {
        var target = new Uri(SealedHttpHandler.EnclaveAddress, request.RequestUri ?? SealedHttpHandler.EnclaveAddress);
        var fields = Fields(request).Add(new Field(Exchanges.RequestField, ticket.RequestId));
        if (ticket.ResumeKey is not null)
        {
            fields = fields.Add(new Field(Exchanges.ResumeField, ticket.ResumeKey));
        }
        BinaryHttpCodec.WriteRequestHead(output, new RequestHead(request.Method.Method, "http", SealedHttpHandler.EnclaveAddress.Authority, target.PathAndQuery, fields));

        if (request.Content is not null)
        {
            await using var body = new ChunkStream(output);
            await request.Content.CopyToAsync(body, cancellationToken).ConfigureAwait(false);
        }
        await EndAsync(output, cancellationToken).ConfigureAwait(false);
    }

    public static async Task WriteResumeAsync(PipeWriter output, AnswerTicket ticket, long offset, CancellationToken cancellationToken)
    {
        BinaryHttpCodec.WriteRequestHead(output, new RequestHead("GET", "http", SealedHttpHandler.EnclaveAddress.Authority, Exchanges.AnswersPath + ticket.RequestId,
        [
            new Field(Exchanges.RequestField, Base64.EncodeUrl(RandomNumberGenerator.GetBytes(16))),
            new Field(Exchanges.ResumeField, ticket.ResumeKey!),
            new Field(Exchanges.OffsetField, offset.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ]));
        await EndAsync(output, cancellationToken).ConfigureAwait(false);
    }

    private static async Task EndAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        BinaryHttpCodec.WriteEnd(output, []);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await output.CompleteAsync().ConfigureAwait(false);
    }

    private static ImmutableArray<Field> Fields(HttpRequestMessage request)
    {
        var fields = ImmutableArray.CreateBuilder<Field>();
        var headers = request.Content is null ? request.Headers.NonValidated.AsEnumerable() : request.Headers.NonValidated.Concat(request.Content.Headers.NonValidated);
        foreach (var header in headers)
        {
            string name = header.Key.ToLowerInvariant();
            if (!HopByHop.Contains(name) && !name.StartsWith("cloister-", StringComparison.Ordinal))
            {
                fields.AddRange(header.Value.Select(value => new Field(name, value.Trim())));
            }
        }
        return fields.ToImmutable();
    }

    // Each write is a chunk. It leaves when the content flushes, or with the rest.
    private sealed class ChunkStream(PipeWriter output) : Stream
    {
        private const int Gather = 16 * 1024;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            BinaryHttpCodec.WriteChunk(output, buffer.Span);
            if (output.CanGetUnflushedBytes && output.UnflushedBytes > Gather)
            {
                await FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        public override async Task FlushAsync(CancellationToken cancellationToken)
        {
            var flushed = await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (flushed.IsCompleted)
            {
                throw new IOException("The enclave let go of the request.");
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => BinaryHttpCodec.WriteChunk(output, buffer.AsSpan(offset, count));

        public override bool CanRead => false;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException("A request is written.");

        public override long Position { get => throw new NotSupportedException("A request is written."); set => throw new NotSupportedException("A request is written."); }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A request is written.");

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A request is written.");

        public override void SetLength(long value) => throw new NotSupportedException("A request is written.");

        public override void Flush() { }
    }
}
