using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Cloister.Cli.Collateral;

/// <summary>Asks the makers' services: bounded, without redirections, and politely where they are busy.</summary>
internal sealed class VendorWeb : IDisposable
{
    // Ours to choose. The makers limit how often they are asked; whoever asks again at once only makes it worse.
    private const int Attempts = 4;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // More than any item may have: a longer answer is never held in memory.
    private const int MaxAnswer = 4 * 1024 * 1024;
    private const int MaxHeaders = 64; // KiB
    private const int MaxIssuers = 32 * 1024;

    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public VendorWeb(TimeProvider time)
    {
        _time = time;
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15), MaxResponseHeadersLength = MaxHeaders })
        {
            Timeout = Patience,
            MaxResponseContentBufferSize = MaxAnswer,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("cloister", null));
    }

    /// <exception cref="VendorFault">Nobody answers, or with something else.</exception>
    public async Task<VendorAnswer> AskAsync(VendorItem item, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await AskOnceAsync(item, cancellation);
            }
            catch (Busy busy) when (attempt < Attempts && (busy.Wait ?? TimeSpan.Zero) <= LongestPause)
            {
                var pause = FirstPause * (1 << attempt - 1) + TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1000));
                await Task.Delay(busy.Wait > pause ? busy.Wait.Value : pause, _time, cancellation);
            }
            catch (Busy busy)
            {
                throw new VendorFault(busy.Message, busy.Wait, busy.InnerException);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<VendorAnswer> AskOnceAsync(VendorItem item, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(item.Request is null ? HttpMethod.Get : HttpMethod.Post, item.Address);
            if (item.Request is not null)
            {
                request.Content = new ByteArrayContent(item.Request) { Headers = { ContentType = new MediaTypeHeaderValue("application/ocsp-request") } };
            }
            using var response = await _http.SendAsync(request, cancellation);
            if (response.StatusCode is not HttpStatusCode.OK)
            {
                throw Refusal(item, response);
            }
            byte[] content = await response.Content.ReadAsByteArrayAsync(cancellation);
            return content.Length <= item.MaxSize
                ? new VendorAnswer(content, Issuers(item, response.Headers))
                : throw new VendorFault($"{item.Address.Host} answered with {content.Length} bytes where {item.Title} has at most {item.MaxSize}.");
        }
        catch (HttpRequestException fault) when (fault.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new VendorFault($"{item.Address.Host} answered with more than belongs to {item.Title}.", inner: fault);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException || (fault is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new Busy($"{item.Address.Host} gave no whole answer when asked for {item.Title}: {Reason(fault)}.", null, fault);
        }
    }

    private Exception Refusal(VendorItem item, HttpResponseMessage response)
    {
        int code = (int)response.StatusCode;
        string sentence = string.Create(CultureInfo.InvariantCulture, $"{item.Address.Host} answered {code} when asked for {item.Title}.");
        return code is 429 or >= 500 ? new Busy(sentence, Wait(response.Headers.RetryAfter)) : new VendorFault(sentence);
    }

    private TimeSpan? Wait(RetryConditionHeaderValue? after)
    {
        var wait = after?.Delta ?? after?.Date - _time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : null;
    }

    // Intel's header is PEM, percent-encoded.
    private static string Issuers(VendorItem item, HttpResponseHeaders headers)
    {
        if (item.IssuersHeader is null)
        {
            return "";
        }
        string? value = headers.TryGetValues(item.IssuersHeader, out var values) ? values.Single() : null;
        return value is { Length: <= MaxIssuers } ? Uri.UnescapeDataString(value) : throw new VendorFault($"{item.Address.Host} did not say who signed {item.Title}.");
    }

    private static string Reason(Exception fault) => fault is OperationCanceledException ? "it took too long" : fault.GetBaseException().Message.TrimEnd('.');

    // Worth another try.
    private sealed class Busy(string sentence, TimeSpan? wait, Exception? inner = null) : Exception(sentence, inner)
    {
        public TimeSpan? Wait => wait;
    }
}
