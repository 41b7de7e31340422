using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Verify;

/// <summary>A web app as it is served, file by file: once plainly and once compressed, because a browser takes the compressed ones.</summary>
internal sealed partial class WebDownload : IDisposable
{
    private const int MaxFileBytes = 64 * 1024 * 1024;
    private const string Start = "index.html";

    // What a browser asks for by itself, or an app like this one by habit.
    private static readonly string[] Usual = ["policy.json", "favicon.ico", "manifest.webmanifest", "service-worker.js", "service-worker-assets.js"];

    private readonly Uri _operator;
    private readonly HttpClient _plain;
    private readonly HttpClient _compressed;

    public WebDownload(Uri operatorAddress, TimeSpan patience)
    {
        _operator = operatorAddress;
        _plain = Open(DecompressionMethods.None, patience);
        _compressed = Open(DecompressionMethods.All, patience);
    }

    /// <summary>Each difference as a sentence: files that are missing, changed, or not in the entry.</summary>
    public async Task<List<string>> CompareAsync(ImmutableArray<Artifact> files, CancellationToken cancellation)
    {
        var differences = new List<string>();
        var known = files.ToDictionary(file => file.Name, file => file.Sha256);
        foreach (var file in files)
        {
            await CompareAsync(file.Name, file.Name, file.Sha256, differences, cancellation);
        }
        if (known.TryGetValue(Start, out string? start))
        {
            await CompareAsync("", "the page itself", start, differences, cancellation);
        }

        var page = await FetchAsync(_plain, "", cancellation);
        var named = References.Matches(Encoding.UTF8.GetString(page ?? [])).Select(match => match.Groups["path"].Value);
        foreach (string other in Usual.Concat(named).Distinct().Where(name => !known.ContainsKey(name)))
        {
            if (await FetchAsync(_plain, other, cancellation) is not null)
            {
                differences.Add($"{other} is served and was not published.");
            }
        }
        return differences;
    }

    public void Dispose()
    {
        _plain.Dispose();
        _compressed.Dispose();
    }

    private async Task CompareAsync(string path, string called, string digest, List<string> differences, CancellationToken cancellation)
    {
        string? found = null;
        foreach (var http in (HttpClient[])[_plain, _compressed])
        {
            byte[]? bytes = await FetchAsync(http, path, cancellation);
            found ??= bytes is null ? "is missing" : Hex.Encode(SHA256.HashData(bytes)) != digest ? "is another file than the published one" : null;
        }
        if (found is not null)
        {
            differences.Add($"{called} {found}.");
        }
    }

    // Null where it is not there, or too long to be a file of an app.
    private async Task<byte[]?> FetchAsync(HttpClient http, string path, CancellationToken cancellation)
    {
        var address = new Uri(_operator, string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));
        using var response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            return null;
        }
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            if (bytes.Length + read > MaxFileBytes)
            {
                return null;
            }
            bytes.Write(buffer, 0, read);
        }
        return bytes.ToArray();
    }

    private static HttpClient Open(DecompressionMethods methods, TimeSpan patience) =>
        new(new SocketsHttpHandler { AutomaticDecompression = methods, AllowAutoRedirect = false }) { Timeout = patience };

    // Files that the page names, of this host.
    [GeneratedRegex("""(?:src|href)="(?:\./|/)?(?<path>[A-Za-z0-9_][^":#?]*)["#?]""")]
    private static partial Regex References { get; }
}
