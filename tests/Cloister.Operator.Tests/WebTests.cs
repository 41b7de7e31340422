using System.IO.Compression;
using System.Net;
using System.Text;

namespace Cloister.Operator.Tests;

public sealed class WebTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("operator-web-").FullName;

    public WebTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "root", "_framework"));
        Put("root/index.html", "<!doctype html><p>hello");
        Put("root/_framework/app.abc123def4.wasm", "wasm");
        Put("root/_framework/app.js", "script");
        Put("root/policy.json", "{}");
        Put("outside.txt", "outside");
        using var brotli = new BrotliStream(File.Create(Path.Combine(_folder, "root/_framework/app.js.br")), CompressionLevel.Fastest);
        brotli.Write("script"u8);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("/")]
    [InlineData("/nothing")]
    [InlineData("/cloister/v1/enclaves/one/channel")]
    public async Task Every_answer_tells_the_browser_the_rules(string path)
    {
        await using var program = await StartAsync();
        var headers = (await program.Http.GetAsync(path)).Headers;
        string policy = Assert.Single(headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-inline", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("'unsafe-eval'", policy, StringComparison.Ordinal);
        Assert.Equal("same-origin", Assert.Single(headers.GetValues("Cross-Origin-Opener-Policy")));
        Assert.Equal("require-corp", Assert.Single(headers.GetValues("Cross-Origin-Embedder-Policy")));
        Assert.Equal("same-origin", Assert.Single(headers.GetValues("Cross-Origin-Resource-Policy")));
        Assert.Equal("no-referrer", Assert.Single(headers.GetValues("Referrer-Policy")));
        Assert.Equal("nosniff", Assert.Single(headers.GetValues("X-Content-Type-Options")));
        Assert.Contains("camera=()", Assert.Single(headers.GetValues("Permissions-Policy")), StringComparison.Ordinal);
        Assert.False(headers.Contains("Server"));
    }

    [Fact]
    public async Task The_page_is_checked_each_time_and_fingerprinted_files_are_kept()
    {
        await using var program = await StartAsync();
        var page = await program.Http.GetAsync("/");
        Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType?.ToString());
        Assert.Equal("no-cache", page.Headers.CacheControl?.ToString());
        Assert.Equal("<!doctype html><p>hello", await page.Content.ReadAsStringAsync());

        using var again = new HttpRequestMessage(HttpMethod.Get, "/");
        again.Headers.IfNoneMatch.Add(page.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await program.Http.SendAsync(again)).StatusCode);

        var kept = await program.Http.GetAsync("/_framework/app.abc123def4.wasm");
        Assert.Equal("application/wasm", kept.Content.Headers.ContentType?.ToString());
        Assert.Contains("immutable", kept.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("br", "br")]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("br;q=0", null)]
    [InlineData("gzip", null)]
    [InlineData("", null)]
    public async Task What_was_compressed_beforehand_is_sent_so(string accepted, string? encoding)
    {
        await using var program = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/_framework/app.js");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        var response = await program.Http.SendAsync(request);
        Assert.Equal("text/javascript; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(encoding is null ? [] : [encoding], response.Content.Headers.ContentEncoding);
        Assert.Equal("Accept-Encoding", response.Headers.Vary.ToString());

        Stream body = await response.Content.ReadAsStreamAsync();
        using var reader = new StreamReader(encoding is null ? body : new BrotliStream(body, CompressionMode.Decompress));
        Assert.Equal("script", await reader.ReadToEndAsync());
    }

    [Theory]
    [InlineData("/../outside.txt")]
    [InlineData("/%2e%2e/outside.txt")]
    [InlineData("/..%2foutside.txt")]
    [InlineData("/_framework/..%5c..%5coutside.txt")]
    [InlineData("//etc/passwd")]
    [InlineData("/_framework/app.js.br")]
    [InlineData("/_framework/")]
    [InlineData("/index.html%00")]
    public async Task Only_the_listed_files_are_there(string path)
    {
        await using var program = await StartAsync();
        using var client = new System.Net.Sockets.TcpClient(program.Address.Host, program.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {program.Address.Authority}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream());
        string answer = await reader.ReadToEndAsync();
        Assert.Matches("^HTTP/1.1 (404|400) ", answer);
        Assert.DoesNotContain("outside", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_given_policy_stands_in_for_the_folders_own()
    {
        string policy = Put("given.json", """{"given":true}""");
        await using var program = await RunningOperator.StartAsync(Options() with { Policy = policy });
        var response = await program.Http.GetAsync("/policy.json");
        Assert.Equal("""{"given":true}""", await response.Content.ReadAsStringAsync());
        Assert.Equal("no-cache", response.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task Nothing_is_taken_in()
    {
        await using var program = await StartAsync();
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await program.Http.PostAsync("/", new StringContent("text"))).StatusCode);
    }

    private Task<RunningOperator> StartAsync() => RunningOperator.StartAsync(Options());

    private OperatorOptions Options() => RunningOperator.Options(("one", "127.0.0.1:1")) with { WebRoot = Path.Combine(_folder, "root") };

    private string Put(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
