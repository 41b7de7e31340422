using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Wire;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>What came back.</summary>
internal sealed record Reply(int Status, byte[] Bytes, HttpResponseHeaders Headers, string? ContentType)
{
    public JsonNode Json => JsonNode.Parse(Bytes)!;

    public string? Error => ContentType == "application/json" ? (string?)Json["error"] : null;

    /// <summary>As in <c>409 stale</c>.</summary>
    public string Verdict => Error is { } code ? $"{Status} {code}" : $"{Status}";
}

/// <summary>Requests as they stand in docs/spec/accounts.md, written by hand.</summary>
internal sealed class Api(HttpClient http)
{
    public HttpClient Http => http;

    public async Task<Reply> SendAsync(string method, string path, HttpContent? content, string? token, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/cloister/v1" + path) { Content = content };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        change?.Invoke(request);
        using var response = await http.SendAsync(request);
        return new((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(), response.Headers, response.Content.Headers.ContentType?.MediaType);
    }

    public Task<Reply> AskAsync(string method, string path, string? token = null) => SendAsync(method, path, null, token);

    public Task<Reply> JsonAsync(string method, string path, JsonNode? body, string? token = null) => JsonAsync(method, path, body?.ToJsonString() ?? "null", token);

    public Task<Reply> JsonAsync(string method, string path, string body, string? token = null) => SendAsync(method, path, new StringContent(body, Encoding.UTF8, "application/json"), token);

    public Task<Reply> OctetsAsync(string method, string path, byte[] body, string? token = null) =>
        SendAsync(method, path, new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } }, token);

    public static string Text(ReadOnlySpan<byte> bytes) => Base64.EncodeUrl(bytes);

    public static byte[] Bytes(JsonNode? text) => Base64.TryDecodeUrl((string?)text, out byte[]? bytes) ? bytes : throw new FormatException();
}
