using System.Net;

namespace Cloister.Client.Tests.Accounts;

/// <summary>The network between a device and its operator, in the hands of the test.</summary>
internal sealed class Wire() : DelegatingHandler(new SocketsHttpHandler())
{
    /// <summary>Called before a request leaves; what it throws is the network's fault.</summary>
    public Action<HttpRequestMessage>? Before { get; set; }

    /// <summary>Called with an answer before the device has it; what it throws loses the answer.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage, Task<HttpResponseMessage>>? After { get; set; }

    /// <summary>Methods and paths, without the beginning that all have, in order.</summary>
    public List<string> Requests { get; } = [];

    public static bool Is(HttpRequestMessage request, string method, string path) => request.Method.Method == method && PathOf(request).StartsWith(path, StringComparison.Ordinal);

    /// <summary>Answers JSON in place of what came.</summary>
    public static async Task<HttpResponseMessage> ChangeAsync(HttpResponseMessage response, Func<string, string> change)
    {
        string text = await response.Content.ReadAsStringAsync();
        return new HttpResponseMessage(response.StatusCode) { Content = new StringContent(change(text), System.Text.Encoding.UTF8, "application/json") };
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Before?.Invoke(request);
        lock (Requests)
        {
            Requests.Add($"{request.Method} {PathOf(request)}");
        }
        var response = await base.SendAsync(request, cancellationToken);
        return After is null ? response : await After(request, response);
    }

    private static string PathOf(HttpRequestMessage request) => request.RequestUri!.AbsolutePath["/cloister/v1/".Length..];
}

/// <summary>An operator that says one thing whatever it is asked.</summary>
internal sealed class Parrot(HttpStatusCode status, string body, Action<HttpResponseMessage>? more = null) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = new HttpResponseMessage(status) { Content = new StringContent(body) };
        more?.Invoke(response);
        return Task.FromResult(response);
    }
}
