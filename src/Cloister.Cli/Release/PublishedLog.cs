using System.Text;
using Cloister.Attestation;
using Cloister.Cli.Log;
using Cloister.Log.Client;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli.Release;

/// <summary>A log as a publisher and an operator use it: entries go in, and proofs of them come out fresh. It takes nothing that clients would not.</summary>
internal sealed class PublishedLog(HttpClient http, Uri address, PublicationDemands demands)
{
    private readonly LogReader _log = new(http, address);
    private readonly LogPolicy _policy = LogPolicy.TryParse(Encoding.UTF8.GetBytes(demands.Log), out var policy, out _) ? policy : throw new ArgumentException("The log's policy is none.", nameof(demands));
    private readonly PublisherKeys _publishers = new(demands.Threshold, [.. demands.Publishers.Select(Key)]);

    public async Task<ProvedEntry> AddAsync(LogEntry entry, CancellationToken cancellation)
    {
        byte[] bytes = entry.ToBytes();
        return new ProvedEntry(bytes, await AddCommand.SubmitAsync(http, address, bytes, _policy, cancellation));
    }

    /// <summary>Every entry under the log's newest checkpoint; beside the release whatever the log has since that speaks for or against it.</summary>
    public Task<Publication> FreshenAsync(Publication before, CancellationToken cancellation) => FromTheLogAsync(async () =>
    {
        var newest = await NewestAsync(cancellation);
        var others = new List<ProvedEntry>();
        foreach (var (entry, index) in await ChooseAsync(before, newest.Checkpoint.Size, cancellation))
        {
            others.Add(await ProveAsync(entry, index, newest, cancellation));
        }
        return new Publication(
            await ProveAsync(before.Release, newest, cancellation),
            before.Fleet is { } fleet ? await ProveAsync(fleet, newest, cancellation) : null,
            [.. others]);
    });

    public Task<ProvedEntry> FreshenAsync(ProvedEntry before, CancellationToken cancellation) => FromTheLogAsync(async () => await ProveAsync(before, await NewestAsync(cancellation), cancellation));

    private async Task<(SignedNote Note, Checkpoint Checkpoint)> NewestAsync(CancellationToken cancellation)
    {
        var note = await _log.FetchCheckpointAsync(cancellation) ?? throw Refused("it shows no checkpoint");
        var verified = CheckpointVerification.Verify(note, _policy, DateTimeOffset.UtcNow, TimeSpan.FromHours(demands.MaximumAgeHours));
        return verified is { Fault: CheckpointFault.None, Checkpoint: { } checkpoint } ? (note, checkpoint) : throw Refused($"its newest checkpoint is refused: {verified.Fault}");
    }

    private Task<ProvedEntry> ProveAsync(ProvedEntry shown, (SignedNote Note, Checkpoint Checkpoint) newest, CancellationToken cancellation) =>
        LogProof.TryParse(shown.Proof.Span, out var proof) && Checkpoint.TryParse(proof.Checkpoint.Text, out var under)
            ? under.Size > newest.Checkpoint.Size ? throw Refused($"it has gone back from size {under.Size} to {newest.Checkpoint.Size}") : ProveAsync(shown.Entry, proof.Index, newest, cancellation)
            : throw new CommandFault(ExitCode.Usage, "A proof is not one.");

    private async Task<ProvedEntry> ProveAsync(ReadOnlyMemory<byte> entry, long index, (SignedNote Note, Checkpoint Checkpoint) newest, CancellationToken cancellation)
    {
        var path = index < newest.Checkpoint.Size ? await _log.FetchInclusionAsync(index, newest.Checkpoint.Size, cancellation) : null;
        var proof = new LogProof(index, path ?? [], newest.Note);
        return path is not null && proof.Verify(entry.Span, _policy, DateTimeOffset.UtcNow, null).Fault is LogProofFault.None
            ? new ProvedEntry(entry, proof.ToBytes())
            : throw Refused($"it gives no proof of entry {index} that holds");
    }

    // One recall, the release that demands most, and the newest rebuild of each builder say all that the rest could.
    private async Task<IEnumerable<(ReadOnlyMemory<byte> Entry, long Index)>> ChooseAsync(Publication before, long size, CancellationToken cancellation)
    {
        if (!LogEntry.TryParse(before.Release.Entry.Span, out var release) || !LogProof.TryParse(before.Release.Proof.Span, out var proof))
        {
            throw new CommandFault(ExitCode.Usage, "The release or its proof is not one.");
        }
        string digest = Hex.Encode(release.Digest.Span);
        int floor = release.Statement.Release?.MinimumAcceptedVersion ?? 0;
        var chosen = new Dictionary<string, (ReadOnlyMemory<byte> Entry, long Index)>();
        await foreach (var (bytes, index) in SinceAsync(before, proof.Index, size, cancellation))
        {
            if (!LogEntry.TryParse(bytes.Span, out var entry) || entry.Statement.Namespace != demands.Namespace)
            {
                continue;
            }
            if (IsPublished(entry) && entry.Statement.Recall?.Release == digest)
            {
                chosen["recall"] = (bytes, index);
            }
            if (IsPublished(entry) && entry.Statement.Release?.MinimumAcceptedVersion > floor)
            {
                (floor, chosen["release"]) = (entry.Statement.Release.MinimumAcceptedVersion, (bytes, index));
            }
            if (entry.Statement.Rebuild?.Release == digest && demands.Builders.FirstOrDefault(builder => IsSigned(entry, new PublisherKeys(1, Key(builder)))) is { } own)
            {
                chosen[own] = (bytes, index);
            }
        }
        return chosen.Values.Take(Publication.MaxOthers);
    }

    private async IAsyncEnumerable<(ReadOnlyMemory<byte> Entry, long Index)> SinceAsync(Publication before, long first, long size, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var other in before.Others)
        {
            if (LogProof.TryParse(other.Proof.Span, out var proof))
            {
                yield return (other.Entry, proof.Index);
            }
        }
        for (long bundle = first / TilePath.FullWidth; bundle * TilePath.FullWidth < size; bundle++)
        {
            long index = bundle * TilePath.FullWidth;
            foreach (byte[] entry in await _log.FetchBundleAsync(TilePath.InTree(TilePath.EntriesLevel, bundle, size), cancellation) ?? throw Refused($"it withholds entries behind {index}"))
            {
                yield return (entry, index++);
            }
        }
    }

    private bool IsPublished(LogEntry entry) => IsSigned(entry, _publishers);

    // Whenever it is valid: what speaks against a release has no end.
    private bool IsSigned(LogEntry entry, PublisherKeys keys) =>
        entry.Verify(entry.Statement.Type, demands.Namespace, keys, DateTimeOffset.UtcNow) is EntryFault.None or EntryFault.Expired or EntryFault.NotYetValid;

    private async Task<T> FromTheLogAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (HttpRequestException fault)
        {
            throw new CommandFault(ExitCode.Unreachable, $"{address.Authority} does not answer: {fault.Message}", fault);
        }
    }

    private CommandFault Refused(string what) => new(ExitCode.Refused, $"The log at {address.Authority} is not to be used: {what}.");

    private static VerifierKey Key(string text) => VerifierKey.TryParse(text, out var key) ? key : throw new ArgumentException("A key is none.", nameof(text));
}
