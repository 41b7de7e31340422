using System.Collections.Immutable;
using System.Globalization;
using System.Net.Http.Headers;
using Cloister.Channel.Exchanges;

namespace Cloister.Client;

/// <summary>Puts a request onto an exchange.</summary>
internal static class RequestWriter
{
    // RFC 9110, section 7.6.1, and what the exchange says in its own way. Nobody waits for 100 Continue: the window holds the content back.
    private static readonly string[] HopByHop =
        ["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host"];

    // Ours to choose: content of known length up to this leaves in one write, with its head and its end.
    private const int Gathered = 64 * 1024;

    /// <exception cref="ArgumentException">Something in the request cannot be sent.</exception>
    public static async Task WriteAsync(Exchange exchange, HttpRequestMessage request, AnswerTicket ticket, CancellationToken cancellationToken)
    {
        var output = new BinaryHttpWriter(exchange);
        try
        {
            output.WriteHead(HeadOf(request, ticket));
            if (request.Content is { } content)
            {
                await using var body = new RequestBody(output, gathers: content.Headers.ContentLength is <= Gathered);
                await content.CopyToAsync(body, cancellationToken).ConfigureAwait(false);
            }
            await output.EndAsync([], cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            output.Discard();
        }
    }

    /// <summary>Asks for a cut answer from <paramref name="offset"/> on.</summary>
    public static ValueTask WriteResumeAsync(Exchange exchange, AnswerTicket ticket, long offset, CancellationToken cancellationToken)
    {
        var output = new BinaryHttpWriter(exchange);
        output.WriteHead(new RequestHead("GET", "http", SealedHttpHandler.EnclaveAddress.Authority, Exchanges.AnswersPath + ticket.Name,
        [
            new(Exchanges.RequestField, AnswerTicket.NewName()),
            new(Exchanges.ResumeField, ticket.ResumeKey!),
            new(Exchanges.OffsetField, offset.ToString(CultureInfo.InvariantCulture)),
        ]));
        return output.EndAsync([], cancellationToken);
    }

    private static RequestHead HeadOf(HttpRequestMessage request, AnswerTicket ticket)
    {
        var target = new Uri(SealedHttpHandler.EnclaveAddress, request.RequestUri ?? SealedHttpHandler.EnclaveAddress);
        var fields = ImmutableArray.CreateBuilder<Field>();
        fields.Add(new(Exchanges.RequestField, ticket.Name));
        if (ticket.ResumeKey is not null)
        {
            fields.Add(new(Exchanges.ResumeField, ticket.ResumeKey));
        }

        string[] named = [.. request.Headers.Connection.Select(name => name.ToLowerInvariant())];
        Add(fields, request.Headers, named);
        if (request.Content is not null)
        {
            Add(fields, request.Content.Headers, named);
        }
        return new RequestHead(request.Method.Method, "http", SealedHttpHandler.EnclaveAddress.Authority, target.PathAndQuery, fields.DrainToImmutable());
    }

    private static void Add(ImmutableArray<Field>.Builder fields, HttpHeaders headers, string[] named)
    {
        foreach (var (key, values) in headers.NonValidated)
        {
            string name = key.ToLowerInvariant();
            if (!HopByHop.Contains(name) && !named.Contains(name) && !name.StartsWith(Exchanges.FieldPrefix, StringComparison.Ordinal))
            {
                foreach (string value in values)
                {
                    fields.Add(new(name, value.Trim(' ', '\t')));
                }
            }
        }
    }
}
