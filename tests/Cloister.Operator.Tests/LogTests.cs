using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Operator.Tests;

/// <summary>The log's tiles, handed on as they are; nothing else of the log is reached, nor anything beside it.</summary>
public sealed class LogTests : IAsyncLifetime
{
    private readonly List<string> _asked = [];
    private WebApplication _log = null!;
    private RunningOperator _operator = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _log = builder.Build();
        _log.Map("/{**path}", async (HttpContext context, string path) =>
        {
            lock (_asked)
            {
                _asked.Add(path);
            }
            if (path is "tile/0/000" or "tile/0/x001/234.p/5")
            {
                await context.Response.Body.WriteAsync(new byte[path.EndsWith("/5", StringComparison.Ordinal) ? 5 * 32 : 256 * 32]);
            }
            else if (path == "tile/1/000")
            {
                await context.Response.Body.WriteAsync(new byte[256 * 32 + 1]);
            }
            else
            {
                context.Response.StatusCode = 404;
            }
        });
        await _log.StartAsync();
        _operator = await RunningOperator.StartAsync(RunningOperator.Options(("one", "127.0.0.1:1")) with { Log = $"{_log.Urls.Single()}/" });
    }

    public async ValueTask DisposeAsync()
    {
        await _operator.DisposeAsync();
        await _log.DisposeAsync();
    }

    private Task<HttpResponseMessage> GetAsync(string path) => _operator.Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    [Theory]
    [InlineData("tile/0/000", 8192)]
    [InlineData("tile/0/x001/234.p/5", 160)]
    public async Task A_tile_is_handed_on_and_may_be_kept(string path, int length)
    {
        using var answer = await GetAsync($"/cloister/v1/log/{path}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(length, (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length);
        Assert.Contains("immutable", $"{answer.Headers.CacheControl}");
    }

    [Theory]
    [InlineData("tile/0/001", HttpStatusCode.NotFound, true)]
    [InlineData("tile/1/000", HttpStatusCode.BadGateway, true)]
    [InlineData("tile/64/000", HttpStatusCode.NotFound, false)]
    [InlineData("tile/entries/000", HttpStatusCode.NotFound, false)]
    [InlineData("checkpoint", HttpStatusCode.NotFound, false)]
    [InlineData("tile/0/%2e%2e/%2e%2e/checkpoint", HttpStatusCode.NotFound, false)]
    [InlineData("tile/0/000?x=http://example.org", HttpStatusCode.OK, true)]
    public async Task Nothing_else_is_reached(string path, HttpStatusCode status, bool asked)
    {
        using var answer = await GetAsync($"/cloister/v1/log/{path}");
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(asked ? 1 : 0, _asked.Count);
        Assert.All(_asked, path => Assert.StartsWith("tile/", path));
    }

    [Fact]
    public async Task A_log_that_does_not_answer_is_said_so()
    {
        await _log.StopAsync(TestContext.Current.CancellationToken);
        using var answer = await GetAsync("/cloister/v1/log/tile/0/000");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    [Theory]
    [InlineData("http://example.org/")]
    [InlineData("https://example.org/log")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("log")]
    public void The_logs_address_is_one_that_cannot_be_listened_to(string address) =>
        Assert.Contains((RunningOperator.Options(("one", "127.0.0.1:1")) with { Log = address }).Faults(), fault => fault.StartsWith("log:", StringComparison.Ordinal));
}
