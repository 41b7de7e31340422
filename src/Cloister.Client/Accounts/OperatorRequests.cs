using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloister.Client.History;

namespace Cloister.Client.Accounts;

/// <summary>A request to the operator and its answer, bounded in size and time, its refusals named.</summary>
internal sealed class OperatorRequests(HttpClient http, Uri root)
{
    public const int MaxListing = 32 << 20;
    public const int MaxPairing = 2 << 10;

    public const int MaxUsual = 64 << 10;

    private const int MaxFault = 4 << 10;

    // Of an answer as a whole. A page of changes has some 18 MB, which a slow line brings in two minutes.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public static ByteArrayContent Octets(ReadOnlyMemory<byte> bytes) => Typed(bytes, "application/octet-stream");

    public static ByteArrayContent Typed(ReadOnlyMemory<byte> bytes, string type) => new(bytes.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    /// <returns>An answer of success.</returns>
    public async Task<OperatorAnswer> SendAsync(HttpMethod method, string path, HttpContent? content, AccountToken? session, CancellationToken cancellationToken, int maxAnswer = MaxUsual)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var response = await OpenAsync(method, path, content, session, limit.Token).ConfigureAwait(false);
            return new OperatorAnswer(response.StatusCode, await ReadAsync(response, maxAnswer, limit.Token).ConfigureAwait(false));
        }
        catch (Exception fault) when (IsUnreachable(fault, cancellationToken))
        {
            throw new OperatorUnreachableException("The operator does not answer.", fault);
        }
    }

    /// <returns>An answer of success, its body still to be read by the caller, who disposes it.</returns>
    public async Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, HttpContent? content, AccountToken? session, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(root, path)) { Content = content };
        if (session is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session.Text);
        }
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }
        using (response)
        {
            throw await ExplainAsync(response, session is not null, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether it is the network's or the operator's own fault, and not that the caller has had enough.</summary>
    public static bool IsUnreachable(Exception fault, CancellationToken cancellationToken) =>
        fault is HttpRequestException || (fault is IOException and not OperatorUnreachableException) || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static async Task<Exception> ExplainAsync(HttpResponseMessage response, bool signedIn, CancellationToken cancellationToken)
    {
        if ((int)response.StatusCode >= 500 && response.StatusCode is not HttpStatusCode.InsufficientStorage)
        {
            return new OperatorUnreachableException($"The operator has a fault of its own ({(int)response.StatusCode}).");
        }
        var said = await ReadFaultAsync(response, cancellationToken).ConfigureAwait(false);
        var fault = (response.StatusCode, said?.Error) switch
        {
            (HttpStatusCode.Unauthorized, "wrong")        => AccountFault.Wrong,
            (HttpStatusCode.Unauthorized, _) when signedIn => AccountFault.SessionEnded,
            (HttpStatusCode.Unauthorized, _)              => AccountFault.Wrong,
            (HttpStatusCode.NotFound, _)                  => AccountFault.NotThere,
            (HttpStatusCode.Conflict, "epoch")            => AccountFault.EpochPassed,
            (HttpStatusCode.Conflict, _)                  => AccountFault.Taken,
            (HttpStatusCode.RequestEntityTooLarge, _)     => AccountFault.TooLarge,
            (HttpStatusCode.TooManyRequests, _)           => AccountFault.TooManyAttempts,
            (HttpStatusCode.InsufficientStorage, _)       => AccountFault.Full,
            _                                             => AccountFault.Unexpected,
        };
        return new AccountFaultException(fault, retryAfter: WaitOf(response)) { Refused = new(response.StatusCode, said?.Error, said?.Sequence) };
    }

    private static TimeSpan? WaitOf(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { } wait && wait >= TimeSpan.Zero ? (wait < LongestWait ? wait : LongestWait) : null;

    private static async Task<FaultJson?> ReadFaultAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize(await ReadAsync(response, MaxFault, cancellationToken).ConfigureAwait(false), AccountJson.Default.FaultJson);
        }
        catch (Exception fault) when (fault is JsonException or AccountFaultException)
        {
            return null;
        }
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, int most, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > most)
        {
            throw new AccountFaultException(AccountFault.Unexpected);
        }
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var bytes = new MemoryStream();
        byte[] buffer = new byte[64 << 10];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var length)
        {
            if (bytes.Length + length > most)
            {
                throw new AccountFaultException(AccountFault.Unexpected);
            }
            bytes.Write(buffer, 0, length);
        }
        return bytes.ToArray();
    }
}

/// <summary>An answer of success.</summary>
internal sealed record OperatorAnswer(HttpStatusCode Status, byte[] Bytes)
{
    public T Read<T>(JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Bytes, type) ?? throw new AccountFaultException(AccountFault.Unexpected);
        }
        catch (JsonException fault)
        {
            throw new AccountFaultException(AccountFault.Unexpected, inner: fault);
        }
    }
}
