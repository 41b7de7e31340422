using System.Collections.Concurrent;
using Cloister.Log.Storage;
using Cloister.Transparency;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Log.Tests;

/// <summary>Tiles in a bucket: a neighbour that speaks as much S3 as the log does, and checks every signature.</summary>
public class BucketTests
{
    // The published example of AWS Signature Version 4 for S3: GET Object.
    [Fact]
    public void The_signature_is_the_published_one()
    {
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = "examplebucket.s3.amazonaws.com",
            ["range"] = "bytes=0-9",
            ["x-amz-content-sha256"] = S3Signature.Digest([]),
            ["x-amz-date"] = "20130524T000000Z",
        };
        string authorization = S3Signature.Authorization("GET", "/test.txt", headers, "us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", authorization);
    }

    [Fact]
    public async Task A_log_in_a_bucket_is_the_same_log()
    {
        await using var town = await Town.BuildAsync(1);
        await using var s3 = await S3Neighbour.OpenAsync(town.Folder);
        var options = town.Options() with { Bucket = s3.Options };
        await using (var log = await town.OpenLogAsync(options))
        {
            await Task.WhenAll(Enumerable.Range(0, 300).Select(i => log.AddAsync($"entry {i}")));
        }
        s3.FaultsToCome = 5; // storage that stumbles is waited out
        await using var again = await town.OpenLogAsync(options);
        await again.AddAsync("one more");
        Assert.Equal(301, (await again.EntriesAsync()).Distinct().Count());
        Assert.Equal("public, max-age=31536000, immutable", s3.Objects["logs/tile/0/000"].CacheControl);
        Assert.Equal("no-cache", s3.Objects["logs/checkpoint"].CacheControl);
        Assert.Equal(0, s3.Overwritten);
    }

    [Fact]
    public async Task A_tile_with_other_bytes_and_a_checkpoint_of_somebody_else_stop_the_log()
    {
        await using var town = await Town.BuildAsync(1);
        await using var s3 = await S3Neighbour.OpenAsync(town.Folder);
        using var bucket = new Bucket(s3.Options, TimeProvider.System);
        using var store = new TileBucket(bucket);
        var tile = new TilePath(0, 0, 1);
        await store.WriteAsync([new(tile, [1])], CancellationToken.None);
        await store.WriteAsync([new(tile, [1])], CancellationToken.None);
        Assert.Equal(LogFault.TileDiffers, (await Assert.ThrowsAsync<LogStoppedException>(() => store.WriteAsync([new(tile, [2])], CancellationToken.None))).Fault);
        await store.PublishAsync([1], CancellationToken.None);
        await store.PublishAsync([2], CancellationToken.None);

        using var other = new TileBucket(bucket);
        Assert.Equal(LogFault.RecordMoved, (await Assert.ThrowsAsync<LogStoppedException>(() => other.PublishAsync([3], CancellationToken.None))).Fault);
        Assert.Equal([2], await other.ReadCheckpointAsync(CancellationToken.None));
        await other.PublishAsync([3], CancellationToken.None);
        Assert.Equal(LogFault.RecordMoved, (await Assert.ThrowsAsync<LogStoppedException>(() => store.PublishAsync([4], CancellationToken.None))).Fault);
    }

    [Fact]
    public async Task Another_secret_gets_nothing_done()
    {
        await using var town = await Town.BuildAsync(1);
        await using var s3 = await S3Neighbour.OpenAsync(town.Folder);
        await File.WriteAllTextAsync(s3.Options.Credentials, $"{S3Neighbour.KeyId}\nanother\n");
        using var bucket = new Bucket(s3.Options, TimeProvider.System);
        using var store = new TileBucket(bucket);
        await Assert.ThrowsAsync<IOException>(() => store.PublishAsync([1], CancellationToken.None));
    }
}

/// <summary>PUT, GET, If-Match and If-None-Match, in memory, for requests that are signed.</summary>
internal sealed class S3Neighbour : IAsyncDisposable
{
    public const string KeyId = "neighbour";
    private const string Secret = "a secret of the neighbour";
    private const string Bucket = "tiles";

    private readonly WebApplication _program;
    private readonly string _folder;
    private int _faults;

    private S3Neighbour(WebApplication program, string folder) => (_program, _folder) = (program, folder);

    public ConcurrentDictionary<string, (byte[] Bytes, string Tag, string CacheControl)> Objects { get; } = new();

    /// <summary>Tiles that got other bytes.</summary>
    public int Overwritten { get; private set; }

    public int FaultsToCome { set => _faults = value; }

    public BucketOptions Options => new() { Endpoint = _program.Urls.Single(), Region = "here-1", Name = Bucket, Prefix = "logs/", Credentials = Path.Combine(_folder, "s3") };

    public static async Task<S3Neighbour> OpenAsync(string folder)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "s3"), $"{KeyId}\n{Secret}\n");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var program = builder.Build();
        program.Urls.Add("http://127.0.0.1:0");
        var s3 = new S3Neighbour(program, folder);
        program.Map($"/{Bucket}/{{**name}}", s3.AnswerAsync);
        await program.StartAsync();
        return s3;
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, string name)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        byte[] bytes = body.ToArray();
        if (Interlocked.Decrement(ref _faults) >= 0)
        {
            context.Response.StatusCode = 503;
        }
        else if (!IsSigned(context.Request, bytes))
        {
            context.Response.StatusCode = 403;
        }
        else if (context.Request.Method == "GET")
        {
            await ShowAsync(context, name);
        }
        else
        {
            Put(context, name, bytes);
        }
    }

    private async Task ShowAsync(HttpContext context, string name)
    {
        if (!Objects.TryGetValue(name, out var found))
        {
            context.Response.StatusCode = 404;
            return;
        }
        context.Response.Headers.ETag = found.Tag;
        await context.Response.Body.WriteAsync(found.Bytes);
    }

    private void Put(HttpContext context, string name, byte[] bytes)
    {
        lock (Objects)
        {
            bool there = Objects.TryGetValue(name, out var before);
            var headers = context.Request.Headers;
            if ((headers.IfNoneMatch == "*" && there) || (headers.IfMatch.Count > 0 && headers.IfMatch != before.Tag))
            {
                context.Response.StatusCode = 412;
                return;
            }
            Overwritten += there && !name.EndsWith("checkpoint", StringComparison.Ordinal) ? 1 : 0;
            string tag = $"\"{S3Signature.Digest(bytes)}\"";
            Objects[name] = (bytes, tag, headers.CacheControl.ToString());
            context.Response.Headers.ETag = tag;
        }
    }

    private static bool IsSigned(HttpRequest request, byte[] body)
    {
        var now = DateTimeOffset.ParseExact(request.Headers["x-amz-date"].ToString(), "yyyyMMdd'T'HHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal);
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = request.Host.ToString(),
            ["x-amz-content-sha256"] = S3Signature.Digest(body),
            ["x-amz-date"] = request.Headers["x-amz-date"].ToString(),
        };
        return request.Headers.Authorization == S3Signature.Authorization(request.Method, request.Path, headers, "here-1", KeyId, Secret, now);
    }
}
