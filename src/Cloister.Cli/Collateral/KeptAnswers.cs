using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Enclave.Evidence;

namespace Cloister.Cli.Collateral;

/// <summary>Answers of the makers on this host's disk, so that none is asked more often than it has news and an outage is bridged (docs/spec/collateral.md, section 3).</summary>
internal sealed class KeptAnswers(VendorWeb web, SharedFolder folder, TimeProvider time)
{
    // Ours to choose: how old what can change may become before it is asked for again.
    private static readonly TimeSpan Freshness = TimeSpan.FromHours(12);

    private const int MaxFile = 8 * 1024 * 1024;

    /// <summary>The kept answer where it is young enough, otherwise a new one; where that is not to be had, the kept one as long as it counts.</summary>
    /// <param name="report">Is told of a fault that was bridged.</param>
    /// <exception cref="VendorFault">There is none that counts.</exception>
    public async Task<VendorAnswer> GetAsync(VendorItem item, Action<VendorFault> report, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var (kept, fetched, expires) = Find(item);
        if (kept is not null && expires > now && !(item.Changes && (now - fetched >= Freshness || fetched > now)))
        {
            return kept;
        }
        try
        {
            return await FetchAsync(item, cancellation);
        }
        catch (VendorFault fault) when (kept is not null && expires > now)
        {
            report(new VendorFault($"{fault.Message} The one of {fetched:u} counts until {expires:u}.", fault.Wait, fault));
            return kept;
        }
    }

    /// <summary>Forgets an answer that turned out not to fit the others.</summary>
    public void Forget(VendorItem item) => File.Delete(Path.Combine(folder.Path, NameOf(item)));

    private async Task<VendorAnswer> FetchAsync(VendorItem item, CancellationToken cancellation)
    {
        var answer = await web.AskAsync(item, cancellation);
        if (item.Expiry(answer) is not { } expires)
        {
            throw new VendorFault($"What {item.Address.Host} answered is not {item.Title}.");
        }
        var now = time.GetUtcNow();
        if (expires <= now)
        {
            throw new VendorFault($"What {item.Address.Host} answered for {item.Title} expired on {expires:u}.");
        }
        folder.Replace(NameOf(item), JsonSerializer.SerializeToUtf8Bytes(new KeptAnswer(item.Address.AbsoluteUri, now, answer.Issuers, answer.Content), KeptJson.Default.KeptAnswer));
        return answer;
    }

    // A file that is damaged counts as none.
    private (VendorAnswer? Answer, DateTimeOffset Fetched, DateTimeOffset Expires) Find(VendorItem item)
    {
        try
        {
            if (folder.Read(NameOf(item), MaxFile) is { } file && JsonSerializer.Deserialize(file, KeptJson.Default.KeptAnswer) is { } kept && kept.Address == item.Address.AbsoluteUri)
            {
                var answer = new VendorAnswer(kept.Content, kept.Issuers);
                return item.Expiry(answer) is { } expires ? (answer, kept.FetchedAt, expires) : default;
            }
        }
        catch (Exception fault) when (fault is IOException or JsonException)
        {
            // As if it were not there: it is fetched again, and replaced.
        }
        return default;
    }

    private static string NameOf(VendorItem item) => $"{Convert.ToHexStringLower(SHA256.HashData([.. Encoding.UTF8.GetBytes(item.Address.AbsoluteUri), 0, .. item.Request ?? []]))}.json";
}

internal sealed record KeptAnswer(string Address, DateTimeOffset FetchedAt, string Issuers, byte[] Content);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(KeptAnswer))]
internal sealed partial class KeptJson : JsonSerializerContext;
