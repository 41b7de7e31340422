using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Inference;

/// <summary>How far a download has come.</summary>
/// <param name="File">The file under way.</param>
/// <param name="Bytes">Bytes of the whole model that are on disk.</param>
/// <param name="TotalBytes">Bytes of the whole model.</param>
public readonly record struct PullProgress(string File, long Bytes, long TotalBytes);

/// <summary>The model cannot be had from the hub. The message is one sentence.</summary>
public sealed class ModelHubException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Downloads models from a hub that speaks Hugging Face's interface: what is needed to run an ONNX model, and nothing else.</summary>
/// <remarks>A file counts only when its digest is the hub's. One that was cut off goes on where it stopped.</remarks>
public sealed class ModelHub(HttpClient http, Uri address)
{
    private const string Partial = ".partial";

    // Ours to choose, smallest answer first: what a graph of each kind costs in memory and speed on a processor without accelerators.
    private static readonly string[] Graphs = ["model_quantized.onnx", "model_int8.onnx", "model_q4.onnx", "model.onnx", "model_fp16.onnx"];
    private static readonly string[] Files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "1_Pooling/config.json"];

    // Ours to choose: far beyond any model, and no sum of them overflows.
    private const long MaxFileBytes = 1L << 40;

    /// <summary>Brings the model <paramref name="name"/> ("owner/name") into <paramref name="folder"/>.</summary>
    /// <param name="graph">Which graph of several, e.g. <c>model_q4.onnx</c>. Null: the first of those that suit a processor.</param>
    /// <exception cref="ModelHubException">There is no such model, it is no ONNX model, the hub's answers contradict each other, or a digest is wrong.</exception>
    public async Task PullAsync(string name, string folder, string? graph = null, IProgress<PullProgress>? progress = null, string revision = "main", CancellationToken cancellationToken = default)
    {
        if (name.Count(character => character == '/') != 1 || name.Split('/').Any(part => !IsPlain(part)) || !IsPlain(revision))
        {
            throw new ModelHubException($"'{name}' is not the name of a model: it should be owner/name.");
        }

        var wanted = Choose(await new HubListing(http, address).ReadAsync(name, revision, cancellationToken).ConfigureAwait(false), name, graph);
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

    private static List<HubFile> Choose(List<HubFile> listed, string name, string? graph)
    {
        var byPath = new Dictionary<string, HubFile>();
        foreach (var file in listed.Where(file => file.Type == "file"))
        {
            if (!byPath.TryAdd(file.Path, file))
            {
                throw new ModelHubException($"The hub lists a file of {name} twice.");
            }
        }

        string? chosen = (graph is null ? Graphs : [graph]).SelectMany(one => new[] { $"onnx/{one}", one }).FirstOrDefault(byPath.ContainsKey);
        if (chosen is null || !byPath.ContainsKey("config.json") || !byPath.ContainsKey("tokenizer.json"))
        {
            throw new ModelHubException($"{name} is no ONNX model: it lacks {(chosen is null ? "a graph" : "config.json or tokenizer.json")}.");
        }

        // Whatever else is listed, under whatever name, is not our matter. What is needed has a plain name and a size that can be.
        HubFile[] wanted = [.. byPath.Values.Where(file => Files.Contains(file.Path) || file.Path.StartsWith(chosen, StringComparison.Ordinal))];
        if (wanted.FirstOrDefault(file => file.Path.Split('/').Any(part => !IsPlain(part))) is { } odd)
        {
            throw new ModelHubException($"The hub lists a file of the graph with a path that is not allowed ({odd.Path.Length} characters).");
        }
        if (wanted.FirstOrDefault(file => file.Size is < 0 or > MaxFileBytes) is { } impossible)
        {
            throw new ModelHubException($"The hub lists {impossible.Path} with a size that cannot be.");
        }

        // The small ones first: where one of them is missing or wrong, nobody waits for the large ones.
        return [.. wanted.OrderBy(file => file.Path.StartsWith(chosen, StringComparison.Ordinal)).ThenBy(file => file.Path, StringComparer.Ordinal)];
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
        if (resumes && (request.Headers.Range is null || !IsRest(response.Content.Headers.ContentRange, have, file.Size)))
        {
            throw new ModelHubException($"The hub sends another part of {file.Path} than was asked for.");
        }
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

    private static bool IsRest(ContentRangeHeaderValue? range, long from, long size) =>
        range is { Unit: "bytes" } && range.From == from && range.To == size - 1 && (range.Length ?? size) == size;

    // A broken connection is the hub's; a full disk is ours, and keeps its own exception.
    internal static async ValueTask<int> ReceiveAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
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
