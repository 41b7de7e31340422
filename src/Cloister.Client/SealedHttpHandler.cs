using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Channel.Exchanges;

namespace Cloister.Client;

/// <summary>Sends HTTP requests to an appraised enclave through the sealed channel. Any .NET HTTP client works through it.</summary>
/// <remarks>
/// Nothing is sent before an appraisal under the policy has accepted the enclave: at the first request, after a lost
/// connection, and again before what was proved expires. The request's host is not looked at: there is one place to go.
/// Through it the enclave's API is at <see cref="EnclaveAddress"/>.
/// </remarks>
public sealed class SealedHttpHandler(ClientOptions options) : HttpMessageHandler
{
    /// <summary>The base address for clients of this handler. The scheme is plain because the channel is the protection.</summary>
    public static readonly Uri EnclaveAddress = new("http://enclave/");

    // Ours to choose: a connection that was cut is often back in a moment, or in a minute.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private readonly HttpClient _directory = new(options.DirectoryHandler ?? new HttpClientHandler(), disposeHandler: options.DirectoryHandler is null) { Timeout = ClientOptions.ConnectTimeout };
    private readonly SemaphoreSlim _opening = new(1);
    private EnclaveSession? _session;
    private volatile bool _disposed;

    /// <summary>Appraises and opens the channel now, so that the first request need not wait for it.</summary>
    /// <returns>The enclave that requests go to.</returns>
    /// <exception cref="EnclaveRefusedException">No enclave passed the policy.</exception>
    /// <exception cref="EnclaveUnreachableException">The operator or the enclave is out of reach.</exception>
    public async Task<AppraisedEnclave> ConnectAsync(CancellationToken cancellationToken) => (await SessionAsync(cancellationToken).ConfigureAwait(false)).Enclave;

    /// <summary>
    /// Asks the enclave for proof that this very session ends in its machine, now, and appraises it (docs/spec/statement.md, section 6). A session that does
    /// not prove it is closed: the next request appraises afresh.
    /// </summary>
    /// <exception cref="HttpRequestException">The enclave did not answer with evidence; 429 where it was asked less than five seconds ago.</exception>
    public async Task<AttestationResult> AppraiseSessionAsync(CancellationToken cancellationToken)
    {
        var (session, exchange) = await BeginAsync(cancellationToken).ConfigureAwait(false);
        byte[] nonce = RandomNumberGenerator.GetBytes(SessionBinding.NonceSize);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(EnclaveAddress, SessionBinding.Path)) { Content = new ByteArrayContent(nonce) };
        byte[] bundle;
        try
        {
            // Without a key to resume it: proof of a session that was cut meanwhile would prove another one.
            var ticket = new AnswerTicket(AnswerTicket.NewName(), null);
            var answer = await ExchangeAsync(session, exchange, request, ticket, cancellationToken).ConfigureAwait(false);
            using var response = Describe(request, ticket, answer);
            response.EnsureSuccessStatusCode();
            await response.Content.LoadIntoBufferAsync(EnclaveBundle.MaxSize, cancellationToken).ConfigureAwait(false);
            bundle = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException cut)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The session ended before the enclave had answered.", cut);
        }

        var binding = new SessionBinding(session.Enclave.StatementHash, session.HandshakeHash, nonce);
        var result = await new LogFollower(_directory, options).AppraiseSessionAsync(bundle, binding, cancellationToken).ConfigureAwait(false);
        if (!result.IsAccepted && Interlocked.CompareExchange(ref _session, null, session) == session)
        {
            session.Dispose();
        }
        return result;
    }

    /// <inheritdoc/>
    /// <exception cref="EnclaveRefusedException">No enclave passed the policy. Nothing was sent.</exception>
    /// <exception cref="EnclaveUnreachableException">The operator or the enclave is out of reach. Nothing was sent.</exception>
    /// <exception cref="EnclaveLostException">The connection was lost, and nobody can say whether the enclave did what was asked.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        var ticket = AnswerTicket.For(request.Method);
        try
        {
            var answer = await AskAsync(request, ticket, cancellationToken).ConfigureAwait(false);
            return Describe(request, ticket, answer);
        }
        catch (ArgumentException unsendable)
        {
            throw new HttpRequestException("Something in the request cannot be sent.", unsendable);
        }
    }

    /// <summary>Goes on with an answer that broke off, if that was the connection's fault and the enclave still has it.</summary>
    internal async Task<ArrivingAnswer> MendAsync(ArrivingAnswer broken, AnswerTicket ticket, long offset, IOException cause, CancellationToken cancellationToken)
    {
        if (!broken.WasLost)
        {
            throw new AnswerBrokenOffException("The enclave broke the answer off.", cause);
        }
        return await ResumeAsync(ticket, offset, cause, cancellationToken).ConfigureAwait(false) ?? throw new EnclaveLostException(cause);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _session?.Dispose();
            _directory.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task<ArrivingAnswer> AskAsync(HttpRequestMessage request, AnswerTicket ticket, CancellationToken cancellationToken)
    {
        var (session, exchange) = await BeginAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await ExchangeAsync(session, exchange, request, ticket, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException cut) when (exchange.Fault is ExchangeFault.SessionLost or ExchangeFault.SessionClosed)
        {
            return await ResumeAsync(ticket, 0, cut, cancellationToken).ConfigureAwait(false)
                ?? await AskAgainAsync(request, ticket, session.Enclave, cut, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException) when (exchange.Fault is ExchangeFault.Rejected)
        {
            throw new HttpRequestException("The enclave has too much to do. It has not looked at the request.", null, HttpStatusCode.ServiceUnavailable);
        }
        catch (IOException broken) when (broken is ExchangeException or BinaryHttpException)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The enclave broke off before its answer.", broken);
        }
    }

    // The same enclave does not know the request, so it was lost on the way there; and should it come after all, its name is used up (section 3).
    private async Task<ArrivingAnswer> AskAgainAsync(HttpRequestMessage request, AnswerTicket ticket, AppraisedEnclave enclave, IOException cause, CancellationToken cancellationToken)
    {
        var (session, exchange) = await BeginAsync(cancellationToken).ConfigureAwait(false);
        if (!CanRepeat(request.Content) || !session.Enclave.ChannelKey.Equals(enclave.ChannelKey))
        {
            exchange.Abandon();
            throw new EnclaveLostException(cause);
        }
        try
        {
            var answer = await ExchangeAsync(session, exchange, request, ticket, cancellationToken).ConfigureAwait(false);
            if (answer.Head.Status != (int)HttpStatusCode.Conflict)
            {
                return answer;
            }
            exchange.Abandon();
        }
        catch (IOException again) when (again is ExchangeException or BinaryHttpException)
        {
            cause = again;
        }
        throw new EnclaveLostException(cause);
    }

    private static bool CanRepeat(HttpContent? content) => content is null or ByteArrayContent or ReadOnlyMemoryContent;

    // The answer may begin before the request has ended, and has to be read then, or both sides would wait for each other.
    private static async Task<ArrivingAnswer> ExchangeAsync(EnclaveSession session, Exchange exchange, HttpRequestMessage request, AnswerTicket ticket, CancellationToken cancellationToken)
    {
        try
        {
            var reader = new BinaryHttpReader(exchange);
            var writing = RequestWriter.WriteAsync(exchange, request, ticket, cancellationToken);
            var reading = reader.ReadResponseHeadAsync(cancellationToken);
            var head = writing.IsCompletedSuccessfully ? await reading.ConfigureAwait(false) : await WhileWritingAsync(writing, reading.AsTask()).ConfigureAwait(false);
            return new ArrivingAnswer(exchange, reader, head, session);
        }
        catch
        {
            exchange.Abandon();
            throw;
        }
    }

    // What the request's content threw is the caller's to see. That the enclave wants no more of it, the answer says better.
    private static async Task<ResponseHead> WhileWritingAsync(Task writing, Task<ResponseHead> reading)
    {
        if (await Task.WhenAny(writing, reading).ConfigureAwait(false) == writing && writing.Exception?.InnerException is not (null or ExchangeException))
        {
            await writing.ConfigureAwait(false);
        }
        _ = writing.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return await reading.ConfigureAwait(false);
    }

    // Asks whatever enclave answers now, appraised afresh. Null where it does not know the answer.
    private async Task<ArrivingAnswer?> ResumeAsync(AnswerTicket ticket, long offset, IOException cause, CancellationToken cancellationToken)
    {
        if (ticket.ResumeKey is null)
        {
            return null;
        }

        long begun = options.Time.GetTimestamp();
        for (var pause = FirstPause; ; pause *= 2)
        {
            try
            {
                return await TryResumeAsync(ticket, offset, cause, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception again) when (again is EnclaveUnreachableException or ExchangeException)
            {
                if (options.Time.GetElapsedTime(begun) + pause >= options.ResumePatience)
                {
                    throw new EnclaveLostException(again);
                }
            }
            catch (EnclaveRefusedException refused)
            {
                throw new EnclaveLostException(refused);
            }
            await Task.Delay(pause, options.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ArrivingAnswer?> TryResumeAsync(AnswerTicket ticket, long offset, IOException cause, CancellationToken cancellationToken)
    {
        var (session, exchange) = await BeginAsync(cancellationToken).ConfigureAwait(false);
        bool resumed = false;
        try
        {
            await RequestWriter.WriteResumeAsync(exchange, ticket, offset, cancellationToken).ConfigureAwait(false);
            var reader = new BinaryHttpReader(exchange);
            var head = await reader.ReadResponseHeadAsync(cancellationToken).ConfigureAwait(false);

            // Only the answer's own head says where it goes on (docs/spec/exchanges.md, section 4).
            resumed = head.Fields.Contains(new Field(Exchanges.OffsetField, offset.ToString(CultureInfo.InvariantCulture)));
            return resumed                                     ? new ArrivingAnswer(exchange, reader, head, session)
                 : head.Status == (int)HttpStatusCode.NotFound ? null
                 :                                               throw new EnclaveLostException(cause);
        }
        finally
        {
            if (!resumed)
            {
                exchange.Abandon();
            }
        }
    }

    private async Task<(EnclaveSession, Exchange)> BeginAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var session = await SessionAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return (session, await session.BeginAsync(cancellationToken).ConfigureAwait(false));
            }
            catch (ExchangeException)
            {
                // It ended while we waited for a place. Nothing was sent; the next one is appraised like any.
            }
        }
    }

    private async Task<EnclaveSession> SessionAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _session) is { IsFresh: true } fresh)
        {
            return fresh;
        }

        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_session is { IsFresh: true } opened)
            {
                return opened;
            }
            string? former = _session?.Name;
            _session?.Dispose();
            _session = await EnclaveSession.OpenAsync(options, _directory, former, cancellationToken).ConfigureAwait(false);
            return _session;
        }
        finally
        {
            _opening.Release();
        }
    }

    private HttpResponseMessage Describe(HttpRequestMessage request, AnswerTicket ticket, ArrivingAnswer answer)
    {
        var response = new HttpResponseMessage((HttpStatusCode)answer.Head.Status) { RequestMessage = request };
        response.Content = HasContent(request, answer.Head) ? new StreamContent(new AnswerContentStream(this, answer, ticket, response)) : new ByteArrayContent([]);
        foreach (var (name, value) in answer.Head.Fields)
        {
            if (!name.StartsWith(Exchanges.FieldPrefix, StringComparison.Ordinal) && !response.Headers.TryAddWithoutValidation(name, value))
            {
                response.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        if (response.Content is ByteArrayContent)
        {
            // There is nothing to wait for but the end, and nothing to lose.
            answer.Exchange.Abandon();
        }
        return response;
    }

    // RFC 9110, section 6.4.1.
    private static bool HasContent(HttpRequestMessage request, ResponseHead head) =>
        request.Method != HttpMethod.Head && head.Status is not ((int)HttpStatusCode.NoContent or (int)HttpStatusCode.NotModified);
}
