using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Inference;

/// <summary>How far a download has come.</summary>
/// <param name="File">The file under way.</param>
/// <param name="Bytes">Bytes of the whole model that are on disk.</param>
/// <param name="TotalBytes">Bytes of the whole model.</param>
public readonly record struct PullProgress(string File, long Bytes, long TotalBytes);

/// <summary>The model cannot be had from the hub. The message is one sentence.</summary>
public sealed class ModelHubException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Downloads models from a hub that speaks Hugging Face's interface: what is needed to run an ONNX decoder, and nothing else.</summary>
/// <remarks>A file counts only when its digest is the hub's. One that was cut off goes on where it stopped.</remarks>
public sealed class ModelHub(HttpClient http, Uri address)
{
    private const string Partial = ".partial";

    // Ours to choose, smallest answer first: what a graph of each kind costs in memory and speed on a processor without accelerators.
    private static readonly string[] Graphs = ["model_quantized.onnx", "model_int8.onnx", "model_q4.onnx", "model.onnx", "model_fp16.onnx"];
    private static readonly string[] Files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

    /// <summary>Brings the model <paramref name="name"/> ("owner/name") into <paramref name="folder"/>.</summary>
    /// <param name="graph">Which graph of several, e.g. <c>model_q4.onnx</c>. Null: the first of those that suit a processor.</param>
    /// <exception cref="ModelHubException">There is no such model, it is no ONNX decoder, or a digest is wrong.</exception>
    public async Task PullAsync(string name, string folder, string? graph = null, IProgress<PullProgress>? progress = null, string revision = "main", CancellationToken cancellationToken = default)
    {
        if (name.Count(character => character == '/') != 1 || name.Split('/').Any(part => !IsPlain(part)) || !IsPlain(revision))
        {
            throw new ModelHubException($"'{name}' is not the name of a model: it should be owner/name.");
        }

        var wanted = Choose(await ListAsync(name, revision, cancellationToken).ConfigureAwait(false), name, graph);
        long total = wanted.Sum(file => file.Size), done = 0;
        foreach (var file in wanted)
        {
            string path = Path.Combine(folder, file.Path.Replace('/', Path.DirectorySeparatorChar));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            long before = done;
            await PullFileAsync(new Uri(address, $"{name}/resolve/{revision}/{file.Path}"), file, path,
                bytes => progress?.Report(new PullProgress(file.Path, before + bytes, total)), cancellationToken).ConfigureAwait(false);
            done += file.Size;
        }
    }

    private async Task<HubFile[]> ListAsync(string name, string revision, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(address, $"api/models/{name}/tree/{revision}?recursive=true"), cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized)
            {
                throw new ModelHubException($"The hub has no model {name}.");
            }
            response.EnsureSuccessStatusCode();
            byte[] json = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Deserialize(json, HubJson.Default.HubFileArray) ?? [];
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new ModelHubException($"The hub did not list the files of {name}.", e);
        }
    }

    private static List<HubFile> Choose(HubFile[] files, string name, string? graph)
    {
        // A path that leaves the folder is not a mistake that somebody makes.
        if (files.FirstOrDefault(file => file.Path.Split('/').Any(part => !IsPlain(part))) is { } odd)
        {
            throw new ModelHubException($"The hub lists a file with a path that is not allowed ({odd.Path.Length} characters).");
        }

        var byPath = files.Where(file => file.Type == "file").ToDictionary(file => file.Path);
        string? chosen = (graph is null ? Graphs : [graph]).SelectMany(one => new[] { $"onnx/{one}", one }).FirstOrDefault(byPath.ContainsKey);
        if (chosen is null || !byPath.ContainsKey("config.json") || !byPath.ContainsKey("tokenizer.json"))
        {
            throw new ModelHubException($"{name} is no ONNX decoder: it lacks {(chosen is null ? "a graph" : "config.json or tokenizer.json")}.");
        }
        return [.. Files.Where(byPath.ContainsKey).Select(path => byPath[path]), .. byPath.Values.Where(file => file.Path.StartsWith(chosen, StringComparison.Ordinal)).OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    private async Task PullFileAsync(Uri source, HubFile file, string path, Action<long> progress, CancellationToken cancellationToken)
    {
        if (File.Exists(path) && await HasDigestAsync(path, file, cancellationToken).ConfigureAwait(false))
        {
            progress(file.Size);
            return;
        }

        string partial = path + Partial;
        try
        {
            await DownloadAsync(source, file, partial, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new ModelHubException($"{file.Path} was cut off. Pull again to go on where it stopped.", e);
        }
        if (!await HasDigestAsync(partial, file, cancellationToken).ConfigureAwait(false))
        {
            File.Delete(partial);
            throw new ModelHubException($"{file.Path} is not what the hub says it is: its digest is another. It was removed.");
        }
        File.Move(partial, path, overwrite: true);
    }

    private async Task DownloadAsync(Uri source, HubFile file, string partial, Action<long> progress, CancellationToken cancellationToken)
    {
        long have = File.Exists(partial) ? new FileInfo(partial).Length : 0;
        if (have == file.Size)
        {
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        if (have > 0 && have < file.Size)
        {
            request.Headers.Range = new RangeHeaderValue(have, null);
        }
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        bool resumes = response.StatusCode is HttpStatusCode.PartialContent;
        have = resumes ? have : 0;

        await using var target = new FileStream(partial, resumes ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[128 * 1024];
        while (await ReceiveAsync(body, buffer, cancellationToken).ConfigureAwait(false) is > 0 and var length)
        {
            have += length;
            if (have > file.Size)
            {
                return; // longer than announced: the digest will say so
            }
            await target.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            progress(have);
        }
    }

    // A broken connection is the hub's; a full disk is ours, and keeps its own exception.
    private static async ValueTask<int> ReceiveAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, inner: e);
        }
    }

    // Large files carry their SHA-256; small ones the SHA-1 that git names them by, which is not collision-free and is all that the hub gives.
    private static async Task<bool> HasDigestAsync(string path, HubFile file, CancellationToken cancellationToken)
    {
        if (new FileInfo(path).Length != file.Size)
        {
            return false;
        }
        await using var stream = File.OpenRead(path);
        if (file.Lfs is { } lfs)
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false)) == lfs.Oid;
        }

#pragma warning disable CA5350 // git's object names
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {file.Size}\0"));
        var buffer = new byte[128 * 1024];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var length)
        {
            hash.AppendData(buffer, 0, length);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset()) == file.Oid;
    }

    private static bool IsPlain(string part) => part.Length is > 0 and < 128 && part is not ("." or "..") && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_');
}

internal sealed record HubFile
{
    public required string Type { get; init; }
    public required string Path { get; init; }
    public long Size { get; init; }
    public string Oid { get; init; } = "";
    public HubLargeFile? Lfs { get; init; }
}

internal sealed record HubLargeFile
{
    public required string Oid { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HubFile[]))]
internal sealed partial class HubJson : JsonSerializerContext;
