using Cloister.Attestation;
using Cloister.Transparency;

namespace Cloister.Client;

/// <summary>Follows the log from what is remembered to what a bundle shows (docs/spec/publication.md, section 4).</summary>
internal sealed class LogFollower(HttpClient http, ClientOptions options)
{
    /// <summary>Where the operator hands out the log's tiles. It may hand out wrong ones: a path that is made of them does not verify.</summary>
    public const string TilesPath = "cloister/v1/log/";

    private const int TileBytes = TilePath.FullWidth * TreeHash.Size;

    /// <summary>Follows the log to what the bundle shows, appraises it, and remembers the checkpoint if it is accepted.</summary>
    public async Task<AttestationResult> AppraiseAsync(ReadOnlyMemory<byte> bundle, CancellationToken cancellationToken)
    {
        var result = await RunAsync(bundle, (now, log) => Appraisal.Appraise(bundle, options.Policy, now, log), cancellationToken).ConfigureAwait(false);
        if (result.TryAccept(out var enclave) && enclave.Release is { } release)
        {
            await RememberAsync(release.Checkpoint, cancellationToken).ConfigureAwait(false);
        }
        return result;
    }

    /// <summary>The same for what an enclave answers within a session. Nothing is remembered.</summary>
    public Task<AttestationResult> AppraiseSessionAsync(ReadOnlyMemory<byte> bundle, SessionBinding session, CancellationToken cancellationToken) =>
        RunAsync(bundle, (now, log) => Appraisal.AppraiseSession(bundle, session, options.Policy, now, log), cancellationToken);

    /// <summary>Null where nothing is remembered. Without a path that leads there, the appraisal refuses.</summary>
    /// <param name="shown">The checkpoint to follow the log to, if there is one; asked for only where something is remembered.</param>
    public async Task<LogMemory?> FollowAsync(Func<Checkpoint?> shown, CancellationToken cancellationToken)
    {
        if (await RememberedAsync(cancellationToken).ConfigureAwait(false) is not { } remembered)
        {
            return null;
        }
        return shown() is { } checkpoint && checkpoint.Origin == remembered.Origin && checkpoint.Size > remembered.Size
            ? new LogMemory(remembered, [.. await PathAsync(remembered.Size, checkpoint.Size, cancellationToken).ConfigureAwait(false)])
            : new LogMemory(remembered, []);
    }

    private async Task<AttestationResult> RunAsync(ReadOnlyMemory<byte> bundle, Func<DateTimeOffset, LogMemory?, AttestationResult> appraise, CancellationToken cancellationToken)
    {
        var log = await FollowAsync(() => ShownBy(bundle.Span), cancellationToken).ConfigureAwait(false);
        var now = options.Time.GetUtcNow();
        return options.Signatures is { } signatures ? await signatures.RunAsync(() => appraise(now, log)).ConfigureAwait(false) : appraise(now, log);
    }

    private async Task RememberAsync(Checkpoint accepted, CancellationToken cancellationToken)
    {
        if (await RememberedAsync(cancellationToken).ConfigureAwait(false) is not { } before || before.Size < accepted.Size || before.Origin != accepted.Origin)
        {
            await options.Memory.SaveAsync($"{accepted}", cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Checkpoint?> RememberedAsync(CancellationToken cancellationToken) =>
        await options.Memory.LoadAsync(cancellationToken).ConfigureAwait(false) is { } text && Checkpoint.TryParse(text, out var checkpoint) ? checkpoint : null;

    private static Checkpoint? ShownBy(ReadOnlySpan<byte> bundle) =>
        EnclaveBundle.TryParse(bundle, out var parsed) && parsed.Publication is { } publication && LogProof.TryParse(publication.Release.Proof.Span, out var proof)
        && Checkpoint.TryParse(proof.Checkpoint.Text, out var checkpoint) ? checkpoint : null;

    // Empty where a tile is not to be had: the appraisal then says that the log does not continue.
    private async Task<TreeHash[]> PathAsync(long from, long to, CancellationToken cancellationToken)
    {
        var tiles = new TileSet();
        foreach (var tile in TileSet.ForConsistency(from, to))
        {
            if (await FetchAsync(tile, cancellationToken).ConfigureAwait(false) is not { } bytes || !tiles.TryAdd(tile, bytes))
            {
                return [];
            }
        }
        return ConsistencyProof.TryMake(tiles.Reader, from, to, out var path) ? path : [];
    }

    private async Task<byte[]?> FetchAsync(TilePath tile, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(options.Operator, $"{TilesPath}{tile}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }
            await response.Content.LoadIntoBufferAsync(TileBytes, cancellationToken).ConfigureAwait(false);
            return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or TaskCanceledException { InnerException: TimeoutException })
        {
            return null;
        }
    }
}
