using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Inference;

/// <summary>A hub's list of the files of one model, over as many pages as it takes.</summary>
internal sealed class HubListing(HttpClient http, Uri address)
{
    // Ours to choose: far beyond any repository of a model, and small enough to hold.
    private const int MaxListingBytes = 16 * 1024 * 1024;
    private const int MaxPages = 100;

    /// <exception cref="ModelHubException">There is no such model, or its list is malformed, too long, or goes on elsewhere.</exception>
    public async Task<List<HubFile>> ReadAsync(string name, string revision, CancellationToken cancellationToken)
    {
        var files = new List<HubFile>();
        int left = MaxListingBytes;
        Uri? page = new(address, $"api/models/{name}/tree/{revision}?recursive=true");
        try
        {
            for (int pages = 0; page is not null; pages++)
            {
                using var response = await http.GetAsync(page, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
                if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized)
                {
                    throw new ModelHubException($"The hub has no model {name}.");
                }
                response.EnsureSuccessStatusCode();
                byte[] json = await ReadBoundedAsync(response.Content, left, cancellationToken).ConfigureAwait(false) ?? throw TooLong();
                left -= json.Length;
                files.AddRange((JsonSerializer.Deserialize(json, HubJson.Default.HubFileArray) ?? []).OfType<HubFile>());
                page = NextPage(response, page);
                if (page is not null && pages + 1 == MaxPages)
                {
                    throw TooLong();
                }
            }
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new ModelHubException($"The hub did not list the files of {name}.", e);
        }
        return files;

        ModelHubException TooLong() => new($"The hub's list of the files of {name} is too long.");
    }

    // RFC 8288: <address>; rel="next". Only the hub itself is asked for more.
    private Uri? NextPage(HttpResponseMessage response, Uri page)
    {
        string? link = response.Headers.TryGetValues("Link", out var links) ? links.SelectMany(one => one.Split(',')).FirstOrDefault(one => one.Contains("rel=\"next\"", StringComparison.Ordinal)) : null;
        if (link is null)
        {
            return null;
        }
        int from = link.IndexOf('<', StringComparison.Ordinal), to = link.IndexOf('>', StringComparison.Ordinal);
        bool isAddress = Uri.TryCreate(page, from >= 0 && to > from ? link[(from + 1)..to] : "", out var next);
        return isAddress && Uri.Compare(next, address, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0
            ? next
            : throw new ModelHubException("The hub's list of files goes on at another address, which is not asked.");
    }

    private static async Task<byte[]?> ReadBoundedAsync(HttpContent content, int limit, CancellationToken cancellationToken)
    {
        await using var body = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var whole = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await ModelHub.ReceiveAsync(body, buffer, cancellationToken).ConfigureAwait(false) is > 0 and var length)
        {
            if (whole.Length + length > limit)
            {
                return null;
            }
            whole.Write(buffer, 0, length);
        }
        return whole.ToArray();
    }
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

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(HubFile[]))]
internal sealed partial class HubJson : JsonSerializerContext;
