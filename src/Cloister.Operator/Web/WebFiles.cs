using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Cloister.Wire;

namespace Cloister.Operator;

/// <summary>The web app's files: the paths that were there at the start, and no others.</summary>
/// <remarks>A request's path is only ever looked up in this list, so none can lead out of the folder.</remarks>
internal sealed partial class WebFiles
{
    private readonly FrozenDictionary<string, WebFile> _byPath;

    private WebFiles(IEnumerable<WebFile> files) => _byPath = files.ToFrozenDictionary(file => file.Path, StringComparer.Ordinal);

    public WebFile? Find(string path) => _byPath.GetValueOrDefault(path is "/" ? "/index.html" : path);

    /// <param name="root">The published folder; null for none.</param>
    /// <param name="policy">What is served as <c>/policy.json</c> in place of the folder's own; null for the folder's.</param>
    public static WebFiles Load(string? root, string? policy)
    {
        var files = root is null ? [] : Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => !IsEncoded(file))
            .Select(file => Describe($"/{Path.GetRelativePath(root, file).Replace('\\', '/')}", Path.GetFullPath(file)))
            .Where(file => policy is null || file.Path != PolicyPath);
        return new WebFiles(policy is null ? files : files.Append(Describe(PolicyPath, Path.GetFullPath(policy))));
    }

    private const string PolicyPath = "/policy.json";

    private static WebFile Describe(string path, string file) => new(
        path,
        file,
        Brotli: Existing(file + ".br"),
        Gzip: Existing(file + ".gz"),
        ContentTypes.GetValueOrDefault(Path.GetExtension(file), "application/octet-stream"),
        EntityTag: Base64.EncodeUrl(SHA256.HashData(File.ReadAllBytes(file)).AsSpan(0, 16)),
        IsImmutable: Fingerprinted.IsMatch(path));

    private static string? Existing(string encoded) => File.Exists(encoded) ? encoded : null;

    private static bool IsEncoded(string file) => file.EndsWith(".br", StringComparison.Ordinal) || file.EndsWith(".gz", StringComparison.Ordinal);

    // The build puts ten characters of a hash of the content before the extension.
    [GeneratedRegex(@"\.[a-z0-9]{10}\.[a-z]+$")]
    private static partial Regex Fingerprinted { get; }

    private static readonly FrozenDictionary<string, string> ContentTypes = new Dictionary<string, string>
    {
        [".css"] = "text/css; charset=utf-8",
        [".html"] = "text/html; charset=utf-8",
        [".ico"] = "image/x-icon",
        [".js"] = "text/javascript; charset=utf-8",
        [".json"] = "application/json",
        [".png"] = "image/png",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
        [".wasm"] = "application/wasm",
        [".webmanifest"] = "application/manifest+json",
        [".woff2"] = "font/woff2",
    }.ToFrozenDictionary();
}

/// <summary>One file of the web app.</summary>
/// <param name="Path">As it is asked for, from the root.</param>
/// <param name="File">Where its bytes are; <paramref name="Brotli"/> and <paramref name="Gzip"/>: where they are encoded, if they are.</param>
/// <param name="IsImmutable">The name changes when the content does.</param>
internal sealed record WebFile(string Path, string File, string? Brotli, string? Gzip, string ContentType, string EntityTag, bool IsImmutable);
