using System.Net.Sockets;

namespace Cloister.Log.Storage;

/// <summary>A bucket that speaks S3, by its address in the path. Requests are signed; redirects are not followed.</summary>
internal sealed class Bucket : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BucketOptions _options;
    private readonly string _keyId;
    private readonly string _secret;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Patience };
    private readonly TimeProvider _time;

    public Bucket(BucketOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        string[] lines = File.ReadAllLines(options.Credentials);
        (_keyId, _secret) = (lines[0].Trim(), lines[1].Trim());
    }

    /// <summary>Sends one request.</summary>
    /// <param name="name">The object's, without the prefix.</param>
    /// <exception cref="IOException">The storage cannot be reached, is too slow or has a fault of its own: whether it did it nobody knows.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string name, byte[]? body, IReadOnlyDictionary<string, string>? conditions, CancellationToken cancellation)
    {
        var address = new Uri($"{_options.Endpoint.TrimEnd('/')}/{_options.Name}/{_options.Prefix}{name}");
        var now = _time.GetUtcNow();
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = address.Authority,
            ["x-amz-content-sha256"] = S3Signature.Digest(body),
            ["x-amz-date"] = S3Signature.TimeOf(now),
        };

        using var request = new HttpRequestMessage(method, address) { Content = body is null ? null : new ByteArrayContent(body) };
        foreach (var (header, value) in conditions ?? new Dictionary<string, string>())
        {
            _ = request.Headers.TryAddWithoutValidation(header, value) || request.Content!.Headers.TryAddWithoutValidation(header, value);
        }
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", headers["x-amz-content-sha256"]);
        request.Headers.TryAddWithoutValidation("x-amz-date", headers["x-amz-date"]);
        request.Headers.TryAddWithoutValidation("Authorization", S3Signature.Authorization(method.Method, address.AbsolutePath, headers, _options.Region, _keyId, _secret, now));
        try
        {
            var response = await _http.SendAsync(request, cancellation);
            return (int)response.StatusCode is < 500 and not 403 and not 409 and not 429 ? response : throw Failed(response);
        }
        catch (Exception fault) when (fault is HttpRequestException or SocketException)
        {
            throw new IOException($"The bucket cannot be reached: {fault.Message}", fault);
        }
        catch (OperationCanceledException slow) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException("The bucket is too slow.", slow);
        }
    }

    public void Dispose() => _http.Dispose();

    private static IOException Failed(HttpResponseMessage response)
    {
        using (response)
        {
            return new IOException($"The bucket answers {(int)response.StatusCode}.");
        }
    }
}
