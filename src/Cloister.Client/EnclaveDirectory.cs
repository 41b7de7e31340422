using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Client;

/// <summary>One enclave as the operator lists it. The bundle comes from the adversary: it is only bytes until it is appraised.</summary>
public sealed record ListedEnclave(string Name, ReadOnlyMemory<byte> Bundle);

/// <summary>The operator's list of enclaves.</summary>
public static class EnclaveDirectory
{
    /// <summary>Relative to the operator's address.</summary>
    public const string Path = "cloister/v1/enclaves";

    private const int MaxEnclaves = 64;
    private const int MaxBytes = 32 * 1024 * 1024;

    /// <exception cref="EnclaveUnreachableException">The operator does not answer, or answers something else.</exception>
    public static async Task<IReadOnlyList<ListedEnclave>> FetchAsync(HttpClient http, Uri operatorAddress, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(operatorAddress, Path), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
            byte[] bytes = await ReadBoundedAsync(response.Content, cancellationToken).ConfigureAwait(false);
            return Parse(bytes);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new EnclaveUnreachableException("The operator did not give a list of enclaves.", e);
        }
    }

    /// <summary>Appraises every enclave of the list, in its order, as <see cref="SealedHttpHandler"/> would: the log is followed and remembered. Nothing is sent to any of them.</summary>
    /// <exception cref="EnclaveUnreachableException">The operator does not answer, or answers something else.</exception>
    public static async Task<IReadOnlyList<(string Name, AttestationResult Result)>> AppraiseAllAsync(HttpClient http, ClientOptions options, CancellationToken cancellationToken)
    {
        var follower = new LogFollower(http, options);
        var results = new List<(string, AttestationResult)>();
        foreach (var listed in await FetchAsync(http, options.Operator, cancellationToken).ConfigureAwait(false))
        {
            results.Add((listed.Name, await follower.AppraiseAsync(listed.Bundle, cancellationToken).ConfigureAwait(false)));
        }
        return results;
    }

    internal static IReadOnlyList<ListedEnclave> Parse(ReadOnlySpan<byte> json)
    {
        var listing = JsonSerializer.Deserialize(json, DirectoryJson.Default.Listing) ?? throw new JsonException();
        if (listing.Enclaves.Length > MaxEnclaves)
        {
            throw new JsonException("Too many enclaves.");
        }
        return [.. listing.Enclaves.Select(entry => new ListedEnclave(entry.Name, Base64.TryDecode(entry.Bundle, out var bundle) ? bundle : []))];
    }

    private static async Task<byte[]> ReadBoundedAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var length)
        {
            if (bytes.Length + length > MaxBytes)
            {
                throw new IOException("The list of enclaves is too long.");
            }
            bytes.Write(buffer, 0, length);
        }
        return bytes.ToArray();
    }
}

internal sealed record Listing
{
    public required ListedBundle[] Enclaves { get; init; }
}

internal sealed record ListedBundle
{
    public required string Name { get; init; }

    public required string Bundle { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Listing))]
internal sealed partial class DirectoryJson : JsonSerializerContext;
