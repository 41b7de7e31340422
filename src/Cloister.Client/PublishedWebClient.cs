using Cloister.Attestation;
using Cloister.Transparency;

namespace Cloister.Client;

/// <summary>What an operator shows of its web client's publication, judged.</summary>
/// <param name="Accepted">Null where it is refused.</param>
/// <param name="Fault">What is wrong with it, as a name; null where nothing is.</param>
public sealed record WebClientResult(AcceptedEntry? Accepted, string? Fault);

/// <summary>The web client that was published for a deployment (docs/spec/publication.md, section 5).</summary>
public static class PublishedWebClient
{
    /// <summary>Relative to the operator's address.</summary>
    public const string Path = "cloister/v1/publication/web-client";

    private const int MaxBytes = 1024 * 1024;

    /// <summary>Fetches the entry and its proof, judges them by the policy, and follows the log to them from what is remembered.</summary>
    /// <exception cref="HttpRequestException">The operator does not answer, or shows no web client.</exception>
    public static async Task<WebClientResult> FetchAsync(HttpClient http, ClientOptions options, CancellationToken cancellationToken)
    {
        var demands = options.Policy.Publication ?? throw new ArgumentException("The policy names no log.", nameof(options));
        using var response = await http.GetAsync(new Uri(options.Operator, Path), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        await response.Content.LoadIntoBufferAsync(MaxBytes, cancellationToken).ConfigureAwait(false);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);

        string? fault = nameof(ReleaseFault.MalformedEntry);
        if (!ProvedEntryFile.TryParse(bytes, out var shown) || !demands.TryAccept(shown, EntryType.WebClient, options.Time.GetUtcNow(), out var accepted, out fault))
        {
            return new(null, fault);
        }

        // Held against what is remembered, and not remembered: an enclave's bundle, which is minutes older, must not fall behind it.
        var remembered = await new LogFollower(http, options).FollowAsync(() => accepted.Checkpoint, cancellationToken).ConfigureAwait(false);
        if (remembered is not null && !GoesOn(remembered, accepted.Checkpoint))
        {
            return new(null, nameof(ReleaseFault.CheckpointInconsistent));
        }
        return new(accepted, null);
    }

    private static bool GoesOn(LogMemory memory, Checkpoint shown) => memory.Remembered.Origin == shown.Origin
        && ConsistencyProof.Verify(memory.Remembered.Size, memory.Remembered.Root, shown.Size, shown.Root, memory.Consistency.AsSpan());
}
