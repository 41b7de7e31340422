using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Inference.Tests;

/// <summary>A small hub of our own on loopback, that can be told to misbehave.</summary>
public sealed class ModelHubTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-hub-").FullName;
    private readonly Dictionary<string, byte[]> _files = new()
    {
        ["config.json"] = "{}"u8.ToArray(),
        ["tokenizer.json"] = "{\"model\":{}}"u8.ToArray(),
        ["README.md"] = "not needed"u8.ToArray(),
        ["onnx/model.onnx"] = new byte[2_000_000],
        ["onnx/model_quantized.onnx"] = RandomNumberGenerator.GetBytes(500_000),
        ["onnx/model_quantized.onnx_data"] = RandomNumberGenerator.GetBytes(300_000),
    };
    private readonly List<string> _asked = [];
    private WebApplication _app = null!;
    private int _cutAfter = int.MaxValue;
    private string? _wrong;
    private string _extra = "";
    private int _filesPerPage = 100;
    private Func<int, string> _next = page => $"<?recursive=true&page={page}>; rel=\"next\"";
    private Func<long, long, string> _range = (from, size) => $"bytes {from}-{size - 1}/{size}";

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/api/models/owner/model/tree/main", ListAsync);
        _app.MapGet("/owner/model/resolve/main/{**path}", ServeAsync);
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_is_needed_is_brought_and_checked()
    {
        var seen = new List<PullProgress>();
        await PullAsync(new Seen(seen));
        Assert.Equal(["config.json", "onnx/model_quantized.onnx", "onnx/model_quantized.onnx_data", "tokenizer.json"], Found());
        Assert.Equal(_files["onnx/model_quantized.onnx"], File.ReadAllBytes(Path.Combine(_folder, "onnx/model_quantized.onnx")));
        Assert.Equal(seen[^1].TotalBytes, seen[^1].Bytes);
        Assert.Equal(seen.Select(one => one.Bytes).Order(), seen.Select(one => one.Bytes));

        _asked.Clear();
        await PullAsync();
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task A_download_that_was_cut_off_goes_on_where_it_stopped()
    {
        _cutAfter = 200_000;
        await Assert.ThrowsAsync<ModelHubException>(() => PullAsync());
        long have = new FileInfo(Path.Combine(_folder, "onnx/model_quantized.onnx.partial")).Length;
        Assert.InRange(have, 1, 200_000);

        _cutAfter = int.MaxValue;
        _asked.Clear();
        await PullAsync();
        Assert.Contains($"onnx/model_quantized.onnx bytes={have}-", _asked);
        Assert.Equal(_files["onnx/model_quantized.onnx"], File.ReadAllBytes(Path.Combine(_folder, "onnx/model_quantized.onnx")));
        Assert.DoesNotContain(Found(), path => path.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("onnx/model_quantized.onnx")]
    [InlineData("tokenizer.json")]
    public async Task A_file_with_another_digest_is_refused_and_removed(string file)
    {
        _wrong = file;
        Assert.Contains("digest", (await Assert.ThrowsAsync<ModelHubException>(() => PullAsync())).Message);
        Assert.DoesNotContain(Found(), path => path.StartsWith(file, StringComparison.Ordinal));
        _wrong = null;
        await PullAsync();
        Assert.Contains(file, Found());
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("onnx/../../x")]
    [InlineData("/absolute")]
    [InlineData("what is this?.onnx")]
    [InlineData("")]
    public async Task An_odd_file_that_is_not_needed_is_left_where_it_is(string path)
    {
        _extra = $$""",{"type":"file","path":"{{path}}","size":1,"oid":"00"}""";
        await PullAsync();
        Assert.Equal(4, Found().Length);
        Assert.All(_asked, one => Assert.Contains(one, _files.Keys));
    }

    [Theory]
    [InlineData("""{"type":"file","path":"onnx/model_quantized.onnx/../../../x","size":1,"oid":"00"}""", "path")]
    [InlineData("""{"type":"file","path":"onnx/model_quantized.onnx_\u0000","size":1,"oid":"00"}""", "path")]
    [InlineData("""{"type":"file","path":"onnx/model_quantized.onnx_data_1","size":-1,"oid":"00"}""", "size")]
    [InlineData("""{"type":"file","path":"onnx/model_quantized.onnx_data_1","size":9223372036854775807,"oid":"00"}""", "size")]
    [InlineData("""{"type":"file","path":"config.json","size":2,"oid":"00"}""", "twice")]
    [InlineData("""{"type":"file"}""", "did not list")]
    [InlineData("""{"type":"file","path":null}""", "did not list")]
    public async Task A_listing_that_cannot_be_is_refused_in_a_sentence(string entry, string said)
    {
        _extra = "," + entry;
        Assert.Contains(said, (await Assert.ThrowsAsync<ModelHubException>(() => PullAsync())).Message);
        Assert.Empty(Found());
    }

    [Fact]
    public async Task A_listing_of_many_pages_is_read_to_its_end()
    {
        _filesPerPage = 1;
        await PullAsync();
        Assert.Equal(["config.json", "onnx/model_quantized.onnx", "onnx/model_quantized.onnx_data", "tokenizer.json"], Found());
    }

    [Theory]
    [InlineData("<?page=0>; rel=\"next\"", "too long")]
    [InlineData("<https://elsewhere.invalid/>; rel=\"next\"", "another address")]
    [InlineData("; rel=\"next\"", "too long")]
    public async Task Pages_without_end_and_elsewhere_are_refused(string link, string said)
    {
        (_filesPerPage, _next) = (1, _ => link);
        Assert.Contains(said, (await Assert.ThrowsAsync<ModelHubException>(() => PullAsync())).Message);
    }

    [Fact]
    public async Task A_listing_without_measure_is_refused()
    {
        _extra = new string(' ', 17 * 1024 * 1024);
        Assert.Contains("too long", (await Assert.ThrowsAsync<ModelHubException>(() => PullAsync())).Message);
    }

    [Theory]
    [InlineData("bytes 0-499999/500000")]
    [InlineData("bytes 199999-499999/500000")]
    [InlineData("bytes 200000-399999/500000")]
    [InlineData("bytes 200000-499999/500001")]
    [InlineData("lines 200000-499999/500000")]
    [InlineData("")]
    public async Task Another_part_than_was_asked_for_is_not_appended(string range)
    {
        string partial = Path.Combine(_folder, "onnx/model_quantized.onnx.partial");
        Directory.CreateDirectory(Path.GetDirectoryName(partial)!);
        File.WriteAllBytes(partial, _files["onnx/model_quantized.onnx"][..200_000]);
        _range = (_, _) => range;
        Assert.Contains("part", (await Assert.ThrowsAsync<ModelHubException>(() => PullAsync())).Message);
        Assert.Equal(200_000, new FileInfo(partial).Length);
    }

    [Theory]
    [InlineData("nobody/nothing")]
    [InlineData("model")]
    [InlineData("../model")]
    [InlineData("owner/mo del")]
    public async Task A_model_that_is_not_there_is_said_so(string name) =>
        await Assert.ThrowsAsync<ModelHubException>(() => new ModelHub(new HttpClient(), new Uri(_app.Urls.First())).PullAsync(name, _folder));

    private async Task PullAsync(IProgress<PullProgress>? progress = null)
    {
        using var http = new HttpClient();
        await new ModelHub(http, new Uri(_app.Urls.First())).PullAsync("owner/model", _folder, progress: progress);
    }

    private string[] Found() => [.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_folder, path)).Order(StringComparer.Ordinal)];

    private static string Describe(KeyValuePair<string, byte[]> file)
    {
#pragma warning disable CA5350 // git's object names
        string oid = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {file.Value.Length}\0"), .. file.Value]));
#pragma warning restore CA5350
        string lfs = file.Key.StartsWith("onnx/", StringComparison.Ordinal) ? $$""","lfs":{"oid":"{{Convert.ToHexStringLower(SHA256.HashData(file.Value))}}","size":{{file.Value.Length}}}""" : "";
        return $$"""{"type":"file","path":"{{file.Key}}","size":{{file.Value.Length}},"oid":"{{oid}}"{{lfs}}}""";
    }

    private async Task ListAsync(HttpContext context)
    {
        int page = int.TryParse(context.Request.Query["page"], out int asked) ? asked : 0;
        string[][] pages = [.. _files.Select(Describe).Chunk(_filesPerPage)];
        if (page + 1 < pages.Length)
        {
            context.Response.Headers.Link = _next(page + 1);
        }
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($"[{string.Join(',', pages[page])}{(page == 0 ? _extra : "")}]");
    }

    private async Task ServeAsync(HttpContext context, string path)
    {
        string range = context.Request.Headers.Range.ToString();
        _asked.Add($"{path} {range}".Trim());
        byte[] bytes = [.. _files[path]];
        if (path == _wrong)
        {
            bytes[^1] ^= 1;
        }
        int from = range.Length > 0 ? int.Parse(range.AsSpan("bytes=".Length).TrimEnd('-')) : 0;
        context.Response.StatusCode = range.Length > 0 ? 206 : 200;
        context.Response.ContentLength = bytes.Length - from;
        if (range.Length > 0)
        {
            context.Response.Headers.ContentRange = _range(from, bytes.Length);
        }
        if (bytes.Length - from <= _cutAfter)
        {
            await context.Response.Body.WriteAsync(bytes.AsMemory(from));
            return;
        }
        await context.Response.Body.WriteAsync(bytes.AsMemory(from, _cutAfter));
        await context.Response.Body.FlushAsync();
        context.Abort();
    }

    private sealed class Seen(List<PullProgress> seen) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => seen.Add(value);
    }
}
