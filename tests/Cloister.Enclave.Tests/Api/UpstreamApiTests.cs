using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Enclave.Engines;
using Microsoft.AspNetCore.Http;

namespace Cloister.Enclave.Tests.Api;

public class UpstreamApiTests
{
    // White space, order, escapes, numbers and fields that no version of ours knows.
    private const string Odd = """{ "model":"m" , "tools":[{"type":"function"}], "n":2,"x":1.0e+2,"é":"\u00e9\/","logprobs":true, "messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}] }""";

    [Fact]
    public async Task A_request_and_its_answer_pass_byte_for_byte()
    {
        await using var upstream = await Upstream.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            context.Response.StatusCode = 207;
            context.Response.Headers["X-Custom"] = new[] { "one", "two" };
            context.Response.ContentType = "application/json";
            await context.Response.Body.WriteAsync(body.ToArray());
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);

        using var response = await api.Client.PostAsync("/v1/chat/completions?a=b%20c&d", new StringContent(Odd, Encoding.UTF8, "application/json"));

        Assert.Equal(207, (int)response.StatusCode);
        Assert.Equal(Odd, await response.Content.ReadAsStringAsync());
        Assert.Equal(["one", "two"], response.Headers.GetValues("X-Custom"));
        Assert.Equal("/v1/chat/completions?a=b%20c&d", upstream.Target);
    }

    [Fact]
    public async Task Fields_of_one_hop_stay_behind_and_nothing_is_added()
    {
        await using var upstream = await Upstream.StartAsync(context =>
        {
            context.Response.Headers["X-Hop"] = "x";
            context.Response.Headers.Connection = "X-Hop";
            return context.Response.WriteAsync("ok");
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent("{}") };
        request.Headers.Add("Authorization", "Bearer k");
        request.Headers.Add("X-Stainless-Lang", "js");
        request.Headers.Add("Cloister-Request", "AAAAAAAAAAAAAAAAAAAAAA");
        request.Headers.Add("Connection", "X-Mine");
        request.Headers.Add("X-Mine", "x");

        using var response = await api.Client.SendAsync(request);

        Assert.Equal(["Authorization", "Content-Length", "Content-Type", "Host", "X-Stainless-Lang"], upstream.Fields.Keys.Order());
        Assert.Equal(upstream.Address.Authority, upstream.Fields["Host"]);
        Assert.False(response.Headers.Contains("X-Hop"));
    }

    [Fact]
    public async Task Each_chunk_of_a_stream_is_passed_on_when_it_comes()
    {
        var read = new SemaphoreSlim(1);
        await using var upstream = await Upstream.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            foreach (string chunk in new[] { "data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n" })
            {
                await read.WaitAsync(context.RequestAborted);
                await context.Response.WriteAsync(chunk);
                await context.Response.Body.FlushAsync();
            }
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Odd) };
        using var response = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());

        foreach (string expected in new[] { "data: 1", "data: 2", "data: [DONE]" })
        {
            Assert.Equal(expected, await lines.ReadLineAsync());
            Assert.Equal("", await lines.ReadLineAsync());
            read.Release();
        }
        Assert.Null(await lines.ReadLineAsync());
    }

    [Fact]
    public async Task A_client_that_leaves_stops_the_upstream()
    {
        var stopped = new TaskCompletionSource();
        await using var upstream = await Upstream.StartAsync(async context =>
        {
            context.RequestAborted.Register(stopped.SetResult);
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);

        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Odd) })
        using (var response = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await stopped.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_upstream_that_breaks_off_breaks_the_answer_off()
    {
        var read = new SemaphoreSlim(0);
        await using var upstream = await Upstream.StartAsync(async context =>
        {
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await read.WaitAsync(TestContext.Current.CancellationToken);
            context.Abort();
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Odd) };
        using var response = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();

        Assert.True(await body.ReadAsync(new byte[100]) > 0);
        read.Release();
        await Assert.ThrowsAnyAsync<IOException>(async () => Assert.Equal(0, await body.ReadAsync(new byte[100])));
    }

    [Fact]
    public async Task An_unreachable_upstream_is_one_clear_sentence()
    {
        await using var api = await ApiOnKestrel.StartAsync(new UpstreamEngine(FreeAddress(), ApiOnKestrel.Limits));

        using var response = await api.Client.PostAsync("/v1/chat/completions", new StringContent(Odd));

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("The model's server inside the enclave does not answer.", JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_redirect_is_handed_back_and_a_cookie_is_not_kept()
    {
        await using var upstream = await Upstream.StartAsync(context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "http://192.0.2.1/";
            context.Response.Headers.SetCookie = "a=b";
            return Task.CompletedTask;
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);
        using var direct = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = api.Client.BaseAddress };

        foreach (int _ in Enumerable.Range(0, 2))
        {
            using var response = await direct.PostAsync("/v1/chat/completions", new StringContent(Odd));
            Assert.Equal(HttpStatusCode.TemporaryRedirect, response.StatusCode);
        }
        Assert.DoesNotContain("Cookie", upstream.Fields.Keys);
    }

    [Theory]
    [InlineData("/v1/load_lora_adapter")]
    [InlineData("/slots")]
    [InlineData("/v1/chat/../../slots")]
    public async Task Only_the_apis_paths_reach_the_upstream(string path)
    {
        await using var upstream = await Upstream.StartAsync(context => context.Response.WriteAsync("reached"));
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);
        using var response = await api.Client.PostAsync(path, new StringContent("{}"));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Null(upstream.Target);
    }

    [Fact]
    public async Task A_request_beyond_the_limit_does_not_pass()
    {
        await using var upstream = await Upstream.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.WriteAsync("reached");
        });
        await using var api = await ApiOnKestrel.StartAsync(upstream.Engine);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(new string('x', ApiOnKestrel.Limits.RequestBytes + 1)) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await api.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Theory]
    [InlineData("http://192.0.2.1:8000")]
    [InlineData("https://127.0.0.1:8000")]
    [InlineData("http://example.org")]
    public void An_upstream_outside_of_the_enclave_is_a_misuse(string address) =>
        Assert.Throws<ArgumentException>(() => new UpstreamEngine(new Uri(address), ApiOnKestrel.Limits));

    private static Uri FreeAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return new Uri($"http://{socket.LocalEndPoint}");
    }
}
