using System.Collections.Immutable;

namespace Cloister.Transparency;

/// <summary>Why a checkpoint is not trusted. Zero is none.</summary>
public enum CheckpointFault : byte { None, Malformed, UnknownLog, WrongSignature, TooFewWitnesses, TooOld }

/// <summary>A witness's verified cosignature.</summary>
/// <param name="Witness">The policy's name for it.</param>
/// <param name="Time">When it was made, by the witness's clock; null where it does not say.</param>
public sealed record WitnessedAt(string Witness, DateTimeOffset? Time);

/// <summary>What a policy says of a checkpoint.</summary>
/// <param name="Fault">Zero is none.</param>
/// <param name="Checkpoint">Null where there is none, or no known log signed it.</param>
/// <param name="Cosignatures">The latest of each known witness, whether or not it is recent enough.</param>
public sealed record CheckpointVerification(CheckpointFault Fault, Checkpoint? Checkpoint, ImmutableArray<WitnessedAt> Cosignatures)
{
    /// <summary>How far a witness's clock may be ahead.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private const long MaxUnixTime = 253402300799; // the year 9999

    /// <summary>Verifies the log's signature and the witnesses'. A wrong signature by any known key refuses the whole.</summary>
    /// <param name="maximumAge">Only cosignatures that are at most this old count; null where age does not matter.</param>
    public static CheckpointVerification Verify(SignedNote note, LogPolicy policy, DateTimeOffset now, TimeSpan? maximumAge)
    {
        if (!Checkpoint.TryParse(note.Text, out var checkpoint))
        {
            return Refused(CheckpointFault.Malformed);
        }

        // The log's key is named like its origin: another accepted log's signature says nothing about this one.
        bool logged = false;
        var cosignatures = ImmutableArray.CreateBuilder<WitnessedAt>();
        foreach (var log in policy.Logs.Where(log => log.Key.Name == checkpoint.Origin))
        {
            if (!TryVerify(log.Key, note, out bool signed, out _))
            {
                return Refused(CheckpointFault.WrongSignature);
            }
            logged |= signed;
        }
        if (!logged)
        {
            return Refused(CheckpointFault.UnknownLog);
        }
        foreach (var witness in policy.Witnesses)
        {
            if (!TryVerify(witness.Key, note, out bool signed, out long latest))
            {
                return Refused(CheckpointFault.WrongSignature);
            }
            if (signed)
            {
                cosignatures.Add(new(witness.Name, latest is 0 or > MaxUnixTime ? null : DateTimeOffset.FromUnixTimeSeconds(latest)));
            }
        }

        bool Enough(Func<WitnessedAt, bool> counts) => policy.IsSatisfiedBy(cosignatures.Where(counts).Select(one => one.Witness).ToHashSet(StringComparer.Ordinal));
        bool IsRecent(WitnessedAt one) => one.Time is { } time && time <= now + ClockSkew && now - time <= maximumAge;
        bool recent = maximumAge is null ? true : policy.NeedsWitnesses && Enough(IsRecent);
        var fault = !Enough(_ => true) ? CheckpointFault.TooFewWitnesses : !recent ? CheckpointFault.TooOld : CheckpointFault.None;
        return new(fault, checkpoint, cosignatures.ToImmutable());
    }

    private static CheckpointVerification Refused(CheckpointFault fault) => new(fault, null, []);

    // False where the note has a signature in this key's name that is not the key's.
    private static bool TryVerify(VerifierKey key, SignedNote note, out bool signed, out long latest)
    {
        (signed, latest) = (false, 0);
        foreach (var signature in note.Signatures.Where(key.IsNamedBy))
        {
            if (!key.Verify(note.Text, signature, out long timestamp))
            {
                return false;
            }
            (signed, latest) = (true, Math.Max(latest, timestamp));
        }
        return true;
    }
}
