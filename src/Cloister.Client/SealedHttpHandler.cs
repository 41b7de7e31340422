using System.Net;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Channel.Exchanges;
using Cloister.Wire;

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

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private readonly HttpClient _directory = new(options.DirectoryHandler ?? new HttpClientHandler(), disposeHandler: options.DirectoryHandler is null) { Timeout = ClientOptions.ConnectTimeout };
    private readonly SemaphoreSlim _opening = new(1);
    private EnclaveSession? _session;

    /// <summary>Appraises and opens the channel now, so that the first request need not wait for it.</summary>
    /// <returns>The enclave that requests go to.</returns>
    /// <exception cref="EnclaveRefusedException">No enclave passed the policy.</exception>
    /// <exception cref="EnclaveUnreachableException">The operator or the enclave is out of reach.</exception>
    public async Task<AppraisedEnclave> ConnectAsync(CancellationToken cancellationToken) => (await SessionAsync(cancellationToken).ConfigureAwait(false)).Enclave;

    /// <inheritdoc/>
    /// <exception cref="EnclaveRefusedException">No enclave passed the policy. Nothing was sent.</exception>
    /// <exception cref="EnclaveUnreachableException">The operator or the enclave is out of reach. Nothing was sent.</exception>
    /// <exception cref="EnclaveLostException">The connection was lost and the answer could not be resumed.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var ticket = AnswerTicket.For(request.Method);
        var exchange = await (await SessionAsync(cancellationToken).ConfigureAwait(false)).BeginAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var reader = new BinaryHttpReader(exchange.Input);
            ResponseHead head;
            using (cancellationToken.UnsafeRegister(static state => ((ClientExchange)state!).Dispose(), exchange))
            {
                try
                {
                    head = await ExchangeAsync(exchange, reader, request, ticket, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (IsCut(e) && !cancellationToken.IsCancellationRequested)
                {
                    exchange.Dispose();
                    (exchange, reader, head) = await ResumeAsync(ticket, 0, e, cancellationToken).ConfigureAwait(false);
                }
            }
            return Describe(request, head, new AnswerContentStream(this, exchange, reader, ticket));
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            exchange.Dispose();
            throw new TaskCanceledException("The request was cancelled.", null, cancellationToken);
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    // The answer may begin before the request has ended, and has to be read then, or both sides would wait for each other.
    private static async Task<ResponseHead> ExchangeAsync(ClientExchange exchange, BinaryHttpReader reader, HttpRequestMessage request, AnswerTicket ticket, CancellationToken cancellationToken)
    {
        var writing = RequestWriter.WriteAsync(exchange.Output, request, ticket, cancellationToken);
        var reading = reader.ReadResponseHeadAsync(cancellationToken).AsTask();
        if (await Task.WhenAny(writing, reading).ConfigureAwait(false) == writing && !writing.IsCompletedSuccessfully && !reading.IsCompleted)
        {
            // What the request's content threw is the caller's to see; what it means for the peer is a cancelled exchange.
            exchange.Dispose();
            await writing.ConfigureAwait(false);
        }
        _ = writing.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return await reading.ConfigureAwait(false);
    }

    /// <summary>Asks whatever enclave answers now, appraised afresh, for the rest of a cut answer.</summary>
    internal async Task<(ClientExchange, BinaryHttpReader, ResponseHead)> ResumeAsync(AnswerTicket ticket, long offset, Exception cause, CancellationToken cancellationToken)
    {
        if (ticket.ResumeKey is null)
        {
            throw new EnclaveLostException(cause);
        }

        long since = options.Time.GetTimestamp();
        for (var pause = FirstPause; ; pause *= 2)
        {
            try
            {
                return await ResumeOnceAsync(ticket, offset, cause, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is EnclaveUnreachableException || (IsCut(e) && e is not EnclaveLostException))
            {
                if (options.Time.GetElapsedTime(since) + pause > options.ResumePatience)
                {
                    throw new EnclaveLostException(e);
                }
                await Task.Delay(pause, options.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (EnclaveRefusedException e)
            {
                throw new EnclaveLostException(e);
            }
        }
    }

    private async Task<(ClientExchange, BinaryHttpReader, ResponseHead)> ResumeOnceAsync(AnswerTicket ticket, long offset, Exception cause, CancellationToken cancellationToken)
    {
        var exchange = await (await SessionAsync(cancellationToken).ConfigureAwait(false)).BeginAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RequestWriter.WriteResumeAsync(exchange.Output, ticket, offset, cancellationToken).ConfigureAwait(false);
            var reader = new BinaryHttpReader(exchange.Input);
            var head = await reader.ReadResponseHeadAsync(cancellationToken).ConfigureAwait(false);
            return head.Status is not (int)HttpStatusCode.NotFound ? (exchange, reader, head) : throw new EnclaveLostException(cause);
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    internal static bool IsCut(Exception exception) => exception is ChannelException or BinaryHttpException or ObjectDisposedException or InvalidOperationException or IOException;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _session?.Retire();
            _directory.Dispose();
            _opening.Dispose();
        }
        base.Dispose(disposing);
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
            if (_session is { IsFresh: true } opened)
            {
                return opened;
            }
            _session?.Retire();
            _session = null;
            return _session = await EnclaveSession.OpenAsync(options, _directory, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }
    }

    private static HttpResponseMessage Describe(HttpRequestMessage request, ResponseHead head, AnswerContentStream content)
    {
        var response = new HttpResponseMessage((HttpStatusCode)head.Status) { RequestMessage = request, Content = new StreamContent(content), Version = HttpVersion.Version11 };
        foreach (var (name, value) in head.Fields)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value))
            {
                response.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        return response;
    }
}

/// <summary>The name of a request, and the key to its answer if that may be resumed. Fresh for each request.</summary>
internal sealed record AnswerTicket(string RequestId, string? ResumeKey)
{
    // Reading is cheap to ask again; what makes an answer is not.
    public static AnswerTicket For(HttpMethod method) => new(
        Base64.EncodeUrl(RandomNumberGenerator.GetBytes(16)),
        method == HttpMethod.Get || method == HttpMethod.Head ? null : Base64.EncodeUrl(RandomNumberGenerator.GetBytes(32)));
}
