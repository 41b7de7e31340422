using System.Collections.Immutable;
using System.Text;

namespace Cloister.Transparency;

/// <summary>What a witness answers. The numbers are the HTTP status codes of tlog-witness.</summary>
public enum WitnessAnswer : short { None = 0, Cosigned = 200, Malformed = 400, UnknownSignature = 403, UnknownOrigin = 404, Conflict = 409, Inconsistent = 422 }

/// <summary>What a witness does with a request.</summary>
/// <param name="Answer">The status to answer with.</param>
/// <param name="Body">The body to answer with: cosignatures, or at a conflict the size of the last checkpoint, as <c>text/x.tlog.size</c>.</param>
/// <param name="State">The checkpoint to remember, written down before the answer leaves; null where nothing changes.</param>
public sealed record WitnessDecision(WitnessAnswer Answer, ImmutableArray<byte> Body, Checkpoint? State);

/// <summary>A witness without network and disk: what it answers, from what it remembers.</summary>
public static class Witness
{
    /// <summary>Decides about a request, in the order of tlog-witness, add-checkpoint.</summary>
    /// <param name="body">From anybody.</param>
    /// <param name="logs">The keys of the logs that the witness knows; a key's name is its log's origin.</param>
    /// <param name="last">The last checkpoint that the witness cosigned for an origin; null where it cosigned none.</param>
    /// <param name="keys">The witness's own.</param>
    /// <remarks>The caller makes deciding and remembering one step for each origin: else of two requests the older might win, and leaves would be rolled back.</remarks>
    public static WitnessDecision Decide(ReadOnlySpan<byte> body, IReadOnlyCollection<VerifierKey> logs, Func<string, Checkpoint?> last, IReadOnlyCollection<SignerKey> keys, DateTimeOffset now)
    {
        if (!AddCheckpointRequest.TryParse(body, out var request) || !Checkpoint.TryParse(request.Checkpoint.Text, out var checkpoint))
        {
            return Refused(WitnessAnswer.Malformed);
        }

        var known = logs.Where(key => key.Name == checkpoint.Origin).ToList();
        if (known.Count == 0)
        {
            return Refused(WitnessAnswer.UnknownOrigin);
        }
        if (!request.Checkpoint.Signatures.Any(signature => known.Any(key => key.Verify(request.Checkpoint.Text, signature, out _))))
        {
            return Refused(WitnessAnswer.UnknownSignature);
        }
        if (request.OldSize > checkpoint.Size)
        {
            return Refused(WitnessAnswer.Malformed);
        }

        var before = last(checkpoint.Origin);
        long oldSize = before?.Size ?? 0;
        if (request.OldSize != oldSize || (before is not null && oldSize == checkpoint.Size && before.Root != checkpoint.Root))
        {
            return new(WitnessAnswer.Conflict, [.. Encoding.ASCII.GetBytes($"{oldSize}\n")], null);
        }
        if (!ConsistencyProof.Verify(oldSize, before?.Root ?? TreeHash.Empty, checkpoint.Size, checkpoint.Root, request.Path.AsSpan()))
        {
            return Refused(WitnessAnswer.Inconsistent);
        }

        long timestamp = now.ToUnixTimeSeconds();
        var cosignatures = keys.Select(key => key.Cosign(checkpoint, timestamp));
        return new(WitnessAnswer.Cosigned, [.. NoteText.StrictUtf8.GetBytes(string.Concat(cosignatures))], checkpoint);
    }

    private static WitnessDecision Refused(WitnessAnswer answer) => new(answer, [], null);
}
